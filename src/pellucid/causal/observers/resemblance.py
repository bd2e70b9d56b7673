"""Observers that see what a person sees and choose by resemblance to the references."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from pellucid.causal.observers.observer import Verdict, Viewer
from pellucid.causal.observers.probability import TEMPERATURE, choice_probability
from pellucid.causal.observers.seen import Picture, Seen
from pellucid.causal.observers.similarity import Similarity


@dataclass(frozen=True)
class Resemblance(Viewer):
    """Chooses the query that looks more like what excites the unit.

    `looks_at="whole"` compares the queries themselves with the references, by the mean similarity; `"crop"` compares
    what is hidden, and chooses the query that hides what looks least like them. With `contrast` the similarity to
    minimally exciting pictures is subtracted, where none are shown that to base images of other trials; in a two-choice
    trial D+ - D- of the Machine Interpretability Score. The probability is sigmoid(difference / `temperature`).

    In the condition without references the base image stands in for them: people are told that it is a favorite too.
    Where there is none either, there is nothing to choose by.
    """

    similarity: Similarity
    looks_at: Literal["whole", "crop"] = "whole"
    contrast: bool = True
    temperature: float = TEMPERATURE

    @property
    def kind(self) -> str:
        """`whole`, `whole_pn`, `crop` or `crop_pn`: pn, positive and negative, is with contrast."""
        return f"{self.looks_at}{'_pn' if self.contrast else ''}"

    @property
    def name(self) -> str:
        """The kind and the similarity: `whole_pn-efficientnet_lite1`."""
        return f"{self.kind}-{self.similarity.name}"

    def describe(self) -> dict[str, Any]:
        """Its kind, similarity and temperature."""
        return {"kind": self.kind, "temperature": self.temperature, **self.similarity.describe()}

    def compare(self, seen: Seen) -> Verdict:
        """The resemblance of the first query minus that of the second."""
        if self.looks_at == "crop":
            base, (first, second) = seen.hidden()
            difference = self._resemblance(base.cut(second), seen) - self._resemblance(base.cut(first), seen)
        else:
            first, second = seen.queries
            difference = self._resemblance(first, seen) - self._resemblance(second, seen)
        return Verdict(difference, choice_probability(difference, self.temperature))

    def _resemblance(self, picture: Picture, seen: Seen) -> float:
        references = seen.references or (() if seen.base is None else (seen.base,))
        found = self._mean(picture, references)
        return found - self._mean(picture, seen.minimal or seen.background) if self.contrast and references else found

    def _mean(self, picture: Picture, others: tuple[Picture, ...]) -> float:
        if not others:
            return 0.0
        values = self.similarity(picture, others).tolist()
        return math.fsum(values) / len(values)
