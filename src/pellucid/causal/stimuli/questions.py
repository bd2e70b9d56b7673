"""Questions about a unit: two pictures whose activations differ, measured from the pictures as they are written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.causal.stimuli.activity import UnitActivity
from pellucid.causal.stimuli.config import StimuliConfig
from pellucid.causal.stimuli.image_sets import ImageSet
from pellucid.causal.stimuli.kept import kept
from pellucid.causal.stimuli.pairs import pairs
from pellucid.causal.stimuli.patches import Patch, blurred_away, filled, pixels_of, starts
from pellucid.causal.stimuli.photograph_activity import PhotographViews
from pellucid.causal.stimuli.scan import Scan, answers, reveal, scan
from pellucid.causal.stimuli.units import Notes
from pellucid.causal.stimuli.written import Picture
from pellucid.errors import ObjectiveError
from pellucid.networks import Network

_TRIES = 8  # pairs of one photograph that are written and measured again before the next photograph is taken


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture, what it was made of, and the activation that was measured from it as it is written."""

    picture: Picture
    activation: float
    photograph: int
    patch: Patch | None = None


@dataclass(frozen=True, eq=False)
class Question:
    """Which of two pictures does the unit respond to more? `base` is what both were before a patch was covered."""

    larger: Shown
    smaller: Shown
    base: Shown | None
    rank: int

    @property
    def relative_difference(self) -> float:
        """(larger - smaller) / |base|, or of |larger| where there is no base."""
        whole = abs((self.base or self.larger).activation)
        return (self.larger.activation - self.smaller.activation) / whole if whole else float("nan")


@dataclass(frozen=True, eq=False)
class UnitQuestions:
    """Makes questions about one unit; scans are kept in `folder`."""

    network: Network
    layer: str
    unit: int
    views: PhotographViews
    config: StimuliConfig
    folder: Path
    notes: Notes
    advance: Callable[[int], None] = lambda _amount: None

    @property
    def respond(self) -> UnitActivity:
        """The unit."""
        return UnitActivity(self.network, self.layer, self.unit, self.config.summary)

    def ask(self, images: ImageSet, opposite: ImageSet | None = None) -> Question:
        """The question of an image set; of a two-choice task the weak query is that of the `opposite` set.

        Raises `ObjectiveError` if no photograph of the set gives one that obeys the limits.
        """
        made = self._occluded(images) if self.config.task == "counterfactual" else self._natural(images, opposite)
        self.advance(1)
        if made is None:
            raise ObjectiveError(
                f"no photograph of image set {images.number} of {self.layer}:{self.unit} gives a pair with a relative "
                f"difference of {self.config.min_difference:g} and an overlap up to {self.config.max_overlap:g} that "
                "outlasts 8 bits; loosen these limits, give fewer image sets, or choose another unit"
            )
        return made

    def scanned(self, photograph: int) -> Scan:
        """The occlusion scan of a photograph."""
        image = self.views.load(photograph)
        how = {"side": self.config.side, "stride": self.config.stride, "batch": self.config.batch}
        return self._kept_scan(
            {**how, "fill": self.config.fill, "what": "scan"}, photograph,
            lambda: scan(self.respond, image, fill=self.config.fill, **how), self.config.stride,
        )  # fmt: skip

    def revealed(self, photograph: int, blurred: Tensor, *, stride: int) -> Scan:
        """The scan in which all but a patch of a photograph is blurred."""
        image = self.views.load(photograph)
        how = {"side": self.config.side, "stride": stride, "batch": self.config.batch}
        return self._kept_scan(
            {**how, "what": "reveal"}, photograph, lambda: reveal(self.respond, image, blurred, **how), stride
        )

    def measured(self, images: Sequence[Tensor]) -> list[float]:
        """The activations of images (C, H, W)."""
        batches = [torch.stack(list(images[at : at + 4])) for at in range(0, len(images), 4)]
        return [float(value) for some in answers(self.respond, batches) for value in some]

    def hardly(self, question: Question, photographs: Sequence[int]) -> Question | None:
        """The same question with a smaller query of a photograph to which the unit hardly responds, as is obvious.

        It is occluded where the former was. None if with none of the photographs the difference is at least as it was.
        """
        patch = question.smaller.patch
        best = None
        for photograph in photographs:
            image = self.views.load(photograph)
            picture = Picture.of(image if patch is None else self._covered(image, patch))
            value = self.measured([picture.image])[0]
            if best is None or value < best.activation:
                best = Shown(picture, value, photograph, patch)
            if value < 0.1 * question.larger.activation:
                break
        if best is None or best.activation > question.smaller.activation:
            return None
        return replace(question, smaller=best)

    def _occluded(self, images: ImageSet) -> Question | None:
        for photograph, rank in zip(images.queries, images.ranks, strict=True):
            image, found = self.views.load(photograph), self.scanned(photograph)
            limits = {"min_difference": self.config.min_difference, "max_overlap": self.config.max_overlap}
            for number, pair in enumerate(islice(pairs(found, **limits), _TRIES)):
                written = [
                    Picture.of(one)
                    for one in (image, self._covered(image, pair.larger), self._covered(image, pair.smaller))
                ]
                values = self.measured([one.image for one in written])
                base, larger, smaller = (
                    Shown(picture, value, photograph, patch)
                    for picture, value, patch in zip(written, values, (None, pair.larger, pair.smaller), strict=True)
                )
                question = Question(larger, smaller, base, rank)
                if self._holds(question):
                    return question
                self._note(images, f"pair {number + 1} lost its order or its difference when it was written")
            self._note(images, f"photograph {self.views.source.name(photograph)} gives no pair within the limits")
        return None

    def _natural(self, images: ImageSet, opposite: ImageSet | None) -> Question | None:
        assert opposite is not None, "a two-choice task has a weak query"
        for photograph, other, rank in zip(images.queries, opposite.queries, images.ranks, strict=False):
            written = [Picture.of(self.views.load(one)) for one in (photograph, other)]
            values = self.measured([one.image for one in written])
            larger, smaller = (Shown(*one) for one in zip(written, values, (photograph, other), strict=True))
            question = Question(larger, smaller, None, rank)
            if self._holds(question):
                return question
            self._note(images, "its two photographs differ too little")
        return None

    def _holds(self, question: Question) -> bool:
        more = question.larger.activation > question.smaller.activation
        return more and bool(question.relative_difference >= self.config.min_difference)

    def _covered(self, image: Tensor, patch: Patch) -> Tensor:
        background = blurred_away(image, patch.height) if self.config.fill == "blur" else None
        return filled(image, patch, self.config.fill, background)

    def _note(self, images: ImageSet, text: str) -> None:
        self.notes.add(f"{self.layer}:{self.unit}, image set {images.number}: {text}; the next one is taken")

    def _kept_scan(self, how: dict[str, Any], photograph: int, make: Callable[[], Scan], stride: int) -> Scan:
        size = tuple(self.views.load(photograph).shape[1:])
        about = {
            **how, "network": self.network.describe(), "layer": self.layer, "unit": self.unit,
            "summary": self.config.summary, "photograph": self.views.source.name(photograph),
            "images": self.views.source.describe()["digest"],
        }  # fmt: skip

        def arrays() -> dict[str, np.ndarray]:
            found = make()
            return {"activations": found.activations, "base": np.array(found.base)}

        found = kept(self.folder, about, arrays)
        side = pixels_of(self.config.side, (size[0], size[1]))
        tops, lefts = (tuple(starts(length, side, stride)) for length in size)
        return Scan(found["activations"], float(found["base"]), tops, lefts, side)
