"""The table of participants: what is known of a person beside the answers."""

from typing import Any

import pandas as pd

from pellucid.errors import PellucidError
from pellucid.study.experiments import Column

PEOPLE_COLUMNS = (
    Column("participant", "string", "opaque name of the person, as in the answers"),
    Column("state", "string", "where the visit stands: done, or a stage before its end"),
    Column("started_at", "string", "when the visit began, ISO 8601 in UTC"),
    Column("total_s", "double", "seconds of the whole visit"),
    Column("instruction_s", "double", "seconds with the instructions"),
    Column("practice_rounds", "int32", "rounds of practice"),
    Column("focus_losses", "int32", "how often the window lost the focus"),
    Column("duplicate", "bool", "whether the same person had begun an earlier visit"),
)
"""The columns that rules of exclusion are about; a table may lack any but the first, and have others."""

_NUMBERS = ("total_s", "instruction_s", "practice_rounds", "focus_losses")


def checked_people(table: pd.DataFrame | None, answers: pd.DataFrame) -> pd.DataFrame:
    """One row for each person who answered, in the order of the answers, with all columns; what is unknown is missing.

    Rounds of practice and losses of focus that the table does not have are counted in the answers. A column `platform`,
    with a fingerprint of the name that a platform has for a person, can stand for `duplicate`. Raises `PellucidError`
    if a person stands twice or somebody who answered is missing.
    """
    names = list(dict.fromkeys(answers["participant"].tolist()))
    if table is None:
        table = pd.DataFrame({"participant": names})
    if "participant" not in table:
        raise PellucidError(f"the table of participants has no column 'participant', only {', '.join(map(str, table))}")
    table = table.assign(participant=table["participant"].astype(str))
    twice = table["participant"][table["participant"].duplicated()].tolist()
    absent = [one for one in names if one not in set(table["participant"])]
    if twice or absent:
        told = f"has {twice[0]!r} twice" if twice else f"lacks {absent[0]!r}, who answered"
        raise PellucidError(f"the table of participants {told}")
    if "duplicate" not in table and "platform" in table:
        table = table.assign(duplicate=_came_again(table))
    people: Any = table.set_index("participant").loc[names].reset_index()
    for column in PEOPLE_COLUMNS:
        if column.name not in people:
            people[column.name] = _counted(column.name, names, answers)
    for name in _NUMBERS:
        numbers: Any = pd.to_numeric(people[name], errors="coerce")
        if (numbers.isna() & people[name].notna()).any():
            raise PellucidError(f"column {name!r} of the table of participants has values that are no numbers")
        people[name] = numbers
    return people


def _came_again(table: pd.DataFrame) -> Any:
    """Whether somebody's platform stands earlier in the table, by the beginning of visits; missing without platform."""
    ordered: Any = table.sort_values("started_at", kind="stable") if "started_at" in table else table
    known = ordered["platform"].notna() & (ordered["platform"] != "")
    again = ordered["platform"].duplicated().astype(object).where(known, None)
    return again.reindex(table.index)


def _counted(name: str, names: list[str], answers: Any) -> Any:
    if name == "practice_rounds" and (answers["kind"] == "practice").any():
        rounds = answers[answers["kind"] == "practice"].groupby("participant")["round"].max()
        return rounds.reindex(names).to_numpy()
    if name == "focus_losses" and answers["focus_losses"].notna().any():
        return answers.groupby("participant")["focus_losses"].sum().reindex(names).to_numpy()
    return None
