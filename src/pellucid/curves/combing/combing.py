"""The combing index: how much more a unit answers to a curve when ticks stand on it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.curves.combing.ticks import SIDES, TILTS, TickedCurve
from pellucid.curves.composition.directions import family_directions
from pellucid.curves.extraction import chosen_units
from pellucid.curves.responses import respond
from pellucid.curves.sight import Sight, sights
from pellucid.curves.stimuli import Bank, Curve, Stimulus
from pellucid.curves.tuning_curves import TuningCurve
from pellucid.errors import PellucidError
from pellucid.networks import Network
from pellucid.progress import progress_bar

Numbers = NDArray[np.float64]
SPACINGS = (4.0, 8.0, 12.0)
LENGTHS = (6.0,)
OFFSETS = (-10.0, 0.0, 10.0)
RADII = (0.8, 1.4)
PHASES = (0.0, 0.5)
_RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A number and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True, eq=False)
class Combing:
    """What ticks change in a unit's answers to curves of its own direction.

    The combing index is Σ (a′ - a) / Σ a over samples: a = max(h, 0) for a curve, a′ for the same curve with ticks. 0
    is no change, 1 twice the answer, -1 none left. Samples differ in the curve's orientation, its radius, and where
    along it the ticks stand. `plain` (S,) are the a, `ticked` (sides, tilts, spacings, lengths, S) the a′, in the order
    of `SIDES`, `TILTS` and of the fields. `normal` is the outward normal that curves were turned to.
    """

    unit: str
    normal: float
    spacings: tuple[float, ...]
    lengths: tuple[float, ...]
    plain: Numbers
    ticked: Numbers

    def index(
        self,
        side: str,
        tilt: str = "perpendicular",
        *,
        spacing: float | None = None,
        length: float | None = None,
        against: str | None = None,
        seed: int = 0,
    ) -> Interval:
        """The index for ticks on one side, with its interval over 2000 draws of as many samples with replacement.

        By default it is the mean over all spacings and lengths, and less the index of the tilt `against`, such as
        "parallel", if one is given, sample by sample. NaN for a unit that no curve drives. Raises `PellucidError` for
        ticks that were not shown.
        """
        change = self._change(side, tilt, spacing, length)
        if against is not None:
            change = change - self._change(side, against, spacing, length)
        if not self.plain.any():
            return Interval(math.nan, math.nan, math.nan)
        rows = np.random.default_rng(seed).integers(len(self.plain), size=(_RESAMPLES, len(self.plain)))
        plain = self.plain[rows].sum(axis=1)
        drawn = change[rows].sum(axis=1)[plain > 0] / plain[plain > 0]
        low, high = np.quantile(drawn, (0.025, 0.975))
        return Interval(float(change.sum() / self.plain.sum()), float(low), float(high))

    def best(self, side: str) -> tuple[float, float]:
        """The spacing and the length of the perpendicular ticks that raise the answer most on one side."""
        values = self.ticked[_number(SIDES, side, "side"), 0].sum(axis=-1)
        row, column = np.unravel_index(int(values.argmax()), values.shape)
        return self.spacings[int(row)], self.lengths[int(column)]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each side: the index of perpendicular ticks, and how far it is above that of the controls."""
        found = []
        for side in SIDES:
            spacing, length = self.best(side)
            row: dict[str, Any] = {"unit": self.unit, "normal": self.normal, "side": side}
            for name, value in {
                "index": self.index(side),
                "over parallel": self.index(side, against="parallel"),
                "over random": self.index(side, against="random"),
            }.items():
                row |= {
                    name: _finite(value.value), f"{name} low": _finite(value.low), f"{name} high": _finite(value.high)
                }  # fmt: skip
            best = self.index(side, spacing=spacing, length=length)
            found.append(row | {"best spacing": spacing, "best length": length, "best index": _finite(best.value)})
        return found

    def _change(self, side: str, tilt: str, spacing: float | None, length: float | None) -> Numbers:
        some = self.ticked[_number(SIDES, side, "side"), _number(TILTS, tilt, "tilt")]
        rows = slice(None) if spacing is None else [_number(self.spacings, spacing, "spacing")]
        columns = slice(None) if length is None else [_number(self.lengths, length, "length")]
        return some[rows][:, columns].mean(axis=(0, 1)) - self.plain


def measure_combing(
    network: Network,
    layer: str,
    units: Sequence[int] | None = None,
    *,
    tuning: Mapping[str, TuningCurve] | None = None,
    spacings: Sequence[float] = SPACINGS,
    lengths: Sequence[float] = LENGTHS,
    offsets: Sequence[float] = OFFSETS,
    radii: Sequence[float] | None = None,
    phases: Sequence[float] = PHASES,
    seed: int = 0,
    style: str = "line",
    progress: bool = False,
) -> list[Combing]:
    """Show units of a layer, by default all, curves of their own direction without ticks and with ticks of all kinds.

    Curves turn by `offsets` degrees from the normal that a unit prefers, by `tuning` or measured; their `radii` in px
    are by default .8 and 1.4 effective diameters of what it sees; ticks stand `spacings` px apart, are `lengths` px
    long, and are moved along the curve by `phases` of the spacing. Each is shown with the ticks perpendicular to the
    curve, the same ones parallel to it, and each tilted at random (from `seed`), inside and outside. `style` is one of
    `STYLES`. Units without a direction are left out.

    Combing is described by Cammarata et al., Curve Detectors (Distill 2020), without a measurement. Raises
    `PellucidError` if none of the units answers to curves, and for stimuli that cannot be drawn.
    """
    wanted = chosen_units(network, layer, units)
    for name, values in {"spacings": spacings, "lengths": lengths, "offsets": offsets, "phases": phases}.items():
        if not len(values):
            raise PellucidError(f"combing needs one of the {name} at least")
    normals = family_directions(network, layer, wanted, tuning)
    pointing = [(unit, normal) for unit, normal in zip(wanted, normals.tolist(), strict=True) if math.isfinite(normal)]
    if not pointing:
        raise PellucidError(f"no unit that was named of {layer!r} answers to curves; combing is measured on curves")
    sight = sights(network, [layer])[layer]
    sizes = [share * sight.diameter for share in RADII] if radii is None else [float(radius) for radius in radii]
    samples = list(product(offsets, sizes, phases))
    kinds = list(product(SIDES, TILTS, spacings, lengths))
    found = []
    with progress_bar("units", len(pointing), shown=progress) as advance:
        for unit, normal in pointing:
            shown = list(_stimuli(normal, samples, kinds, seed))
            answers = _answers(network, sight, unit, shown, style).reshape(len(kinds) + 1, len(samples))
            ticked = answers[1:].reshape(len(SIDES), len(TILTS), len(spacings), len(lengths), len(samples))
            found.append(
                Combing(f"{layer}:{unit}", normal, tuple(map(float, spacings)), tuple(map(float, lengths)),
                        answers[0], ticked)
            )  # fmt: skip
            advance(1)
    return found


def _stimuli(
    normal: float,
    samples: Sequence[tuple[float, float, float]],
    kinds: Sequence[tuple[str, str, float, float]],
    seed: int,
) -> Iterator[Stimulus]:
    """The curves of all samples, then for each kind of ticks the curves with them."""
    for offset, radius, _ in samples:
        yield Curve(normal + 180 + offset, radius)
    for side, tilt, spacing, length in kinds:
        for number, (offset, radius, phase) in enumerate(samples):
            yield TickedCurve(
                normal + 180 + offset, radius, spacing, length, side, tilt, phase, seed * len(samples) + number
            )


def _answers(network: Network, sight: Sight, unit: int, shown: Sequence[Stimulus], style: str) -> Numbers:
    answers = respond(network, Bank.of(shown, styles=[style]), {sight.layer: sight})[sight.layer]
    return np.maximum(answers[:, unit], 0).astype(np.float64)


def _number(known: Sequence[str] | Sequence[float], value: str | float, what: str) -> int:
    if value not in known:
        raise PellucidError(f"{what} = {value!r} is none of those shown: {', '.join(map(str, known))}")
    return list(known).index(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
