"""The table of answers, checked when it is made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from pellucid.causal.responses.files import frame_of, read_table
from pellucid.causal.responses.people import checked_people
from pellucid.errors import PellucidError, did_you_mean
from pellucid.study.experiments import CODEBOOK, CONDITIONS

KINDS = ("main", "catch", "practice", "repeated")
"""What a trial is for. In a repeated one a person sees a main trial again: `repeats` is the number of the first."""
_REQUIRED = ("participant", "condition", "kind", "trial", "unit", "correct")
_NUMBERS = {"round": 0, "trial": 0, "image_set": 0, "relative_difference": None, "confidence": None, "rt_s": None}
_NUMBERS |= {"server_s": None, "focus_losses": None}
_TRUTH = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


@dataclass(frozen=True, eq=False)
class Responses:
    """What people answered: `frame`, a row for each trial, with the columns of `CODEBOOK`, and `people`, one for each.

    Only participant, condition, kind, trial, unit and correct must be known: where others are missing, what is about
    them is left out of the analysis. More columns, such as `branch`, stay. Make one with `Responses.of`.
    """

    frame: pd.DataFrame
    people: pd.DataFrame
    source: str = "answers"

    @classmethod
    def of(cls, answers: Any, participants: Any = None, *, source: str = "answers") -> "Responses":
        """Check tables of pandas or pyarrow.

        Raises `PellucidError`, beginning with the `source`, for missing columns, no answers, unknown conditions, kinds
        and sides, values that are no numbers, a trial that was answered twice, or a `correct` that contradicts side and
        choice.
        """
        try:
            frame = _checked(frame_of(answers))
            people = checked_people(None if participants is None else frame_of(participants), frame)
        except PellucidError as error:
            raise PellucidError(f"{source}: {error}") from None
        return cls(frame, people, source)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that occur, in the order of `CONDITIONS`."""
        here = set(self.frame["condition"])
        return tuple(one for one in CONDITIONS if one in here)

    def kind(self, *kinds: str) -> pd.DataFrame:
        """The rows of these kinds, in the order of the conditions."""
        frame: Any = self.frame
        rows = frame[frame["kind"].isin(kinds)]
        return rows.sort_values("condition", key=lambda some: some.map(CONDITIONS.index), kind="stable")

    @property
    def main(self) -> pd.DataFrame:
        """The rows of main trials."""
        return self.kind("main")

    def only(self, participants: Any) -> "Responses":
        """The answers of these people alone. Raises `PellucidError` if nothing is left."""
        kept, everything, everybody = list(participants), cast(Any, self.frame), cast(Any, self.people)
        frame = everything[everything["participant"].isin(kept)]
        if frame.empty:
            raise PellucidError(f"{self.source}: nobody is left, of {len(self.people)} people who answered")
        people = everybody[everybody["participant"].isin(kept)]
        return Responses(frame.reset_index(drop=True), people.reset_index(drop=True), self.source)


def read_responses(path: Path | str, participants: Path | str | None = None) -> Responses:
    """Read exported answers, `.csv` or `.parquet`, and with them what is known of the participants, if it is at hand.

    Raises `PellucidError` as `Responses.of`, and for files that cannot be read.
    """
    people = None if participants is None else read_table(participants)
    return Responses.of(read_table(path), people, source=str(path))


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in _REQUIRED if name not in frame]
    if missing:
        near = did_you_mean(missing[0], [str(one) for one in frame])
        raise PellucidError(f"the table of answers has no column {', '.join(map(repr, missing))}{near}")
    if frame.empty:
        raise PellucidError("the table has no answers")
    made: Any = frame.reset_index(drop=True)
    made["unit"] = made["unit"].astype(str)
    made["participant"] = made["participant"].astype(str)
    for column in CODEBOOK:
        if column.name not in made:
            known = made["unit"].str.rpartition(":")[0] if column.name == "layer" else _NUMBERS.get(column.name)
            made[column.name] = known
    for name, default in _NUMBERS.items():
        made[name] = _numbers(made[name], name, default)
    made["correct"] = _truths(made["correct"])
    _among(made["condition"], CONDITIONS, "condition", all_known=True)
    _among(made["kind"], KINDS, "kind", all_known=True)
    for name in ("side", "choice"):
        _among(made[name], ("left", "right"), name)
    _among(made["confidence"], (1, 2, 3), "confidence")
    _consistent(made)
    ordered = [column.name for column in CODEBOOK]
    return made[[*ordered, *(name for name in made if name not in ordered)]]


def _numbers(values: Any, name: str, default: int | None) -> Any:
    coerced: Any = pd.to_numeric(values, errors="coerce")
    numbers = coerced.astype(float)
    wrong = numbers.isna() & values.notna()
    if wrong.any():
        raise PellucidError(f"column {name!r} has {values[wrong].iloc[0]!r}, which is not a number")
    return numbers if default is None else numbers.fillna(default).astype(np.int64)


def _truths(values: Any) -> Any:
    known = values.astype(str).str.lower().map(_TRUTH)
    if known.isna().any():
        raise PellucidError(f"column 'correct' has {values[known.isna()].iloc[0]!r}, which is neither true nor false")
    return known.astype(bool)


def _among(values: Any, allowed: tuple[Any, ...], name: str, all_known: bool = False) -> None:
    wrong = ~values.isin(allowed) & (values.notna() | all_known)
    if wrong.any():
        told = ", ".join(map(str, allowed))
        raise PellucidError(f"column {name!r} has {values[wrong].iloc[0]!r}, which is none of {told}")


def _consistent(frame: Any) -> None:
    key = ["participant", "kind", "round", "trial"]
    twice = frame[frame.duplicated(key)]
    if len(twice):
        who, kind, number, trial = twice.iloc[0][key]
        of_round = f" of round {number}" if kind == "practice" else ""
        raise PellucidError(f"participant {who!r} answered {kind} trial {trial}{of_round} twice")
    shown = frame[(frame["kind"] == "main") & frame["stimulus"].notna()]
    again = shown[shown.duplicated(["participant", "condition", "stimulus"])]
    if len(again):
        who, stimulus = again.iloc[0][["participant", "stimulus"]]
        raise PellucidError(f"participant {who!r} answered stimulus {stimulus!r} twice in main trials")
    known = frame["side"].notna() & frame["choice"].notna()
    wrong = frame[known & ((frame["side"] == frame["choice"]) != frame["correct"])]
    if len(wrong):
        who, trial, side, choice, correct = wrong.iloc[0][["participant", "trial", "side", "choice", "correct"]]
        raise PellucidError(
            f"trial {trial} of participant {who!r} has correct {correct}, but the larger query was {side} and {choice} "
            "was chosen"
        )
