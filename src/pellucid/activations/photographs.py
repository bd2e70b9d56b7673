"""Showing places of images: each photograph is opened once, and what many units see of it is cut from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.activations.crops import GREY, Field, context_box, outline, picture
from pellucid.activations.fingerprints import Fingerprint
from pellucid.activations.items import image_of, view_of
from pellucid.activations.summary.ranking import Ranking
from pellucid.activations.summary.samples import BinSamples
from pellucid.activations.views import Box, ViewPlan
from pellucid.errors import ImagesError
from pellucid.pictures import Pixels


@dataclass(frozen=True)
class Spot:
    """One place of one item and the activation there."""

    item: int
    place: int
    value: float

    @property
    def image(self) -> int:
        """The number of its image in the source."""
        return image_of(self.item)

    @classmethod
    def all(cls, some: Ranking | BinSamples, index: Any) -> "list[Spot]":
        """Those that `index` picks of a ranking or of samples, without the missing ones, in their order."""
        items, places, values = (getattr(some, name)[index].ravel() for name in ("items", "places", "values"))
        there = items >= 0
        return [cls(*spot) for spot in zip(*(array[there].tolist() for array in (items, places, values)), strict=True)]


@dataclass(frozen=True, eq=False)
class Shown:
    """A spot as pictures.

    `name` and `label` are those of the photograph (the label empty where it is unknown), `place` row and column of the
    map, `field` the unit's receptive field in the photograph's pixels, `crop` a square picture of it, `context` a
    larger one around it in which the field has the `outline` (left, top, right, bottom as shares). A photograph that
    could not be opened is grey, and `error` says why.
    """

    name: str
    label: str
    value: float
    place: tuple[int, int]
    field: Box | None
    crop: Pixels
    context: Pixels
    outline: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    error: str = ""


@dataclass(frozen=True)
class Photographs:
    """The photographs of a study, seen as the units of one layer see them.

    `crop` and `context` are the sides of the pictures in pixels, 0 for none. `prints` collects the fingerprints of the
    photographs that were opened.
    """

    source: Any
    plan: ViewPlan
    receptive_field: Field
    crop: int
    context: int
    prints: dict[int, Fingerprint] = field(default_factory=dict)

    def show(self, spots: Sequence[Spot], advance: Callable[[int], None]) -> list[Shown]:
        """The pictures of some spots, in their order; the photographs are opened in theirs, each once."""
        by_image: dict[int, list[int]] = {}
        for number, spot in enumerate(spots):
            by_image.setdefault(spot.image, []).append(number)
        shown: dict[int, Shown] = {}
        for image in sorted(by_image):
            some = [spots[number] for number in by_image[image]]
            shown.update(zip(by_image[image], self._of_image(image, some), strict=True))
            advance(len(some))
        return [shown[number] for number in range(len(spots))]

    def _of_image(self, image: int, spots: list[Spot]) -> list[Shown]:
        label = self._label(image)
        try:
            name = self.source.name(image)
            photograph = self.source.open(image, 3)
        except ImagesError as error:
            return [self._missing(spot, self._name(image), label, str(error)) for spot in spots]
        self.prints[image] = Fingerprint.of(photograph)
        boxes = self.plan.boxes(photograph.size, name)
        # Units may see the same, and what lies around it is the same for many.
        crops: dict[Box, Pixels] = {}
        contexts: dict[Box, Pixels] = {}
        found = []
        for spot in spots:
            view = boxes[view_of(spot.item)]
            place = self.receptive_field.place(spot.place)
            seen, around = self.receptive_field.box(place, view), context_box(view, photograph.size)
            if seen not in crops:
                crops[seen] = picture(photograph, seen, self.crop)
            if around not in contexts:
                contexts[around] = picture(photograph, around, self.context)
            shares = outline(seen, around)
            found.append(Shown(name, label, spot.value, place, seen, crops[seen], contexts[around], shares))
        return found

    def _missing(self, spot: Spot, name: str, label: str, reason: str) -> Shown:
        crop, context = (np.full((size, size, 3), GREY, np.uint8) for size in (self.crop, self.context))
        return Shown(name, label, spot.value, self.receptive_field.place(spot.place), None, crop, context, error=reason)

    def _name(self, image: int) -> str:
        try:
            return self.source.name(image)
        except ImagesError:
            return f"image {image}"

    def _label(self, image: int) -> str:
        number = self.source.label(image) if self.source.classes else -1
        return self.source.classes[number] if number >= 0 else ""
