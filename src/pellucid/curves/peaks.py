"""Two peaks of one tuning curve: the mark of a double curve detector."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from pellucid.curves.tuning_curves import TuningCurve
from pellucid.curves.tuning_curves.matching import GRID

_NARROWEST = 30.0  # degrees to either side, over which a peak has a shape to compare


class DoublePeak(NamedTuple):
    """Two peaks: their `angles`, the `height` of the lower over the higher, how far they are apart in degrees, and the
    local correlation of each with the template."""

    angles: tuple[float, float]
    height: float
    separation: float
    correlations: tuple[float, float]


def double_peak(
    curve: TuningCurve, template: TuningCurve, *, height: float = 0.5, separation: float = 60.0
) -> DoublePeak | None:
    """The highest peak and the next one more than `separation` degrees from it, if that has `height` of the first.

    Each is compared with the peak of the `template`, whose argmax is put on it, over the degrees that are nearer to it
    than to the other, 30 at least, on either side. None if there is no second peak.
    """
    if not curve.peak or curve.period != 360:
        return None
    count = max(GRID, len(curve.values))
    response, step = curve.resampled(count), 360 / count
    shape = template.turned(-template.argmax).resampled(count)
    first = int(response.argmax())
    about = np.roll(response, -first) / response[first]
    places, _ = find_peaks(about, height=height)  # the first peak, at 0, is the end of the array and not among them
    far = [place for place in places.tolist() if min(place, count - place) * step > separation]
    if not far:
        return None
    second = max(far, key=lambda place: about[place])
    apart = min(second, count - second) * step
    reach = round(max(apart / 2, _NARROWEST) / step)
    alike = [_local(np.roll(about, -place), shape, reach) for place in (0, second)]
    angles = float(first * step), float((first + second) * step % 360)
    return DoublePeak(angles, float(about[second]), apart, (alike[0], alike[1]))


def _local(about: NDArray[np.float64], shape: NDArray[np.float64], reach: int) -> float:
    """The correlation of two curves within `reach` samples of their starts; 0 of a constant."""
    near = np.arange(-reach, reach + 1)
    one, two = about[near] - about[near].mean(), shape[near] - shape[near].mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(two))
    return float(one @ two) / length if length > 0 else 0.0
