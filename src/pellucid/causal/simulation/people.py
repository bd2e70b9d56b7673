"""Simulated people: how likely each chooses the larger query."""

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pellucid.causal.simulation.key import Seen
from pellucid.errors import StudyError
from pellucid.study.experiments import CONDITIONS, Answer, Observed, Stimuli


class SimulatedPeople(ABC):
    """People who answer by chance, each trial with a probability of their own."""

    @abstractmethod
    def probability(self, seen: Seen, person: int) -> float:
        """How likely the person of that number chooses the larger query, from 0 to 1."""


@dataclass(frozen=True)
class Oracle(SimulatedPeople):
    """Knows the activations: always right."""

    def probability(self, seen: Seen, person: int) -> float:
        """Always 1."""
        return 1.0


@dataclass(frozen=True)
class AtRandom(SimulatedPeople):
    """Tosses a coin."""

    def probability(self, seen: Seen, person: int) -> float:
        """Always 0.5."""
        return 0.5


@dataclass(frozen=True)
class Always(SimulatedPeople):
    """Chooses one side, whatever there is."""

    side: str = "left"

    def probability(self, seen: Seen, person: int) -> float:
        """1 where the larger query stands on the side, else 0."""
        return float(seen.larger == self.side)


@dataclass(frozen=True)
class Biased(SimulatedPeople):
    """Right with the probability of the condition, which persons and units shift on the logit.

    `share` is that of a person and unit of shift 0: by default 0.67 with references and 0.60 without, what Zimmermann
    et al. 2021 found. Shifts are normal with standard deviations `person_sd` and `unit_sd`, as a mixed model found them
    in the answers of Borowski et al. 2021. A unit's shift is the same for all people and conditions.
    """

    share: Mapping[str, float] = field(
        default_factory=lambda: {one: 0.6 if one == "none" else 0.67 for one in CONDITIONS}
    )
    person_sd: float = 0.26
    unit_sd: float = 0.94
    seed: int = 0

    def probability(self, seen: Seen, person: int) -> float:
        """The logistic function of the sum of the condition's logit and both shifts; practice is always right."""
        if seen.practice:  # who goes on has passed it
            return 1.0
        share = self.share[seen.condition]
        shift = self.person_sd * self._normal(f"person {person}") + self.unit_sd * self._normal(seen.stimulus.address)
        return 1 / (1 + math.exp(-(math.log(share / (1 - share)) + shift)))

    def _normal(self, who: str) -> float:
        return random.Random(f"{self.seed} {who}").gauss(0, 1)


@dataclass(frozen=True)
class Recorded(SimulatedPeople):
    """Answers what an observer answered: with its probability where it gave one, else as often right as it was."""

    observed: Observed

    @cached_property
    def _known(self) -> dict[tuple[str, str], Answer]:
        return {(one.stimulus, one.condition): one for one in self.observed.answers}

    def probability(self, seen: Seen, person: int) -> float:
        """The observer's probability. What it was not asked, such as practice, is answered right."""
        answer = self._known.get((seen.stimulus.id, seen.condition))
        if answer is None:
            return 1.0
        return answer.right if answer.probability is None else answer.probability


NAMED: dict[str, type[SimulatedPeople]] = {"oracle": Oracle, "random": AtRandom, "left": Always, "biased": Biased}
"""Those that a command names."""


def people_named(name: str, stimuli: Stimuli) -> SimulatedPeople:
    """Simulated people by their name, or who answer as an observer's record in a file.

    Raises `StudyError` if it is neither, or if the record is of other stimuli.
    """
    if name in NAMED:
        return NAMED[name]()
    path = Path(name)
    if not path.is_file():
        raise StudyError(f"{name!r} is neither of {', '.join(NAMED)}, nor a file of an observer's answers")
    observed = Observed.read(path)
    if observed.stimuli_digest != stimuli.digest():
        raise StudyError(f"{name} has answers to other stimuli than those of the experiment {stimuli.name}")
    return Recorded(observed)
