"""What a person sees of a trial, as a type: pictures and where something is hidden, and nothing of the activations."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.errors import StudyError
from pellucid.study.experiments import Stimuli, Stimulus
from pellucid.study.experiments.stimuli import picture_path

Patch = tuple[int, int, int, int]  # top, left, height and width in pixels


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture under its opaque name: 8-bit RGB `pixels` (H, W, 3)."""

    name: str
    pixels: NDArray[np.uint8]

    @cached_property
    def digest(self) -> str:
        """The sha256 of its pixels and their shape: equal pictures have the same one, whatever their names."""
        return hashlib.sha256(repr(self.pixels.shape).encode() + self.pixels.tobytes()).hexdigest()

    def cut(self, patch: Patch) -> "Picture":
        """What lies under a patch, as a picture. Raises `StudyError` where nothing does."""
        return Picture(f"{self.name}@{patch}", inside(self.pixels, patch))


def inside(values: NDArray, patch: Patch) -> NDArray:
    """The part (h, w, ...) of an array (H, W, ...) under a patch. Raises `StudyError` if it sticks out of the array."""
    top, left, height, width = patch
    if min(top, left) < 0 or min(height, width) < 1 or top + height > len(values) or left + width > values.shape[1]:
        raise StudyError(f"a patch at {patch} does not lie in a picture of {len(values)}x{values.shape[1]} pixels")
    return values[top : top + height, left : left + width]


@dataclass(frozen=True, eq=False)
class Seen:
    """One trial before the answer: two `queries`, of which nobody has said which is the larger one.

    `base` is the picture that both were made of and `patches` what is hidden of it in the first and in the second; both
    are None where the queries are pictures of their own. `references` excite the unit most and `minimal` least; either
    may be empty. `background` are base images, or queries, of the other trials: what pictures are like in general.
    """

    queries: tuple[Picture, Picture]
    base: Picture | None = None
    patches: tuple[Patch, Patch] | None = None
    references: tuple[Picture, ...] = ()
    minimal: tuple[Picture, ...] = ()
    background: tuple[Picture, ...] = ()

    def swapped(self) -> "Seen":
        """The same trial with the queries in the other order."""
        patches = None if self.patches is None else (self.patches[1], self.patches[0])
        return replace(self, queries=(self.queries[1], self.queries[0]), patches=patches)

    def hidden(self) -> tuple[Picture, tuple[Patch, Patch]]:
        """The base image and the patches. Raises `StudyError` for queries with nothing hidden."""
        if self.base is None or self.patches is None:
            raise StudyError("this observer looks at what is hidden of a base image, and in these trials nothing is")
        return self.base, self.patches


@dataclass(frozen=True, eq=False)
class Showing:
    """Shows the trials of an experiment in `folder`; pictures are read once, of which the last 1,000 are kept."""

    folder: Path
    stimuli: Stimuli
    _read: dict[str, Picture] = field(default_factory=dict, init=False, repr=False)

    def picture(self, name: str) -> Picture:
        """A picture by its name. Raises `StudyError` if it cannot be read."""
        if name not in self._read:
            path = picture_path(self.folder, name)
            try:
                with Image.open(path) as image:
                    pixels = np.asarray(image.convert("RGB"))
            except OSError as error:
                raise StudyError(f"{path} cannot be read as a picture: {error}") from error
            if len(self._read) >= 1000:
                del self._read[next(iter(self._read))]
            self._read[name] = Picture(name, pixels)
        return self._read[name]

    def trial(self, stimulus: Stimulus, condition: str, *, swap: bool) -> Seen:
        """What a person sees of a stimulus in a condition. The larger query is the first one unless `swap`."""
        queries = (stimulus.smaller, stimulus.larger) if swap else (stimulus.larger, stimulus.smaller)
        first, second = queries
        patches = None if first.patch is None or second.patch is None else (first.patch, second.patch)
        own = {query.picture for query in (stimulus.base, *queries) if query is not None}
        own |= {query.picture for query in self._general if query.photograph in self._photographs(stimulus)}
        return Seen(
            (self.picture(first.picture), self.picture(second.picture)),
            None if stimulus.base is None else self.picture(stimulus.base.picture),
            patches,
            self._all(stimulus.references.get(condition, ())),
            self._all(stimulus.minimal.get(condition, ())),
            self._all({query.picture for query in self._general} - own),
        )

    def _all(self, names: tuple[str, ...] | set[str]) -> tuple[Picture, ...]:
        return tuple(self.picture(name) for name in sorted(names))  # an order that tells nothing

    @staticmethod
    def _photographs(stimulus: Stimulus) -> set[str]:
        asked = (stimulus.base, stimulus.larger, stimulus.smaller)
        return {query.photograph for query in asked if query is not None and query.photograph}

    @cached_property
    def _general(self):
        main = self.stimuli.of_role("main")
        bases = [one.base for one in main if one.base is not None]
        return bases or [query for one in main for query in (one.larger, one.smaller)]
