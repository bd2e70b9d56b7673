"""Places of photographs: where a unit looked, and how large the network saw it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from pellucid.activations.harvested import Harvested, check_units
from pellucid.activations.items import view_of
from pellucid.activations.photographs import Spot
from pellucid.activations.views import Box, ViewPlan
from pellucid.errors import ImagesError, LayerError, PellucidError
from pellucid.networks import ReceptiveField

Size = tuple[int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """A point of a photograph, and the scale at which a network saw it.

    `image` is the photograph's number in its source. `centre` (y, x), in its own pixels from the middle of the first
    one, is the middle of what the unit saw. `scale` says how many of its pixels (vertical, horizontal) made one pixel
    of the network's picture. `value` is what the unit gave there.
    """

    image: int
    centre: Point
    scale: Point
    value: float = math.nan

    @classmethod
    def of(cls, image: int, view: Box, point: Point, size: Size, value: float = math.nan) -> "Place":
        """The place of the point (y, x) of a network's picture of `size` (height, width), cut from a `view`."""
        down, across = (view.bottom - view.top) / size[0], (view.right - view.left) / size[1]
        y, x = view.top + (point[0] + 0.5) * down - 0.5, view.left + (point[1] + 0.5) * across - 0.5
        return cls(image, (y, x), (down, across), value)


def best_places(
    spots: Sequence[Spot],
    *,
    photographs: Any,
    plan: ViewPlan,
    field: ReceptiveField,
    grid: Size,
    size: Size,
    count: int = 10,
) -> list[Place]:
    """The places of the first `count` of some spots, the highest first, at which a unit fired.

    A `Spot` names an item, a place in the map, counted row by row, and the activation there. `photographs` is the
    source, of which `plan` says how views are cut; the map had `grid` rows and columns in pictures of `size` (height,
    width), and its units the receptive field `field`. Photographs that cannot be opened are passed over. The list is
    empty for a unit that never fired. Raises `ImagesError` if none can be opened.
    """
    found: list[Place] = []
    reason = ""
    for spot in spots:
        if len(found) == count or not spot.value > 0:
            break
        try:
            photograph = photographs.open(spot.image)
            view = plan.boxes(photograph.size, photographs.name(spot.image))[view_of(spot.item)]
        except ImagesError as error:
            reason = str(error)
            continue
        position = spot.place // grid[1], spot.place % grid[1]
        found.append(Place.of(spot.image, view, looked_at(field, position, grid, size), size, spot.value))
    if reason and not found:
        raise ImagesError(f"none of the photographs that the unit fires at can be opened; {reason}")
    return found


def harvested_places(harvested: Harvested, units: Sequence[int], *, count: int = 10) -> dict[int, list[Place]]:
    """The places of up to `count` photographs that each of some units of a harvested layer fired at most.

    Raises `PellucidError` for a unit that never fired, `ObjectiveError` for one that the layer does not have,
    `LayerError` for a layer without maps, and `ImagesError` if the photographs are gone.
    """
    record, layer = harvested.record, harvested.layer
    if record.field is None:
        raise LayerError(
            f"the units of layer {layer!r} have no place in the picture, so nothing can be turned about what they see; "
            "choose a layer with maps"
        )
    check_units(layer, units, record.units)
    field = ReceptiveField(*(tuple(record.field[name]) for name in ("size", "offset", "stride", "whole")))
    highest, plan = harvested.summary(harvested.tap).highest, ViewPlan.read(harvested.study)
    found = {}
    for unit in units:
        found[unit] = best_places(
            Spot.all(highest, unit), photographs=harvested.source, plan=plan, field=field,
            grid=(record.rows, record.columns), size=record.input, count=count,
        )  # fmt: skip
        if not found[unit]:
            raise PellucidError(
                f"unit {layer}:{unit} never fired in the {record.images} photographs of the study in "
                f"{harvested.study.path}: none of them can be turned to see what it prefers"
            )
    return found


def looked_at(field: ReceptiveField, position: Size, grid: Size, size: Size) -> Point:
    """The middle (y, x) of what the unit at a row and column of the map sees, in pictures of `size`.

    Where units see a whole axis, it is the middle of their own part of it.
    """
    middle = field.center(*position)
    y, x = (
        (position[axis] + 0.5) * size[axis] / grid[axis] - 0.5 if field.whole[axis] else middle[axis] for axis in (0, 1)
    )
    return y, x


def open_photograph(photographs: Any, number: int, channels: int) -> Image.Image | Any:
    """A photograph of a source, or of a sequence of pictures."""
    return photographs.open(number, channels) if hasattr(photographs, "open") else photographs[number]
