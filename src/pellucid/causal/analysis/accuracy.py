"""Shares of right answers over people, as the papers print them: a mean with twice its standard error."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

CHANCE = 0.5


@dataclass(frozen=True)
class Accuracy:
    """The mean of people's shares of right answers, and twice its standard error over them.

    `group` is a layer, a branch, or "" for all.
    """

    condition: str
    group: str
    people: int
    trials: int
    right: int
    accuracy: float
    two_sem: float

    def __str__(self) -> str:
        return f"{self.accuracy:.1%} ± {self.two_sem:.1%}"


def two_sem(values: ArrayLike) -> tuple[float, float]:
    """The mean of values (N,), and twice the standard deviation over the root of N, with N below the variance.

    Dividing by N and not N - 1 (`ddof=0`) is what the published figures do.
    """
    values = np.asarray(values, np.float64)
    return float(values.mean()), float(2 * values.std() / np.sqrt(len(values)))


def accuracies(frame: pd.DataFrame, by: str | None = None) -> tuple[Accuracy, ...]:
    """The accuracy in each condition, or in each condition for each value of a column, in order of the table.

    Rows in which the column is not known are left out.
    """
    rows: Any = frame if by is None else frame[frame[by].notna()]
    found = []
    for (condition, group), some in rows.assign(group="" if by is None else rows[by]).groupby(
        ["condition", "group"], sort=False
    ):
        mean, error = two_sem(some.groupby("participant")["correct"].mean())
        people = some["participant"].nunique()
        found.append(Accuracy(condition, str(group), people, len(some), int(some["correct"].sum()), mean, error))
    order = {one: number for number, one in enumerate(dict.fromkeys(rows["condition"]))}
    return tuple(sorted(found, key=lambda one: (order[one.condition], one.group)))


@dataclass(frozen=True)
class Repetition:
    """Trials that a person saw a second time: the share in which they chose the same picture as before."""

    condition: str
    trials: int
    same: float


def repetitions(frame: pd.DataFrame) -> tuple[Repetition, ...]:
    """Compare trials of kind "repeated" with the first showing, whose number is in the column `repeats`."""
    if "repeats" not in frame:
        return ()
    rows: Any = frame
    again = rows[(rows["kind"] == "repeated") & rows["repeats"].notna()]
    first = rows[rows["kind"] == "main"][["participant", "trial", "correct"]]
    both = again.merge(
        first, left_on=["participant", "repeats"], right_on=["participant", "trial"], suffixes=("", "_before")
    )
    # Sides may have changed in between: who is right again, or wrong again, chose the same picture.
    return tuple(
        Repetition(str(condition), len(some), float((some["correct"] == some["correct_before"]).mean()))
        for condition, some in both.groupby("condition", sort=False)
    )
