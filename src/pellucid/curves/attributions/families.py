"""What the units of a family hear of an earlier layer: which of its units excite them, and which inhibit them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.curves.attributions.linear import Places
from pellucid.curves.attributions.passes import previous_layer
from pellucid.curves.attributions.splitting import linear_attribution
from pellucid.curves.tuning_curves import TuningCurve
from pellucid.errors import LayerError
from pellucid.networks import Network
from pellucid.shapes import Images

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class FamilyAttribution:
    """Mean attribution (units x upstream channels) of some units of a layer to the channels of an earlier one.

    `matrix` (U, C) float64 has a row for each of `units` and a column for each of `upstream`, both in the order given
    or, where tuning curves are known, of their preferred directions (circular means in degrees, `directions` by
    address). `constant` and `preactivation` (U,) are means as well: each row adds up with the constant to the
    pre-activation, but for `remainder` (U,).
    """

    layer: str
    previous: str
    units: tuple[int, ...]
    upstream: tuple[int, ...]
    matrix: NDArray[np.float64]
    constant: NDArray[np.float64]
    preactivation: NDArray[np.float64]
    remainder: NDArray[np.float64]
    directions: Mapping[str, float]

    def rows(self, count: int = 5) -> list[dict[str, Any]]:
        """For each unit the upstream channels that excite it most and inhibit it most, at most `count` of each.

        A row has `unit`, `direction`, `upstream`, `upstream_direction`, `turned` (upstream less unit, -180 to 180
        degrees) and `attribution`; directions that are not known are None.
        """
        found = []
        for number, unit in enumerate(self.units):
            order = np.argsort(-self.matrix[number], kind="stable")
            most = [column for column in order[:count] if self.matrix[number, column] > 0]
            least = [column for column in order[::-1][:count][::-1] if self.matrix[number, column] < 0]
            for column in (*most, *least):
                own, other = f"{self.layer}:{unit}", f"{self.previous}:{self.upstream[column]}"
                found.append(
                    {
                        "unit": own,
                        "direction": self.directions.get(own),
                        "upstream": other,
                        "upstream_direction": self.directions.get(other),
                        "turned": _turned(self.directions, own, other),
                        "attribution": float(self.matrix[number, column]),
                    }
                )
        return found

    def record(self) -> dict[str, Any]:
        """All numbers as JSON values."""
        return {
            "format": 1, "layer": self.layer, "previous": self.previous, "units": list(self.units),
            "upstream": list(self.upstream), "attribution": self.matrix.tolist(), "constant": self.constant.tolist(),
            "preactivation": self.preactivation.tolist(), "difference": self.remainder.tolist(),
            "directions": dict(self.directions),
        }  # fmt: skip


def family_attribution(
    network: Network,
    layer: str,
    units: Sequence[int],
    images: Images | Sequence[Tensor],
    *,
    previous: str | None = None,
    upstream: Sequence[int] | None = None,
    position: Places | None = None,
    curves: Mapping[str, TuningCurve] | None = None,
    batch: int = 16,
) -> FamilyAttribution:
    """The mean attribution of each unit of a family to the channels of an earlier layer.

    `images` are shown to all units, or there is a batch of them for each, such as the unit's own preferred stimuli;
    `position` is that of `linear_attribution`. `previous` is by default the previous layer of the first unit, and
    `upstream` all its channels. With `curves`, tuning curves by address ("relu3:6"), units and channels stand in the
    order of their circular means, those without one last.

    Raises `LayerError` for what the layers do not have, and units that do not depend on the earlier layer.
    """
    if not len(units) or (not isinstance(images, Tensor) and len(images) != len(units)):
        raise LayerError(f"{len(images)} batches of images are given for {len(units)} units; give one for each, or one")
    batches = [images] * len(units) if isinstance(images, Tensor) else list(images)
    size = (batches[0].shape[2], batches[0].shape[3])
    start = previous or previous_layer(network, layer, units[0], size=size)
    channels = network.spatial_layer(start).channels
    heard = list(range(channels)) if upstream is None else list(upstream)
    absent = [unit for unit in heard if not 0 <= unit < channels]
    if absent:
        raise LayerError(f"{start} has {channels} units, 0 to {channels - 1}; there is no unit {absent[0]}")
    # Rounded, or what points at 0 within rounding would come last.
    directions = {name: round(curve.circular_mean, 6) % curve.period for name, curve in (curves or {}).items()}
    directions = {name: angle for name, angle in directions.items() if np.isfinite(angle)}
    own, heard = _ordered(layer, list(units), directions), _ordered(start, heard, directions)
    given = dict(zip(units, batches, strict=True))
    rows, numbers = [], []
    for unit in own:
        found = linear_attribution(network, layer, unit, given[unit], previous=start, position=position, batch=batch)
        rows.append(found.channels.double().mean(dim=0)[heard].cpu().numpy())
        means = (found.constant, found.preactivation, found.remainder)
        numbers.append(torch.stack([each.double().mean() for each in means]).cpu().numpy())
    shown = {f"{layer}:{unit}" for unit in own} | {f"{start}:{unit}" for unit in heard}
    constant, pre, left = np.stack(numbers, axis=1)
    return FamilyAttribution(
        layer, start, tuple(own), tuple(heard), np.stack(rows), constant, pre, left,
        {name: angle for name, angle in directions.items() if name in shown},
    )  # fmt: skip


def family_attribution_figure(found: FamilyAttribution) -> "Figure":
    """Draw the matrix, red where an upstream channel excites a unit and blue where it inhibits it, without pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, columns = found.matrix.shape
    drawn = Figure(figsize=(max(5, 2.5 + 0.2 * columns), max(3, 1.8 + 0.2 * rows)), dpi=100, layout="constrained")
    FigureCanvasAgg(drawn)
    ax = drawn.subplots()
    largest = float(np.abs(found.matrix).max()) or 1.0
    shown = ax.imshow(found.matrix, vmin=-largest, vmax=largest, cmap="RdBu_r", aspect="auto")
    named = ((ax.set_xticks, found.previous, found.upstream, 90), (ax.set_yticks, found.layer, found.units, 0))
    for ticks, layer, units, rotation in named:
        step = max(1, len(units) // 64)
        labels = [_label(found.directions, layer, unit) for unit in units[::step]]
        ticks(range(0, len(units), step), labels=labels, fontsize=6, rotation=rotation)
    ax.set_xlabel(f"units of {found.previous}", fontsize=9)
    ax.set_ylabel(f"units of {found.layer}", fontsize=9)
    drawn.colorbar(shown, ax=ax, label="mean attribution", shrink=0.8)
    return drawn


def _ordered(layer: str, units: list[int], directions: Mapping[str, float]) -> list[int]:
    known = [unit for unit in units if f"{layer}:{unit}" in directions]
    return sorted(known, key=lambda unit: directions[f"{layer}:{unit}"]) + [u for u in units if u not in known]


def _turned(directions: Mapping[str, float], own: str, other: str) -> float | None:
    if own not in directions or other not in directions:
        return None
    return (directions[other] - directions[own] + 180) % 360 - 180


def _label(directions: Mapping[str, float], layer: str, unit: int) -> str:
    angle = directions.get(f"{layer}:{unit}")
    return str(unit) if angle is None else f"{unit} ({angle:.0f}°)"
