"""Comparisons of two conditions: difference, intervals, tests, and equivalence."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from pellucid.causal.analysis.bootstrap import people_bootstrap
from pellucid.causal.analysis.crossed import Estimate, Floats
from pellucid.errors import PellucidError


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests of whether a difference lies within ± `smallest_effect`.

    `p` is the larger of both p-values, `low` and `high` the 1 - 2 alpha interval: it lies within the bounds exactly if
    p < alpha, which is then `equivalent`.
    """

    smallest_effect: float
    p: float
    low: float
    high: float
    equivalent: bool


def tost(difference: Estimate, smallest_effect: float, alpha: float = 0.05) -> Equivalence:
    """Test equivalence (Schuirmann 1987) with the standard error over people and units, and Student's t.

    Raises `PellucidError` unless the smallest effect is above 0.
    """
    if not smallest_effect > 0:
        raise PellucidError(f"the smallest effect of interest must be above 0, not {smallest_effect:g}")
    low, high = difference.interval(1 - 2 * alpha)
    if not difference.error:
        p = 0.0 if abs(difference.value) < smallest_effect else 1.0
        return Equivalence(smallest_effect, p, low, high, p < alpha)
    above = stats.t.sf((difference.value + smallest_effect) / difference.error, difference.df)
    below = stats.t.cdf((difference.value - smallest_effect) / difference.error, difference.df)
    p = float(max(above, below))
    return Equivalence(smallest_effect, p, low, high, p < alpha)


@dataclass(frozen=True)
class PeopleTest:
    """Tests of people's accuracies in two conditions, with these very units, and an interval of the difference.

    Where all people saw both conditions (`paired`), `rank_p` is of Wilcoxon's signed-rank test and `t_p` of the paired
    t test; else of Mann and Whitney's, and Welch's. None where all differences are the same. `low` and `high` are
    percentiles of the difference of means with people drawn again.
    """

    paired: bool
    rank_p: float | None
    t_p: float | None
    low: float
    high: float


def people_test(frame: pd.DataFrame, first: str, second: str, *, resamples: int = 2000, seed: int = 0) -> PeopleTest:
    """Compare people's accuracies in two conditions.

    What is generalized to are people alone, not units. Raises `PellucidError` if fewer than two people saw each.
    """
    rows: Any = frame
    one, two = (rows[rows["condition"] == name].groupby("participant")["correct"].mean() for name in (first, second))
    if min(len(one), len(two)) < 2:
        raise PellucidError(f"tests of {first} against {second} need two people in each, not {len(one)} and {len(two)}")
    if set(one.index) == set(two.index):
        gap = (one - two.loc[one.index]).to_numpy()
        low, high = people_bootstrap(gap, resamples=resamples, seed=seed)
        if np.ptp(gap) < 1e-12:
            return PeopleTest(True, None, None, low, high)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of ties, where the exact distribution gives way to the normal one
            rank = stats.wilcoxon(np.round(gap, 12))
        return PeopleTest(True, _p(rank), _p(stats.ttest_rel(one, two.loc[one.index])), low, high)
    x, y = one.to_numpy(), two.to_numpy()
    low, high = _unpaired(x, y, resamples, seed)
    if np.ptp(np.concatenate([x, y])) < 1e-12 or (np.ptp(x) < 1e-12 and np.ptp(y) < 1e-12):
        return PeopleTest(False, None, None, low, high)
    return PeopleTest(False, _p(stats.mannwhitneyu(x, y)), _p(stats.ttest_ind(x, y, equal_var=False)), low, high)


def _p(result: Any) -> float:
    return float(result.pvalue)


def _unpaired(x: Floats, y: Floats, resamples: int, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    means = [some[rng.integers(len(some), size=(resamples, len(some)))].mean(axis=1) for some in (x, y)]
    low, high = np.quantile(means[0] - means[1], [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class MarginalEffect:
    """The difference of two conditions' logits, averaged over people: value, robust standard error, interval and p."""

    value: float
    error: float
    low: float
    high: float
    p: float


def gee(frame: pd.DataFrame, first: str, second: str) -> MarginalEffect | None:
    """Fit logit P(right) by condition with generalized estimating equations, answers of a person equally correlated.

    The standard error is Liang and Zeger's (1986) robust one over people; units count as all there are. None where a
    condition has only right or only wrong answers, so that its logit is infinite.
    """
    import statsmodels.api as sm

    rows: Any = frame[frame["condition"].isin([first, second])]
    means = rows.groupby("condition")["correct"].mean()
    if len(means) < 2 or not ((means > 0) & (means < 1)).all():
        return None
    rows = rows.sort_values("participant", kind="stable")
    x = np.column_stack([np.ones(len(rows)), (rows["condition"] == first).to_numpy(float)])
    model = sm.GEE(
        rows["correct"].to_numpy(float), x, groups=rows["participant"].to_numpy(str),
        family=sm.families.Binomial(), cov_struct=sm.cov_struct.Exchangeable(),
    )  # fmt: skip
    fit: Any = model.fit()
    value, error = float(fit.params[1]), float(fit.bse[1])
    low, high = value - stats.norm.ppf(0.975) * error, value + stats.norm.ppf(0.975) * error
    return MarginalEffect(value, error, float(low), float(high), float(fit.pvalues[1]))
