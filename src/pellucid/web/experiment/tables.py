"""The tables that come of an experiment: a row for each answer, person, event of the window, and remark."""

import io
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from sqlalchemy import Table, select

from pellucid.study import write_bytes
from pellucid.study.experiments import CODEBOOK, Column
from pellucid.web.experiment.running import Running
from pellucid.web.experiment.schema import EVENT, REMARK, SESSION, TRIAL, Kept

PARTICIPANTS = (
    Column("experiment", "string", "name of the experiment"),
    Column("participant", "string", "opaque name of the person, not the platform's"),
    Column("condition", "string", "references shown: optimized, natural, mixed, natural_blur or none"),
    Column("schedule", "string", "name of the schedule that the person was given"),
    Column("state", "string", "where the visit stands: instructions, practice, main, done or screened_out"),
    Column("consent_version", "string", "version of the text that the person agreed to"),
    Column("started_at", "string", "when the person agreed, by the server's clock, ISO 8601 in UTC"),
    Column("ended_at", "string", "when the last trial was answered; empty if it was not"),
    Column("instruction_s", "double", "seconds with the instructions, by the browser's clock; empty before their end"),
    Column("instruction_server_s", "double", "seconds from consent to the end of the instructions, by the server's"),
    Column("total_s", "double", "seconds with instructions and all trials, pauses left out, by the browser's clock"),
    Column("total_server_s", "double", "seconds from consent to the last answer, by the server's clock"),
    Column("practice_rounds", "int32", "rounds of practice that were begun"),
    Column("trials", "int32", "main and catch trials answered"),
    Column("focus_losses", "int32", "how often the window lost the focus during main and catch trials"),
    Column("fullscreen_exits", "int32", "how often full screen was left"),
    Column("window_width", "int32", "width of the window at the start, in CSS pixels"),
    Column("window_height", "int32", "height of the window at the start, in CSS pixels"),
    Column("duplicate", "bool", "whether the platform's person had begun an earlier visit"),
)
"""What the columns of the table of participants mean. Who withdrew is not in it."""

EVENTS = (
    Column("experiment", "string", "name of the experiment"),
    Column("participant", "string", "opaque name of the person"),
    Column("kind", "string", "blur, focus, hidden, visible, resize or fullscreen_exit"),
    Column("at_s", "double", "seconds since the page was loaded, by the browser's clock"),
    Column("received_at", "string", "when the server kept it, ISO 8601 in UTC"),
)
REMARKS = (
    Column("experiment", "string", "name of the experiment"),
    Column("participant", "string", "opaque name of the person"),
    Column("text", "string", "what the person wrote at the end; it may name people: do not publish it unread"),
    Column("received_at", "string", "when the server kept it, ISO 8601 in UTC"),
)


def answers_table(running: Running) -> pa.Table:
    """A row for each answered trial, with the columns of `CODEBOOK`, in the order of visits and answers."""
    sessions = {one.participant: one for one in _sessions(running)}
    found = [one for one in _rows(running, TRIAL) if one.answered_at is not None]
    order = {name: at for at, name in enumerate(sessions)}
    found.sort(key=lambda one: (order[one.participant], one.answered_at, one.round, one.number))

    def row(trial: Kept) -> dict[str, Any]:
        session, stimulus = sessions[trial.participant], running.known[trial.stimulus]
        return {
            **trial._mapping,
            "experiment": running.name,
            "schedule": session.schedule,
            "condition": session.condition,
            "trial": trial.number,
            "layer": stimulus.layer,
            "unit": stimulus.address,
            "image_set": stimulus.image_set,
            "relative_difference": stimulus.relative_difference,
            "rt_s": trial.rt_ms / 1000,
            "server_s": trial.answered_at - trial.sent_at,
            "answered_at": _time(trial.answered_at),
        }

    return _table(CODEBOOK, map(row, found))


def participants_table(running: Running) -> pa.Table:
    """A row for each visit that was not withdrawn, with the columns of `PARTICIPANTS`, by time of consent."""
    trials: dict[str, list[Kept]] = {}
    for one in _rows(running, TRIAL):
        trials.setdefault(one.participant, []).append(one)
    exits = Counter(one.participant for one in _rows(running, EVENT) if one.kind == "fullscreen_exit")
    people: set[str] = set()

    def row(session: Kept) -> dict[str, Any]:
        mine = trials.get(session.participant, [])
        answered = [one for one in mine if one.answered_at is not None]
        counted = [one for one in answered if not one.round]
        duplicate = session.platform_hash in people
        if session.platform_hash is not None:
            people.add(session.platform_hash)
        read = None if session.instruction_ms is None else session.instruction_ms / 1000
        return {
            **session._mapping,
            "state": session.stage,
            "instruction_s": read,
            "instruction_server_s": _between(session.started_at, session.instructed_at),
            "total_s": None if read is None else read + sum(one.rt_ms for one in answered) / 1000,
            "total_server_s": _between(session.started_at, max((one.answered_at for one in answered), default=None)),
            "practice_rounds": max((one.round for one in mine), default=0),
            "trials": len(counted),
            "focus_losses": sum(one.focus_losses for one in counted),
            "fullscreen_exits": exits[session.participant],
            "window_width": session.window[0],
            "window_height": session.window[1],
            "duplicate": duplicate,
            "started_at": _time(session.started_at),
            "ended_at": _time(session.ended_at),
        }

    return _table(PARTICIPANTS, map(row, _sessions(running)))


def events_table(running: Running) -> pa.Table:
    """A row for each event of a window, with the columns of `EVENTS`."""
    found = sorted(_rows(running, EVENT), key=lambda one: (one.received_at, one.participant, one.key, one.position))
    return _table(EVENTS, ({**_received(running, one), "at_s": one.at_ms / 1000} for one in found))


def remarks_table(running: Running) -> pa.Table:
    """A row for each remark, with the columns of `REMARKS`."""
    found = sorted(_rows(running, REMARK), key=lambda one: (one.received_at, one.participant))
    return _table(REMARKS, (_received(running, one) for one in found))


TABLES: dict[str, tuple[Callable[[Running], pa.Table], tuple[Column, ...]]] = {
    "answers": (answers_table, CODEBOOK),
    "participants": (participants_table, PARTICIPANTS),
    "events": (events_table, EVENTS),
    "remarks": (remarks_table, REMARKS),
}
"""Each table by its name, with what its columns mean."""


def kept_answers(running: Running) -> dict[str, tuple[str, int, float]]:
    """Choice, confidence and milliseconds of each answer by its trial's name, to be compared with a log of clicks."""
    found = (one for one in _rows(running, TRIAL) if one.answered_at is not None)
    return {one.id: (one.choice, one.confidence, one.rt_ms) for one in found}


def codebook_text() -> str:
    """What all columns of all tables mean, as Markdown."""
    parts = ["# Codebook\n"]
    for name, (_, columns) in TABLES.items():
        rows = "".join(f"| `{one.name}` | {one.type} | {one.meaning} |\n" for one in columns)
        parts.append(f"## {name}\n\n| column | type | meaning |\n|---|---|---|\n{rows}")
    return "\n".join(parts)


def table_bytes(table: pa.Table, ending: str) -> bytes:
    """A table as a CSV or Parquet file."""
    file = io.BytesIO()
    if ending == "csv":
        pyarrow.csv.write_csv(table, file)
    else:
        pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def export_tables(running: Running, folder: Path) -> dict[str, int]:
    """Write each table as CSV and Parquet into a folder, with `codebook.md`, and give their numbers of rows."""
    counts = {}
    for name, (make, _) in TABLES.items():
        table = make(running)
        counts[name] = table.num_rows
        for ending in ("csv", "parquet"):
            write_bytes(folder / f"{name}.{ending}", table_bytes(table, ending))
    write_bytes(folder / "codebook.md", codebook_text().encode())
    return counts


def _sessions(running: Running) -> list[Kept]:
    query = select(SESSION).where(SESSION.c.experiment == running.name, SESSION.c.stage != "withdrawn")
    with running.database.reading() as connection:
        return list(connection.execute(query.order_by(SESSION.c.started_at, SESSION.c.participant)))


def _rows(running: Running, table: Table) -> list[Kept]:
    query = select(table).join(SESSION, SESSION.c.participant == table.c.participant)
    with running.database.reading() as connection:
        return list(connection.execute(query.where(SESSION.c.experiment == running.name)))


def _received(running: Running, row: Kept) -> dict[str, Any]:
    return {**row._mapping, "experiment": running.name, "received_at": _time(row.received_at)}


def _table(columns: tuple[Column, ...], rows: Iterable[dict[str, Any]]) -> pa.Table:
    names = {"string": pa.string(), "int32": pa.int32(), "double": pa.float64(), "bool": pa.bool_()}
    schema = pa.schema([pa.field(one.name, names[one.type], metadata={"meaning": one.meaning}) for one in columns])
    return pa.Table.from_pylist([{one.name: row.get(one.name) for one in columns} for row in rows], schema)


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
