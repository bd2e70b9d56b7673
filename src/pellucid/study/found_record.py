"""The record of a search for curve detectors, `curves/found.json`: checked for the catalog and for the viewer's page.

`pellucid.curves.finder.found_record` says what it holds; `pellucid curves find --study` writes it.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import read_record
from pellucid.study.manifest import Study

FOUND = "curves/found.json"
KINDS = ("mature", "proto", "line", "double")
_FORMAT = 1
_WHAT = "the record of a search for curve detectors"
_REMEDY = "make it again with 'pellucid curves find NETWORK --images DIR --study STUDY'"
_UNIT = re.compile(r"[^/:@\s*+\[\]]+:\d{1,9}")


@dataclass(frozen=True)
class FoundRecord:
    """What a search found, as far as a list of results needs it: of each kind how many units, and how many families."""

    network: str
    layers: tuple[str, ...]
    counts: dict[str, int]
    families: int

    @classmethod
    def read(cls, path: Path) -> "FoundRecord":
        """Read `found.json`. Raises `StudyError` if it is missing, damaged or newer than this version.

        It is damaged as well where a family has a unit that is not among the units, or tuning curves of a layer differ
        in length: the viewer could draw neither.
        """
        content = read_record(path, _FORMAT, f"{_WHAT}; {_REMEDY}")
        try:
            layers = tuple(_text(row["layer"]) for row in content["layers"])
            counts = {kind: sum(_count(row[kind]) for row in content["layers"]) for kind in KINDS}
            _check_discoveries(content["discoveries"])
            listed = _listed(content["units"], layers)
            _check_families(content["families"], listed)
            return cls(_text(content["network"]["name"]), layers, counts, len(content["families"]))
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise StudyError(f"{path} is not {_WHAT}: {error}; {_REMEDY}") from None

    def entry(self) -> dict[str, Any]:
        """What the catalog says of it."""
        return {"url": FOUND, "layers": len(self.layers), **self.counts, "families": self.families}


def found_in(study: Study) -> FoundRecord | None:
    """What was found in a study; None where curve detectors were never looked for. Raises `StudyError` if damaged."""
    path = study.path / FOUND
    return FoundRecord.read(path) if path.is_file() else None


def _listed(units: list[dict[str, Any]], layers: tuple[str, ...]) -> dict[str, str]:
    """The kind of each unit that is listed, by address."""
    kinds: dict[str, str] = {}
    angles: dict[str, int] = {}
    for row in units:
        address, tuning = row["unit"], [None if value is None else float(value) for value in row["tuning"]]
        if not _UNIT.fullmatch(address) or address.rsplit(":", 1)[0] not in layers:
            raise ValueError(f"{address!r} is no unit of the layers that were searched")
        if row["kind"] not in (*KINDS, "none"):
            raise ValueError(f"{address} is of the unknown kind {row['kind']!r}")
        layer = address.rsplit(":", 1)[0]
        if len(tuning) < 3 or angles.setdefault(layer, len(tuning)) != len(tuning):
            raise ValueError(f"the tuning curve of {address} has {len(tuning)} directions")
        kinds[address] = row["kind"]
    return kinds


def _check_families(families: list[dict[str, Any]], listed: dict[str, str]) -> None:
    for family in families:
        units = [f"{_text(family['layer'])}:{_count(unit)}" for unit in family["units"]]
        strange = [unit for unit in units if listed.get(unit) != family["kind"]]
        twice = [unit for unit, times in Counter(units).items() if times > 1]
        if not units or strange or twice:
            raise ValueError(f"a family of {family['layer']} has {(strange + twice or ['no unit'])[0]}")
        for gap in family["gaps"]:
            if {_count(gap["before"]), _count(gap["after"])} - {*family["units"]}:
                raise ValueError(f"a family of {family['layer']} has a gap beside no unit of its own")


def _check_discoveries(discoveries: dict[str, Any]) -> None:
    for kind in KINDS:
        _count(discoveries[kind]["real"])
        for count in discoveries[kind]["nulls"].values():
            _count(count)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is no number of units")
    return value
