"""Simulated people with known accuracies and spreads: what an analysis must find again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import optimize, special

from pellucid.causal.analysis.crossed import Trials
from pellucid.causal.analysis.mixed import marginal
from pellucid.errors import PellucidError


@dataclass(frozen=True)
class People:
    """People whose logit of a right answer is that of their condition + a(person) + b(unit) + c(unit, condition).

    `accuracy` is each condition's mean over the populations of people and units. a, b and c are normal with standard
    deviations `person_sd`, `unit_sd` and `interaction_sd` on the logit; the first two are by default what was measured
    in the predecessor of Zimmermann et al. 2021. `within` says whether one person sees all conditions.
    Raises `PellucidError` for accuracies outside (0, 1), negative spreads, or no condition.
    """

    accuracy: Mapping[str, float]
    person_sd: float = 0.26
    unit_sd: float = 0.94
    interaction_sd: float = 0.0
    within: bool = False

    def __post_init__(self) -> None:
        if not self.accuracy or not all(0 < p < 1 for p in self.accuracy.values()):
            raise PellucidError(f"accuracies lie between 0 and 1 in one condition or more, not {dict(self.accuracy)}")
        if min(self.person_sd, self.unit_sd, self.interaction_sd) < 0:
            raise PellucidError("standard deviations of people and units are not negative")

    @cached_property
    def logits(self) -> dict[str, float]:
        """The logit of each condition for the median person and unit."""
        spread = float(np.sqrt(self.person_sd**2 + self.unit_sd**2 + self.interaction_sd**2))
        return {name: float(special.logit(p)) if not spread else _solve(p, spread) for name, p in self.accuracy.items()}

    def trials(self, people: int, units: int, rng: np.random.Generator) -> Trials:
        """Answers of so many people in each condition, each once about each of the same units."""
        if people < 2 or units < 2:
            raise PellucidError(f"two people and two units are the least, not {people} and {units}")
        conditions = tuple(self.accuracy)
        count = len(conditions)
        condition, person, unit = (
            one.ravel() for one in np.meshgrid(np.arange(count), np.arange(people), np.arange(units), indexing="ij")
        )
        if not self.within:
            person = person + condition * people
        a = rng.normal(0, self.person_sd, people * (1 if self.within else count))
        b = rng.normal(0, self.unit_sd, units)
        c = rng.normal(0, self.interaction_sd, (units, count))
        logits = np.array(list(self.logits.values()))[condition] + a[person] + b[unit] + c[unit, condition]
        right = (rng.random(len(logits)) < special.expit(logits)).astype(np.float64)
        return Trials(right, person, unit, condition, conditions)

    def frame(self, people: int, units: int, seed: int = 0) -> Any:
        """The same as a table of answers with sides, choices, confidences and times that have no meaning."""
        import pandas as pd

        rng = np.random.default_rng(seed)
        trials = self.trials(people, units, rng)
        count = len(trials.right)
        side = rng.choice(["left", "right"], count)
        other = np.where(side == "left", "right", "left")
        right = trials.right.astype(bool)
        order = np.zeros(count, np.int64)
        for one in np.unique(trials.person):
            mine = np.flatnonzero(trials.person == one)
            order[mine] = 1 + rng.permutation(len(mine))
        return pd.DataFrame(
            {
                "experiment": "simulated",
                "participant": [f"person-{one:04d}" for one in trials.person],
                "condition": [trials.conditions[one] for one in trials.condition],
                "kind": "main",
                "round": 0,
                "trial": order,
                "stimulus": [f"{one:016x}" for one in trials.unit],
                "layer": [f"layer{one % 9}" for one in trials.unit],
                "unit": [f"layer{one % 9}:{one}" for one in trials.unit],
                "image_set": 0,
                "relative_difference": 0.2 + 0.05 * trials.unit,
                "side": side,
                "choice": np.where(right, side, other),
                "correct": right,
                "confidence": rng.integers(1, 4, count),
                "rt_s": rng.lognormal(1.5, 0.5, count),
            }
        )


def _solve(accuracy: float, spread: float) -> float:
    found: Any = optimize.brentq(lambda logit: marginal(logit, spread) - accuracy, -60, 60)
    return float(found)
