"""How long answers took, and how certain people were of them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pellucid.causal.analysis.accuracy import two_sem


@dataclass(frozen=True)
class ReactionTime:
    """Seconds for an answer: the mean of people's means, twice its standard error, and the median of people's medians.

    `answers` says which: "all", "right" or "wrong".
    """

    condition: str
    answers: str
    people: int
    mean: float
    two_sem: float
    median: float


@dataclass(frozen=True)
class Confidence:
    """The shares of answers given with confidence 1, 2 and 3, their mean, and the accuracy at each (None without any).

    `answers` says which: "all", "right" or "wrong".
    """

    condition: str
    answers: str
    trials: int
    shares: tuple[float, float, float]
    mean: float
    accuracies: tuple[float | None, float | None, float | None]


def reaction_times(frame: pd.DataFrame) -> tuple[ReactionTime, ...]:
    """Reaction times by condition: of all, of right and of wrong answers. Unknown times are left out."""
    found = []
    for condition, answers, some in _parts(frame, "rt_s"):
        of_people = some.groupby("participant")["rt_s"]
        mean, error = two_sem(of_people.mean())
        found.append(
            ReactionTime(condition, answers, of_people.ngroups, mean, error, float(of_people.median().median()))
        )
    return tuple(found)


def confidences(frame: pd.DataFrame) -> tuple[Confidence, ...]:
    """Confidence by condition: of all, of right and of wrong answers. Unknown confidences are left out."""
    found = []
    for condition, answers, some in _parts(frame, "confidence"):
        at = [some["confidence"] == level for level in (1, 2, 3)]
        shares = tuple(float(here.mean()) for here in at)
        right = tuple(float(some["correct"][here].mean()) if here.any() else None for here in at)
        mean = float(some["confidence"].mean())
        found.append(Confidence(condition, answers, len(some), shares, mean, right))  # type: ignore[arg-type]  # three
    return tuple(found)


def _parts(frame: pd.DataFrame, column: str) -> list[tuple[str, str, Any]]:
    known: Any = frame[frame[column].notna()]
    parts = []
    for condition, some in known.groupby("condition", sort=False):
        cut = {"all": some, "right": some[some["correct"]], "wrong": some[~some["correct"]]}
        parts += [(str(condition), answers, of) for answers, of in cut.items() if len(of)]
    return parts
