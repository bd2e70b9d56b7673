"""The table of observers as a file."""

import csv
import io
from dataclasses import asdict
from pathlib import Path

from pellucid.causal.observers.accuracies import Accuracies
from pellucid.errors import StudyError
from pellucid.study import write_bytes, write_json


def check_ending(path: Path) -> None:
    """Refuse a file for a table that is neither .json nor .csv, with a `StudyError`."""
    if path.suffix.lower() not in (".json", ".csv"):
        raise StudyError(f"a table of observers is written as .json or .csv, not {path.suffix or path.name!r}")


def write_accuracies(path: Path, table: Accuracies) -> None:
    """Write a table as .json, all of it, or .csv, a row for each observer and condition. Refuses other endings."""
    check_ending(path)
    if path.suffix.lower() == ".json":
        return write_json(path, {"format": 1, **table.as_dict()})
    rows = [{**asdict(row), "against_chance": row.verdict} for row in table.rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())
