"""Whether people, and observers without eyes, are right about the same stimuli."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pellucid.causal.analysis.crossed import Floats
from pellucid.causal.analysis.difficulty import stimulus_of
from pellucid.errors import PellucidError
from pellucid.study.experiments import Observed


@dataclass(frozen=True, eq=False)
class Raters:
    """Who was right about what: `right` (R, S) is 1, 0, or NaN where a rater did not see a stimulus."""

    names: tuple[str, ...]
    right: Floats


@dataclass(frozen=True)
class Agreement:
    """Mean Cohen's kappa over pairs of a rater of the `first` and one of the `second`, and twice its standard error.

    Each is a condition, for the people in it, or "observer in condition". Pairs share people, so that `two_sem`, which
    takes them as independent, is too small: `p` is of a permutation test, in which everybody keeps their number of
    right answers and chance says which these are. `pairs` counts those for which kappa is defined.
    """

    first: str
    second: str
    pairs: int
    kappa: float
    two_sem: float
    p: float


def cohen_kappa(one: ArrayLike, two: ArrayLike) -> float:
    """(p_o - p_e) / (1 - p_e) of two vectors of right and wrong (N,), p_e = p1 p2 + (1 - p1)(1 - p2) (Cohen 1960).

    NaN if both are always right, or both always wrong: then chance explains everything. Raises `PellucidError` if they
    differ in length or are empty.
    """
    x, y = np.asarray(one, np.float64), np.asarray(two, np.float64)
    if x.shape != y.shape or not x.size:
        raise PellucidError(f"kappa compares as many answers as answers, one or more, not {x.size} and {y.size}")
    return float(_kappas(x[None], y[None])[0, 0])


def agreements(
    frame: pd.DataFrame, observers: Sequence[Observed] = (), *, permutations: int = 1000, seed: int = 0
) -> tuple[Agreement, ...]:
    """Agreement within and between conditions, of people with each observer, and of observers with each other.

    People are compared on main stimuli that both saw, two or more. An observer's tie is no answer here. Pairs of one
    person with themselves do not count. Rows without any pair are left out.
    """
    raters, stimuli = people_as_raters(frame)
    conditions = list(raters)
    watching = {
        f"{one.observer} in {name}": made
        for one in observers
        for name in conditions
        if np.isfinite((made := _observer(one, name, stimuli)).right).any()
    }
    pairs = [(one, two) for i, one in enumerate(conditions) for two in conditions[i:]]
    pairs += [(name, watcher) for name in conditions for watcher in watching if watcher.endswith(f" in {name}")]
    pairs += [
        (one, two)
        for i, one in enumerate(watching)
        for two in list(watching)[i + 1 :]
        if one.rpartition(" in ")[2] == two.rpartition(" in ")[2]
    ]
    everybody = raters | watching
    rng = np.random.default_rng(seed)
    found = [_agreement(one, two, everybody, permutations, rng) for one, two in pairs]
    return tuple(one for one in found if one is not None)


def people_as_raters(frame: pd.DataFrame) -> tuple[dict[str, Raters], tuple[str, ...]]:
    """People by condition, and the stimuli that the columns are; of a stimulus seen twice the first answer counts."""
    rows: Any = frame.assign(stimulus=stimulus_of(frame))
    rows = rows.drop_duplicates(["participant", "condition", "stimulus"])
    stimuli = tuple(sorted(rows["stimulus"].unique()))
    made = {}
    for condition, some in rows.groupby("condition", sort=False):
        table = some.pivot(index="participant", columns="stimulus", values="correct").reindex(columns=list(stimuli))
        made[str(condition)] = Raters(tuple(table.index), table.to_numpy(dtype=np.float64, na_value=np.nan))
    return made, stimuli


def _observer(observed: Observed, condition: str, stimuli: Sequence[str]) -> Raters:
    known = {one.stimulus: one.right for one in observed.answers if one.condition == condition}
    right = np.array([known.get(one, 0.5) for one in stimuli], np.float64)
    return Raters((observed.observer,), np.where(right == 0.5, np.nan, right)[None])


def _agreement(
    first: str, second: str, raters: Mapping[str, Raters], permutations: int, rng: np.random.Generator
) -> Agreement | None:
    one, two = raters[first], raters[second]
    if first == second:
        counted = np.triu(np.ones((len(one.names),) * 2, bool), 1)
    else:
        counted = np.array(one.names)[:, None] != np.array(two.names)
    shared = np.isfinite(one.right).astype(float) @ np.isfinite(two.right).astype(float).T
    counted = counted & (shared > 1)
    kappas = _kappas(one.right, two.right)
    counted &= np.isfinite(kappas)
    if not counted.any():
        return None
    some = kappas[counted]
    kappa = float(some.mean())
    more = 0
    for _ in range(permutations):
        x = _shuffled(one.right, rng)
        drawn = _kappas(x, x if first == second else _shuffled(two.right, rng))[counted]
        more += abs(_mean(drawn)) >= abs(kappa) - 1e-12
    two_sem = float(2 * some.std() / np.sqrt(len(some)))
    return Agreement(first, second, len(some), kappa, two_sem, (1 + more) / (1 + permutations))


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else 0.0


def _kappas(one: Floats, two: Floats) -> Floats:
    """Kappa (R1, R2) of each rater of one with each of the other, on what both saw."""
    seen, also = np.isfinite(one).astype(np.float64), np.isfinite(two).astype(np.float64)
    x, y = np.nan_to_num(one), np.nan_to_num(two)
    count = seen @ also.T
    both, of_one, of_two = x @ y.T, x @ also.T, seen @ y.T
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p2 = of_one / count, of_two / count
        same = (2 * both + count - of_one - of_two) / count
        chance = p1 * p2 + (1 - p1) * (1 - p2)
        return np.where(1 - chance > 1e-12, (same - chance) / (1 - chance), np.nan)


def _shuffled(right: Floats, rng: np.random.Generator) -> Floats:
    """Each rater's answers in another order, at the same stimuli."""
    made = right.copy()
    seen: NDArray[np.bool_] = np.isfinite(right)
    counts = seen.sum(axis=1)
    for count in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == count)
        places = np.stack([np.flatnonzero(seen[row]) for row in rows])
        made[rows[:, None], places] = rng.permuted(right[rows[:, None], places], axis=1)
    return made
