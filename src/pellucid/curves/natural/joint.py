"""Joint tuning: what all units of a layer answer while photographs that one of them fires at are turned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.curves.natural.place import Place, open_photograph
from pellucid.curves.natural.rotation import Beyond, batches, rotated, turns
from pellucid.curves.responses import at_once
from pellucid.curves.sight import Sight, sights
from pellucid.curves.tuning_curves import TuningCurve
from pellucid.curves.tuning_curves.tuning_curve import Direction
from pellucid.errors import PellucidError
from pellucid.networks import Network
from pellucid.networks.taps import Tap, tapped
from pellucid.progress import progress_bar


@dataclass(frozen=True, eq=False)
class JointTuning:
    """What units of a layer answered to photographs that one of them, `unit`, fires at, turned about what it saw.

    `responses` (E, A, U) are the activations of the `units` (U,) in the middle of E photographs, `places`, turned
    clockwise by A `angles` (A,) in degrees. A unit that prefers the direction θ′ answers to a photograph of the
    direction θ when it is turned by θ′ - θ, whatever kind of direction is meant.

    After Cammarata et al., Curve Detectors (Distill 2020), "joint tuning curves".
    """

    layer: str
    unit: int
    units: tuple[int, ...]
    angles: NDArray[np.float64]
    responses: NDArray[np.float32]
    places: tuple[Place, ...]

    @property
    def own(self) -> NDArray[np.float32]:
        """The responses (E, A) of the unit itself."""
        return self.responses[:, :, self.units.index(self.unit)]

    def shifts(self, by: Direction = "argmax") -> NDArray[np.float64]:
        """By how much each photograph (E,) is turned where the unit itself answers: NaN where it never does."""
        return np.array([TuningCurve(self.angles, own.astype(np.float64)).direction(by) for own in self.own])

    def aligned(self, by: Direction | None = "argmax") -> NDArray[np.float64]:
        """The responses max(x, 0), (E′, A, U), shifted so that the unit itself answers to each photograph at 0.

        Photographs to which it does not answer at all are left out. Between angles is linear; None shifts nothing.
        """
        rectified = np.maximum(self.responses.astype(np.float64), 0)
        if by is None:
            return rectified
        shifts = self.shifts(by) / (360 / len(self.angles))
        shifted = []
        for one, shift in zip(rectified, shifts.tolist(), strict=True):
            if np.isfinite(shift):
                whole = int(np.floor(shift))
                share = shift - whole
                shifted.append((1 - share) * np.roll(one, -whole, axis=0) + share * np.roll(one, -whole - 1, axis=0))
        return np.stack(shifted) if shifted else rectified[:0]

    def curves(self, by: Direction | None = "argmax") -> dict[int, TuningCurve]:
        """The mean over photographs of the aligned responses, by unit: at θ the unit's direction is θ from the own.

        Raises `PellucidError` if the unit itself answers to none of them.
        """
        aligned = self.aligned(by)
        if not len(aligned):
            raise PellucidError(
                f"unit {self.layer}:{self.unit} answers to none of its {len(self.places)} photographs, however they "
                "are turned, so they cannot be laid upon each other"
            )
        mean = aligned.mean(axis=0)
        return {unit: TuningCurve(self.angles, mean[:, at]) for at, unit in enumerate(self.units)}


def joint_tuning(
    network: Network,
    layer: str,
    unit: int,
    places: Sequence[Place],
    photographs: Any,
    *,
    units: Sequence[int] | None = None,
    step: float = 5.0,
    side: Tap = "post",
    beyond: Beyond = "reflection",
    window: bool = False,
    sight: Sight | None = None,
    batch: int | None = None,
    advance: Callable[[int], None] | None = None,
) -> JointTuning:
    """Turn photographs about the places that a unit fired at, and record `units`, by default all of the layer.

    `photographs` is a source, or a sequence of pictures, by the numbers in `places`. Each is turned by 0, `step`, ...
    degrees (1 in the article), about the middle of what the unit in the middle of the layer's map sees (`Sight`,
    measured unless it is given), at the scale that the network saw it at. `beyond` and `window` are those of `rotated`.
    `side` is the layer's output, "post", or what its rectifier is given, "pre". `batch` pictures go in a pass;
    `advance` is told how many photographs are done.

    Raises `LayerError` for a layer without maps, `PellucidError` for a step that does not divide the circle and without
    places, `ImagesError` for photographs that cannot be opened.
    """
    angles = turns(step)
    if not places:
        raise PellucidError(f"unit {layer}:{unit} has no photographs to turn; it may never have fired in the harvest")
    sight = sight or sights(network, [layer])[layer]
    known = network.spatial_layer(layer).channels
    recorded = list(range(known)) if units is None else list(dict.fromkeys([*units, unit]))
    if not all(0 <= one < known for one in (*recorded, unit)):
        raise PellucidError(f"layer {layer!r} of {network.name} has units 0 to {known - 1}, not {recorded} and {unit}")
    smaller = replace(network, size=sight.size)
    together = batch or at_once(network, sight.size)
    responses = np.empty((len(places), len(angles), len(recorded)), np.float32)
    for number, place in enumerate(places):
        photograph = open_photograph(photographs, place.image, network.channels)
        done = 0
        for some in batches(angles, together):
            pictures = rotated(
                photograph, place.centre, place.scale, some, sight.size, sight.centre, beyond=beyond, window=window,
                interpolation="bilinear" if network.interpolation == "bilinear" else "bicubic",
            )  # fmt: skip
            values = _middles(smaller, pictures.to(network.device, network.dtype), sight, side)
            responses[number, done : done + len(some)] = values[:, recorded].cpu().numpy()
            done += len(some)
        if advance is not None:
            advance(1)
    return JointTuning(layer, unit, tuple(recorded), np.array(angles), responses, tuple(places))


def joint_tunings(
    network: Network,
    layer: str,
    places: Mapping[int, Sequence[Place]],
    photographs: Any,
    *,
    progress: bool = False,
    **options: Any,
) -> dict[int, JointTuning]:
    """The joint tuning of several units of a layer, by the unit whose photographs (`places`) were turned.

    Further options are those of `joint_tuning`.
    """
    options["sight"] = options.get("sight") or sights(network, [layer])[layer]
    total = sum(len(some) for some in places.values())
    with progress_bar(f"turning photographs of {layer}", total, shown=progress) as advance:
        return {
            unit: joint_tuning(network, layer, unit, some, photographs, advance=advance, **options)
            for unit, some in places.items()
        }


def _middles(network: Network, pictures: torch.Tensor, sight: Sight, side: Tap) -> torch.Tensor:
    """What all units in the middle of the map give, (N, C)."""
    found = tapped(network, pictures, [sight.layer])
    return sight.of(found.get((sight.layer, side), found[sight.layer, "post"]))
