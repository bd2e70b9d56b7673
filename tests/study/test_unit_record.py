"""Pages of units: records that come back, parts that come together, and the list that follows them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pellucid.errors import ObjectiveError, StudyError
from pellucid.study import GalleryRecord, Manifest, PictureRecord, SheetRecord, Study, gallery_folder, read_catalog
from pellucid.study.selection import parse_units, split_units
from pellucid.study.unit_pages import finished, layers_with_pages, merge_pages
from pellucid.study.unit_record import (
    DistributionPart,
    ExampleRecord,
    ExampleRow,
    ExamplesPart,
    LayerPages,
    QuiltColumn,
    QuiltExample,
    QuiltPart,
    UnitPage,
    unit_folder,
)

LAYER = "blocks.1"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study.create(tmp_path / "study", Manifest({"name": "net"}, {"count": 3}))


def header(unit: int = 4, **parts: Any) -> UnitPage:
    return UnitPage("net", LAYER, unit, 3, 300, 2.5, 0.25, **parts)


def examples_part(study: Study, unit: int = 4, name: str = "a") -> ExamplesPart:
    sheets = {kind: SheetRecord(f"{unit}-{kind}-{name}.webp", 96, 9) for kind in ("crops", "contexts")}
    for sheet in sheets.values():
        unit_folder(study, LAYER).mkdir(parents=True, exist_ok=True)
        (unit_folder(study, LAYER) / sheet.file).write_bytes(b"picture")
    one = ExampleRecord("a/b.png", "a", 1.5, (2, 3), 0, 0, (0.1, 0.2, 0.3, 0.4))
    return ExamplesPart(sheets, (ExampleRow("highest", "Highest", "", (one,)),))


def quilt_part(unit: int = 4) -> QuiltPart:
    column = QuiltColumn(None, 1.0, 12, (QuiltExample("a/b.png", "", -0.5, (0, 1), 0),))
    return QuiltPart("pre", SheetRecord(f"{unit}-quilt.webp", 64, 18), (column,))


DISTRIBUTION = DistributionPart({"pre": {"mean": 1.0, "sd": None, "histogram": {"edges": [0, 1], "counts": [3]}}})


def test_a_page_comes_back(study: Study) -> None:
    page = header(examples=examples_part(study), distribution=DISTRIBUTION, quilt=quilt_part(), stamps={"quilt": "x"})
    page.write(unit_folder(study, LAYER))
    assert UnitPage.read(unit_folder(study, LAYER) / "4.json") == page
    assert page.files() == ("4.json", "4-crops-a.webp", "4-contexts-a.webp", "4-quilt.webp")


def test_a_page_is_laid_out_as_its_readers_expect(study: Study) -> None:
    header(examples=examples_part(study), quilt=quilt_part()).write(unit_folder(study, LAYER))
    content = json.loads((unit_folder(study, LAYER) / "4.json").read_text())
    assert content["format"] == 1
    assert content["distribution"] is None
    assert content["examples"]["sheets"]["crops"] == {
        "file": "4-crops-a.webp", "size": 96, "columns": 9, "per_cell": 1, "tile": 0,
        "squares": [],
    }  # fmt: skip
    assert content["examples"]["rows"][0]["examples"][0] == {
        "image": "a/b.png", "label": "a", "value": 1.5, "place": [2, 3], "crop": 0, "context": 0,
        "outline": [0.1, 0.2, 0.3, 0.4],
    }  # fmt: skip
    assert content["quilt"]["columns"][0]["low"] is None


def test_parts_come_together_in_a_page(study: Study) -> None:
    merge_pages(study, LAYER, [header(examples=examples_part(study), stamps={"examples": "e"})])
    merge_pages(study, LAYER, [UnitPage("net", LAYER, 4, 3, 300, quilt=quilt_part(), stamps={"quilt": "q"})])
    merge_pages(study, LAYER, [header(distribution=DISTRIBUTION)])
    page = UnitPage.read(unit_folder(study, LAYER) / "4.json")
    assert page.parts == ("examples", "distribution", "quilt")
    assert page.stamps == {"examples": "e", "quilt": "q"}
    assert (page.max, page.fires) == (2.5, 0.25)


def test_a_part_made_anew_replaces_the_old_one_and_its_files(study: Study) -> None:
    merge_pages(study, LAYER, [header(examples=examples_part(study, name="old"), stamps={"examples": "1"})])
    pages = merge_pages(study, LAYER, [header(examples=examples_part(study, name="new"))])
    assert pages.units[0].files == ("4.json", "4-crops-new.webp", "4-contexts-new.webp")
    there = {path.name for path in unit_folder(study, LAYER).iterdir()}
    assert there == {"index.json", *pages.units[0].files}
    assert UnitPage.read(unit_folder(study, LAYER) / "4.json").stamps == {}


def test_merging_again_changes_nothing(study: Study) -> None:
    pages = [header(unit, distribution=DISTRIBUTION) for unit in (7, 2)]
    first = merge_pages(study, LAYER, pages)
    content = (unit_folder(study, LAYER) / "index.json").read_bytes()
    assert merge_pages(study, LAYER, pages) == first == merge_pages(study, LAYER, [])
    assert (unit_folder(study, LAYER) / "index.json").read_bytes() == content
    assert [entry.unit for entry in first.units] == [2, 7]
    assert first == LayerPages.read(unit_folder(study, LAYER))


def test_the_list_is_written_once_for_many_units(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    write = LayerPages.write
    monkeypatch.setattr(LayerPages, "write", lambda pages, folder: (written.append(1), write(pages, folder))[1])
    merge_pages(study, LAYER, (header(unit, distribution=DISTRIBUTION) for unit in range(30)))
    assert len(written) == 1


def test_a_run_that_was_stopped_leaves_nothing_out_of_the_next_list(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge_pages(study, LAYER, [header(1, distribution=DISTRIBUTION)])
    # As after kill -9: pages are newer than the list, which is not even begun.
    with monkeypatch.context() as patch:
        patch.setattr(LayerPages, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            merge_pages(study, LAYER, [header(1, quilt=quilt_part(1)), header(2, distribution=DISTRIBUTION)])
    assert [entry.unit for entry in LayerPages.read(unit_folder(study, LAYER)).units] == [1]
    pages = merge_pages(study, LAYER, [])
    assert [(entry.unit, entry.pages) for entry in pages.units] == [
        (1, ("distribution", "quilt")),
        (2, ("distribution",)),
    ]


def test_an_error_between_pages_leaves_those_before_it(study: Study) -> None:
    def failing() -> Iterator[UnitPage]:
        yield header(1, distribution=DISTRIBUTION)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        merge_pages(study, LAYER, failing())
    assert [entry.unit for entry in LayerPages.read(unit_folder(study, LAYER)).units] == [1]


def test_pages_of_others_are_refused(study: Study) -> None:
    merge_pages(study, LAYER, [header(distribution=DISTRIBUTION)])
    with pytest.raises(StudyError, match=r"a page of other, layer 'blocks.1', does not belong among those of net"):
        merge_pages(study, LAYER, [replace(header(), network="other")])
    with pytest.raises(StudyError, match=r"layer 'blocks.2', does not belong"):
        merge_pages(study, LAYER, [replace(header(), layer="blocks.2")])
    with pytest.raises(StudyError, match="cannot be the name of a layer's folder"):
        unit_folder(study, "../up")


def test_finished_units_have_the_configuration_and_all_files(study: Study) -> None:
    pages = [header(unit, examples=examples_part(study, unit), stamps={"examples": "e"}) for unit in (1, 2, 3)]
    merge_pages(study, LAYER, pages)
    (unit_folder(study, LAYER) / "2-crops-a.webp").unlink()
    assert finished(study, LAYER, [1, 2, 3, 4], "examples", "e") == {1, 3}
    assert finished(study, LAYER, [1, 2, 3, 4], "examples", "other") == set()
    assert finished(study, LAYER, [1], "quilt", "e") == set()


@pytest.mark.parametrize("name", ["4.json", "index.json"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "is not a record of unit pages"),
        ('{"format": 9}', "has format 9, and this version of Pellucid reads up to 1; install a newer version"),
        ('{"format": 1, "units": 3}', "is not the (page|list) of"),
        ('{"format": 1, "examples": {"rows": 1}}', "is not the (page|list) of"),
    ],
)
def test_damaged_and_newer_records_are_refused(study: Study, name: str, content: str, message: str) -> None:
    folder = unit_folder(study, LAYER)
    folder.mkdir(parents=True)
    (folder / name).write_text(content)
    with pytest.raises(StudyError, match=message):
        UnitPage.read(folder / name) if name == "4.json" else LayerPages.read(folder)


def test_the_catalog_lists_pages_and_galleries_with_their_files(study: Study) -> None:
    merge_pages(study, LAYER, [header(unit, examples=examples_part(study, unit)) for unit in (4, 9)])
    folder = gallery_folder(study, "pictures")
    folder.mkdir(parents=True)
    (folder / "one.png").write_bytes(b"")
    (folder / "one-step1.png").write_bytes(b"")
    pictures = (
        PictureRecord("blocks.1:4", 0, "one.png", 1.0, snapshots={"1": "one-step1.png"}),
        PictureRecord("blocks.1:9", 0, "gone.png", 1.0),
    )
    GalleryRecord({}, pictures).write(folder)
    catalog = read_catalog(study.path)
    assert layers_with_pages(study) == [LAYER]
    assert catalog.public()["units"] == [{"layer": LAYER, "url": "units/blocks.1/index.json", "count": 2}]
    assert catalog.public()["galleries"] == [{"name": "pictures", "url": "visualizations/pictures/gallery.json"}]
    assert set(catalog.files) == {
        "units/blocks.1/index.json",
        *(f"units/blocks.1/{unit}{end}" for unit in (4, 9) for end in (".json", "-crops-a.webp", "-contexts-a.webp")),
        *(f"visualizations/pictures/{name}" for name in ("gallery.json", "one.png", "one-step1.png")),
    }


def test_the_catalog_opens_no_page(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    merge_pages(study, LAYER, [header(unit, distribution=DISTRIBUTION) for unit in range(5)])
    monkeypatch.setattr(UnitPage, "read", lambda _: pytest.fail("a page was opened"))
    assert len(read_catalog(study.path).files) == 6


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("17", [17]),
        ("conv:17", [17]),
        ("a.b-1:3,5,9-12", [3, 5, 9, 10, 11, 12]),
        ("a:5, 3 ,4-5", [5, 3, 4]),
        ("a:0-0", [0]),
        ("*", list(range(20))),
        ("a:*", list(range(20))),
    ],
)
def test_units_are_read(text: str, units: list[int]) -> None:
    assert parse_units(text, 20) == units


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:20", "no '20' in 'a:20': the layer has units 0 to 19"),
        ("a:7-5", "no '7-5'"),
        ("a:7-20", "no '7-20'"),
        ("a:x", "cannot read 'x' in 'a:x'"),
        ("a:1,,2", "cannot read ''"),
        ("a:", "names no units"),
        (":3", "names no units"),
        ("a b:3", "names no units"),
    ],
)
def test_what_names_no_units_is_refused(text: str, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        parse_units(text, 20)


def test_a_selection_is_split_into_layer_and_units() -> None:
    assert split_units("mixed3b:3,5-7") == ("mixed3b", "3,5-7")
    with pytest.raises(ObjectiveError, match="'mixed3b' names no units; write 'layer:17'"):
        split_units("mixed3b")
