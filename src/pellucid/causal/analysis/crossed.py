"""Means of answers, and their errors where people are crossed with units: both are samples of populations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pellucid.errors import PellucidError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trials:
    """Answers as numbers: `right` (N,), codes of `person`, `unit` and `condition` (N,), and the conditions' names."""

    right: Floats
    person: Codes
    unit: Codes
    condition: Codes
    conditions: tuple[str, ...]

    @classmethod
    def of(cls, frame: Any) -> "Trials":
        """The trials of a table with columns `correct`, `participant`, `unit` and `condition`."""
        named = {name: np.unique(frame[name].to_numpy(str), return_inverse=True) for name in ("participant", "unit")}
        conditions = tuple(dict.fromkeys(frame["condition"].tolist()))
        codes = np.array([conditions.index(one) for one in frame["condition"]], np.int64)
        right = frame["correct"].to_numpy(np.float64)
        return cls(right, named["participant"][1], named["unit"][1], codes, conditions)

    def mean(self, condition: str) -> float:
        """The share of right answers in a condition."""
        return float(self.right[self.condition == self.conditions.index(condition)].mean())


@dataclass(frozen=True, eq=False)
class Scores:
    """A contrast of conditions' means, and what each person, unit and cell (person with unit) adds to its error.

    `people` (P,), `units` (U,) and `cells` (C,) are centred sums of residuals, each weighted as in the contrast; the
    first two still contain the cells' noise. `person_of` and `unit_of` (C,) say whose a cell is, `person_stratum` (P,)
    and `unit_stratum` (U,) which conditions somebody saw: whoever saw the same is drawn from the same population.
    """

    value: float
    people: Floats
    units: Floats
    cells: Floats
    person_of: Codes
    unit_of: Codes
    person_stratum: Codes
    unit_stratum: Codes
    spare: int  # degrees of freedom that are left to the cells


@dataclass(frozen=True)
class Estimate:
    """A contrast with its standard error over the populations of people and of units, and its degrees of freedom.

    `person_part`, `unit_part` and `rest` are the shares of the squared error, which is `error` squared in all.
    """

    value: float
    error: float
    df: float
    person_part: float
    unit_part: float
    rest: float

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """The interval of Student's t with this many degrees of freedom."""
        half = float(stats.t.ppf((1 + confidence) / 2, self.df)) * self.error
        return self.value - half, self.value + half


def contrast_of(first: str, second: str | None = None) -> dict[str, float]:
    """The mean of one condition, or its difference from a second one."""
    return {first: 1.0} if second is None else {first: 1.0, second: -1.0}


def score(trials: Trials, contrast: Mapping[str, float]) -> Scores:
    """Split a contrast's error into what people, units and their cells add.

    Within each condition the answer is y = m + a(person) + b(unit) + e, fitted by least squares. A person's score is
    the weighted sum of y - m - b over their trials, a unit's that of y - m - a, a cell's that of e. Raises
    `PellucidError` for a condition without answers, or fewer than two people or units.
    """
    used = np.isin(trials.condition, [trials.conditions.index(one) for one in contrast if one in trials.conditions])
    missing = [one for one in contrast if one not in trials.conditions]
    people, person = np.unique(trials.person[used], return_inverse=True)
    units, unit = np.unique(trials.unit[used], return_inverse=True)
    if missing or len(people) < 2 or len(units) < 2:
        told = f"no answers in condition {missing[0]!r}" if missing else f"{len(people)} people and {len(units)} units"
        raise PellucidError(f"errors over people and units need two of each in every condition, but there are {told}")
    condition, right = trials.condition[used], trials.right[used]
    of_person, of_unit, of_cell = np.zeros(len(right)), np.zeros(len(right)), np.zeros(len(right))
    value, spare = 0.0, 0
    for name, factor in contrast.items():
        here = condition == trials.conditions.index(name)
        weight, mean = factor / here.sum(), right[here].mean()
        a, b, left = _additive(right[here] - mean, person[here], unit[here])
        free = here.sum() - len(np.unique(person[here])) - len(np.unique(unit[here])) + 1
        if free < 1:
            raise PellucidError(
                "errors over people and units need people who each answered about several of the same units, as those "
                f"of condition {name!r} did not"
            )
        scale = np.sqrt(here.sum() / free)
        of_person[here], of_unit[here], of_cell[here] = weight * (a + left), weight * (b + left), weight * left * scale
        value, spare = value + factor * float(mean), spare + int(free)
    cell, where = np.unique(person * len(units) + unit, return_inverse=True)
    return Scores(
        value,
        np.bincount(person, of_person).astype(np.float64),
        np.bincount(unit, of_unit).astype(np.float64),
        np.bincount(where, of_cell).astype(np.float64),
        cell // len(units),
        cell % len(units),
        _strata(person, condition, len(people)),
        _strata(unit, condition, len(units)),
        spare,
    )


def estimate(scores: Scores) -> Estimate:
    """The standard error of a contrast where people and units are crossed.

    With V_P, V_U and V_C the sums of squared scores of people, units and cells (each times G / (G - 1) of its strata),
    the variance is V_P + V_U - V_C: the cells' noise is in both of the first (Cameron, Gelbach and Miller 2011, with
    cells from the additive fit, which leaves them free of people's and units' own effects). A difference V_P - V_C
    below 0 counts as 0. The degrees of freedom are Satterthwaite's.
    """
    person, unit, cell = (float(one) for one in variances(scores))
    parts = max(person - cell, 0.0), max(unit - cell, 0.0)
    total = sum(parts) + cell
    if not total:
        return Estimate(scores.value, 0.0, float(scores.spare), 0.0, 0.0, 0.0)
    groups = [len(some) - len(np.unique(some)) for some in (scores.person_stratum, scores.unit_stratum)]
    kept = [part > 0 for part in parts]
    noise = (1 - sum(kept)) ** 2 * cell**2 / scores.spare
    noise += sum(v**2 / free for v, free, keep in zip((person, unit), groups, kept, strict=True) if keep)
    df = total**2 / noise if noise else float(min(groups))
    return Estimate(scores.value, total**0.5, max(df, 1.0), parts[0] / total, parts[1] / total, cell / total)


def variances(scores: Scores) -> tuple[float, float, float]:
    """V_P, V_U and V_C: the sums of squares of people, units and cells."""
    person = (reflated(scores.people, scores.person_stratum) ** 2).sum()
    unit = (reflated(scores.units, scores.unit_stratum) ** 2).sum()
    return person, unit, (scores.cells**2).sum()


def reflated(values: Floats, strata: Codes) -> Floats:
    """Values, centred within strata, times the root of G / (G - 1): as spread as what they are a sample of."""
    count = np.bincount(strata)
    centred = values - (np.bincount(strata, values) / count)[strata]
    return centred * np.sqrt(count / (count - 1))[strata]


def _additive(y: Floats, person: Codes, unit: Codes) -> tuple[Floats, Floats, Floats]:
    """Effects of people and of units, and what is left, each by trial: least squares by turns, for any design."""
    a, b = np.zeros_like(y), np.zeros_like(y)
    people, units = np.maximum(np.bincount(person), 1), np.maximum(np.bincount(unit), 1)
    for _ in range(1000):
        before = b
        a = (np.bincount(person, y - b) / people)[person]
        b = (np.bincount(unit, y - a) / units)[unit]
        if np.abs(b - before).max() < 1e-10:
            break
    return a, b, y - a - b


def _strata(group: Codes, condition: Codes, count: int) -> Codes:
    """Which groups saw the same conditions; all are one where some would be alone."""
    seen = np.zeros((count, int(condition.max()) + 1), bool)
    seen[group, condition] = True
    strata = np.unique(seen, axis=0, return_inverse=True)[1].reshape(-1)
    return strata if np.bincount(strata).min() > 1 else np.zeros_like(strata)
