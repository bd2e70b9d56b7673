"""Observers that look at no reference: the oracle, the random one, and two that look at the hidden patches alone."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.causal.observers.observer import Informant, Verdict, Viewer
from pellucid.causal.observers.seen import Patch, Seen, inside
from pellucid.study.experiments import Stimulus


@dataclass(frozen=True)
class Oracle(Informant):
    """Answers by the stored activations: always right."""

    @property
    def name(self) -> str:
        """`oracle`."""
        return "oracle"

    def describe(self) -> dict[str, Any]:
        """Its kind."""
        return {"kind": "oracle"}

    def judge(self, stimulus: Stimulus) -> Verdict:
        """The difference of the activations."""
        return Verdict(stimulus.larger.activation - stimulus.smaller.activation, 1.0)


@dataclass(frozen=True)
class Random(Viewer):
    """Tosses a coin for each trial, by `seed` and what is shown, so that it answers the same trial always alike."""

    seed: int = 0

    @property
    def name(self) -> str:
        """`random`."""
        return "random"

    def describe(self) -> dict[str, Any]:
        """Its kind and seed."""
        return {"kind": "random", "observer_seed": self.seed}

    def compare(self, seen: Seen) -> Verdict:
        """One or the other with equal probability."""
        first, second = (picture.name for picture in seen.queries)
        shown = [*sorted((first, second)), *sorted(picture.name for picture in seen.references)]
        heads = hashlib.sha256("|".join([str(self.seed), *shown]).encode()).digest()[0] & 1
        return Verdict(1.0 if (first < second) == bool(heads) else -1.0, 0.5)


@dataclass(frozen=True)
class Centre(Viewer):
    """Chooses the query whose patch is farther from the middle of the picture: what is central is taken to matter.

    The centre baseline of Zimmermann et al. 2021. The evidence is the difference of the distances, in pixels, between
    the patches' centres and the picture's. A tie is one here; in their code it counts as wrong.
    """

    @property
    def name(self) -> str:
        """`centre`."""
        return "centre"

    def describe(self) -> dict[str, Any]:
        """Its kind."""
        return {"kind": "centre"}

    def compare(self, seen: Seen) -> Verdict:
        """Distance of the first patch minus that of the second."""
        base, (first, second) = seen.hidden()
        height, width = base.pixels.shape[:2]

        def squared(patch: Patch) -> int:  # of twice the distance: whole numbers, so that ties are exact
            top, left, high, wide = patch
            return (2 * top + high - height) ** 2 + (2 * left + wide - width) ** 2

        return Verdict((squared(first) ** 0.5 - squared(second) ** 0.5) / 2)


@dataclass(frozen=True)
class Variance(Viewer):
    """Chooses the query whose patch hides less variance: what is textured is taken to matter.

    The variance baseline of Zimmermann et al. 2021: the standard deviation over pixels and channels of the base image,
    in [0, 1], under the patch.
    """

    @property
    def name(self) -> str:
        """`variance`."""
        return "variance"

    def describe(self) -> dict[str, Any]:
        """Its kind."""
        return {"kind": "variance"}

    def compare(self, seen: Seen) -> Verdict:
        """Deviation under the second patch minus that under the first."""
        base, patches = seen.hidden()
        first, second = (float(np.std(inside(base.pixels, patch) / 255.0)) for patch in patches)
        return Verdict(second - first)
