"""Views: the boxes that are cut from an image to be shown to a network."""

import hashlib
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.activations.items import MOST_VIEWS
from pellucid.errors import ImagesError
from pellucid.study import Study

_OVERLAP = 0.5  # of neighbouring windows when an image is cut into several views
_SMALLEST = 0.4  # the side of a random crop, as a share of the shorter side


class Box(NamedTuple):
    """A box of an image in its own pixels."""

    left: int
    top: int
    right: int
    bottom: int


def views(size: tuple[int, int], crops: tuple[float, ...], center: float) -> list[Box]:
    """The boxes to cut from an image of (width, height).

    A crop of 1 is the network's own view: the middle square whose side is the share `center` of the shorter side. A
    smaller crop is a side as a share of the shorter one, cut in windows that overlap by about half and cover
    everything.
    """
    boxes = []
    for crop in crops:
        share = center if crop == 1 else crop
        side = max(1, round(share * min(size)))
        if crop == 1:
            left, top = (size[0] - side) // 2, (size[1] - side) // 2
            boxes.append(Box(left, top, left + side, top + side))
            continue
        for top in _starts(size[1], side):
            boxes.extend(Box(left, top, left + side, top + side) for left in _starts(size[0], side))
    return boxes


@dataclass(frozen=True)
class ViewPlan:
    """Which views are cut from every image, so that the box of a view can be found again from its number.

    `crops` are those of `views`, where `center` is the network's own crop; after them come `random` square crops of
    random size (a side of 0.4 to 1 of the shorter one) and place, which follow from `seed` and the image's name.
    """

    crops: tuple[float, ...] = (1.0,)
    center: float = 0.875
    random: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not all(0 < crop <= 1 for crop in self.crops) or self.random < 0 or not (self.crops or self.random):
            raise ImagesError(
                f"crops = {self.crops} must lie in (0, 1], random = {self.random} must not be negative, and there must "
                "be a view at least"
            )

    @classmethod
    def read(cls, study: Study) -> "ViewPlan":
        """The plan that a study was harvested with."""
        images, network = study.manifest.images, study.manifest.network
        return cls(
            tuple(images.get("crops", (1.0,))),
            network.get("crop", cls.center),
            images.get("random_crops", 0),
            images.get("crop_seed", 0),
        )

    def describe(self) -> dict[str, Any]:
        """What a study's manifest says of the views; the share `center` stands with the network."""
        random = {"random_crops": self.random, "crop_seed": self.seed} if self.random else {}
        return {"crops": list(self.crops), **random}

    def boxes(self, size: tuple[int, int], name: str) -> list[Box]:
        """The boxes of an image of (width, height), by the numbers of its views."""
        found = views(size, self.crops, self.center)
        found += [self._random(size, name, number) for number in range(self.random)]
        if len(found) >= MOST_VIEWS:
            raise ImagesError(f"{name}: {len(found)} views of one image are too many; give larger crops")
        return found

    def _random(self, size: tuple[int, int], name: str, number: int) -> Box:
        seed = hashlib.sha256(f"{self.seed}|{name}|{number}".encode()).digest()
        draw = np.random.default_rng(int.from_bytes(seed[:8], "big"))
        side = max(1, round(min(size) * draw.uniform(_SMALLEST, 1)))
        left, top = (int(draw.integers(0, length - side + 1)) for length in size)
        return Box(left, top, left + side, top + side)


def _starts(length: int, side: int) -> list[int]:
    steps = math.ceil((length - side) / (side * _OVERLAP)) if length > side else 0
    return [round(step * (length - side) / steps) for step in range(steps + 1)] if steps else [0]
