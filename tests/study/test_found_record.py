"""What a search for curve detectors found, as the catalog reads it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.curves.finder.record import FORMAT
from pellucid.errors import StudyError
from pellucid.study import Manifest, Study, read_catalog
from pellucid.study.found_record import FOUND, FoundRecord, found_in


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study.create(tmp_path / "study", Manifest({"name": "net"}, {}))


def unit(address: str, kind: str = "mature", angles: int = 8) -> dict[str, Any]:
    return {
        "unit": address,
        "kind": kind,
        "score": 1.0,
        "direction": 45.0,
        "tuning": [0.5, None, *[0.0] * (angles - 2)],
    }


def content() -> dict[str, Any]:
    none = {"real": 0, "nulls": {"permuted 0": 2}, "rate": None, "most": None}
    return {
        "format": FORMAT,
        "network": {"name": "net"},
        "layers": [
            {"layer": "a", "units": 9, "mature": 2, "confirmed": 1, "proto": 0, "line": 3, "double": 0},
            {"layer": "b.c", "units": 9, "mature": 0, "confirmed": 0, "proto": 1, "line": 1, "double": 0},
        ],
        "discoveries": {kind: none for kind in ("mature", "proto", "line", "double")},
        "families": [
            {"layer": "a", "kind": "mature", "units": [3, 5], "gaps": [{"before": 3, "after": 5, "degrees": 180.0}]},
            {"layer": "b.c", "kind": "proto", "units": [0], "gaps": []},
        ],
        "units": [unit("a:3"), unit("a:5"), unit("b.c:0", "proto", 12), unit("b.c:8", "none", 12)],
    }


def written(study: Study, record: Any) -> Path:
    path = study.path / FOUND
    path.parent.mkdir(exist_ok=True)
    path.write_text(record if isinstance(record, str) else json.dumps(record))
    return path


def test_the_catalog_lists_what_was_found_and_its_file(study: Study) -> None:
    written(study, content())
    assert found_in(study) == FoundRecord("net", ("a", "b.c"), {"mature": 2, "proto": 1, "line": 4, "double": 0}, 2)
    catalog = read_catalog(study.path)
    assert catalog.files == (FOUND,)
    assert catalog.public()["curves"] == {
        **{"url": FOUND, "layers": 2, "mature": 2, "proto": 1, "line": 4, "double": 0, "families": 2},
    }


def test_a_study_without_a_search_lists_none(study: Study) -> None:
    assert found_in(study) is None
    catalog = read_catalog(study.path)
    assert catalog.files == ()
    assert catalog.public()["curves"] is None


def test_a_search_that_found_nothing_is_listed(study: Study) -> None:
    record = content()
    record.update(families=[], units=[unit("a:3", "none")])
    for row in record["layers"]:
        row.update(mature=0, proto=0, line=0)
    written(study, record)
    assert read_catalog(study.path).public()["curves"] == {
        **{"url": FOUND, "layers": 2, "mature": 0, "proto": 0, "line": 0, "double": 0, "families": 0},
    }


def test_a_newer_format_is_refused(study: Study) -> None:
    path = written(study, {"format": FORMAT + 1})
    with pytest.raises(StudyError, match=rf"format {FORMAT + 1}, and this version of Pellucid reads up to {FORMAT}"):
        FoundRecord.read(path)


def _rows(record: dict[str, Any]) -> None:
    record["layers"][0]["mature"] = "2"


def _kind(record: dict[str, Any]) -> None:
    record["units"][0]["kind"] = "round"


def _address(record: dict[str, Any]) -> None:
    record["units"][3]["unit"] = "d:8"


def _tuning(record: dict[str, Any]) -> None:
    record["units"][1]["tuning"] = [1.0, 2.0, 3.0]


def _member(record: dict[str, Any]) -> None:
    record["families"][0]["units"] = [3, 4]


def _other_kind(record: dict[str, Any]) -> None:
    record["families"][0]["kind"] = "proto"


def _twice(record: dict[str, Any]) -> None:
    record["families"][0]["units"] = [3, 3]


def _gap(record: dict[str, Any]) -> None:
    record["families"][0]["gaps"][0]["after"] = 7


def _no_discoveries(record: dict[str, Any]) -> None:
    del record["discoveries"]["line"]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_rows, "'2' is no number of units"),
        (_kind, "a:3 is of the unknown kind 'round'"),
        (_address, "'d:8' is no unit of the layers that were searched"),
        (_tuning, "the tuning curve of a:5 has 3 directions"),
        (_member, "a family of a has a:4"),
        (_other_kind, "a family of a has a:3"),
        (_twice, "a family of a has a:3"),
        (_gap, "a gap beside no unit of its own"),
        (_no_discoveries, "'line'"),
    ],
)
def test_a_damaged_record_is_refused(study: Study, damage: Callable[[dict[str, Any]], None], told: str) -> None:
    record = content()
    damage(record)
    written(study, record)
    with pytest.raises(StudyError, match=rf"not the record of a search for curve detectors: .*{told}.*curves find"):
        read_catalog(study.path)


@pytest.mark.parametrize("text", ["[]", "null", "3", '{"format": "new"}', "{}"])
def test_what_is_no_record_at_all_is_refused(study: Study, text: str) -> None:
    with pytest.raises(StudyError, match="not the record of a search"):
        FoundRecord.read(written(study, text))


def test_half_a_file_is_refused(study: Study) -> None:
    path = written(study, json.dumps(content())[:200])
    with pytest.raises(StudyError, match="cannot be read"):
        FoundRecord.read(path)
