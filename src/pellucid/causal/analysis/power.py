"""How many people and units an effect needs to be found, or to be ruled out: by simulation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pellucid.causal.analysis.comparison import tost
from pellucid.causal.analysis.crossed import contrast_of, estimate, score
from pellucid.causal.analysis.people import People
from pellucid.errors import PellucidError


@dataclass(frozen=True)
class Power:
    """For so many `people` in each condition and `units`: what a study of that size would find.

    `error` is the mean standard error of the difference. `power` is the share of simulations in which the interval of
    the difference leaves out 0, `power_low` and `power_high` Wilson's 95 % interval of it. `equivalence` is the share
    in which two one-sided tests find the difference to lie within the smallest effect, `coverage` the share in which
    the interval has the true one.
    """

    people: int
    units: int
    effect: float
    error: float
    power: float
    power_low: float
    power_high: float
    equivalence: float
    coverage: float


def power(
    model: People,
    people: Sequence[int],
    units: Sequence[int],
    *,
    smallest_effect: float = 0.05,
    alpha: float = 0.05,
    simulations: int = 500,
    seed: int = 0,
) -> tuple[Power, ...]:
    """Simulate studies of each size and test the difference of the model's first two conditions.

    Each study draws its own people and units from their populations; the test is Student's t with errors over people
    and units (`estimate`), and `tost`. With an effect of 0 `power` is the rate of false alarms, and `equivalence` the
    power to claim that there is no advantage. The same seed gives the same studies for each size, alone or in a table.
    Raises `PellucidError` for fewer than two conditions or no simulation.
    """
    conditions = tuple(model.accuracy)
    if len(conditions) < 2 or simulations < 1 or not 0 < alpha < 1:
        raise PellucidError(
            f"power is about two conditions, some simulations and an alpha in (0, 1), not {len(conditions)}, "
            f"{simulations} and {alpha:g}"
        )
    pair = People(
        {one: model.accuracy[one] for one in conditions[:2]},
        model.person_sd, model.unit_sd, model.interaction_sd, model.within,
    )  # fmt: skip
    truth = model.accuracy[conditions[0]] - model.accuracy[conditions[1]]
    found = []
    for m in units:
        for n in people:
            rng = np.random.default_rng([seed, n, m])
            errors, hits, same, covered = [], 0, 0, 0
            for _ in range(simulations):
                one = estimate(score(pair.trials(n, m, rng), contrast_of(*conditions[:2])))
                low, high = one.interval(1 - alpha)
                errors.append(one.error)
                hits += not low <= 0 <= high
                covered += low <= truth <= high
                same += tost(one, smallest_effect, alpha).equivalent
            ends = stats.binomtest(hits, simulations).proportion_ci(method="wilson")
            rates = hits / simulations, float(ends.low), float(ends.high), same / simulations, covered / simulations
            found.append(Power(n, m, truth, float(np.mean(errors)), *rates))
    return tuple(found)
