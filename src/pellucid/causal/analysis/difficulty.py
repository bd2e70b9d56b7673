"""Accuracy against the relative activation difference: are pairs that the unit tells apart easier for people too?"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from pellucid.causal.analysis.accuracy import two_sem

BINS = 5


@dataclass(frozen=True)
class Bin:
    """Stimuli of like relative difference: its range and mean, people's mean accuracy on them, and twice its error."""

    low: float
    high: float
    mean: float
    stimuli: int
    trials: int
    accuracy: float
    two_sem: float


@dataclass(frozen=True)
class Difficulty:
    """For a condition: five bins of equally many stimuli, rank correlation, and a psychometric function.

    `spearman` is between the stimuli's relative differences and accuracies, `p` its p-value. The psychometric function
    is logit P(right) = `intercept` + `slope` log2(relative difference): `slope` is what a doubling of the difference
    adds, with a standard error robust to answers of one person being alike, and `threshold` the difference at which
    75 % are right. It has no guessing rate, since people can be wrong more often than by chance. None if it cannot be
    fitted, or accuracy does not rise.
    """

    condition: str
    bins: tuple[Bin, ...]
    spearman: float | None
    p: float | None
    intercept: float | None
    slope: float | None
    slope_error: float | None
    threshold: float | None


def difficulties(frame: pd.DataFrame, bins: int = BINS) -> tuple[Difficulty, ...]:
    """Accuracy against relative difference in each condition; stimuli without one are left out."""
    known: Any = frame[frame["relative_difference"].notna() & (frame["relative_difference"] > 0)]
    return tuple(_of_condition(str(name), some, bins) for name, some in known.groupby("condition", sort=False))


def _of_condition(condition: str, frame: Any, bins: int) -> Difficulty:
    stimulus = stimulus_of(frame)
    each = frame.groupby(stimulus).agg(x=("relative_difference", "first"), right=("correct", "mean"))
    rank = each["x"].rank(method="first").to_numpy() - 1
    number = pd.Series((rank * min(bins, len(each)) // len(each)).astype(int), index=each.index)
    of_bin = stimulus.map(number)
    made = []
    for here in range(min(bins, len(each))):
        some, x = frame[of_bin == here], each["x"][number == here]
        mean, error = two_sem(some.groupby("participant")["correct"].mean())
        made.append(Bin(float(x.min()), float(x.max()), float(x.mean()), len(x), len(some), mean, error))
    spearman = p = None
    if each["x"].nunique() > 1 and each["right"].nunique() > 1:
        correlation: Any = stats.spearmanr(each["x"], each["right"])
        spearman, p = float(correlation.statistic), float(correlation.pvalue)
    return Difficulty(condition, tuple(made), spearman, p, *_psychometric(frame))


def stimulus_of(frame: Any) -> Any:
    """What was shown in each row: its stimulus, or where that is not known its unit and image set."""
    return frame["stimulus"].fillna(frame["unit"] + "/" + frame["image_set"].astype(str))


def _psychometric(frame: Any) -> tuple[float | None, float | None, float | None, float | None]:
    import statsmodels.api as sm

    x = np.log2(frame["relative_difference"].to_numpy(float))
    right = frame["correct"].to_numpy(float)
    groups = np.unique(frame["participant"].to_numpy(str), return_inverse=True)[1]
    if np.ptp(x) == 0 or np.ptp(right) == 0 or len(np.unique(groups)) < 2:
        return None, None, None, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of separation: such a fit does not converge, and is left out
        model = sm.GLM(right, sm.add_constant(x), family=sm.families.Binomial())
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    if not fit.converged or not np.isfinite(fit.bse).all() or abs(fit.params[1]) > 20:
        return None, None, None, None
    a, b = (float(one) for one in fit.params)
    threshold = float(2 ** ((np.log(3) - a) / b)) if b > 0 and abs((np.log(3) - a) / b) < 60 else None
    return a, b, float(fit.bse[1]), threshold
