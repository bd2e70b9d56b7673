"""`pellucid examples` and `pellucid quilt`."""

from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from harvests import LAYER, harvested, photographs
from pellucid.activations.page_parts import read_examples, read_quilt
from pellucid.cli.examples import examples
from pellucid.cli.quilt import quilt
from pellucid.errors import ObjectiveError, PellucidError, StudyError, SummaryError
from pellucid.study import Study, read_catalog

APP = typer.Typer()
APP.command("examples")(examples)
APP.command("quilt")(quilt)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return harvested(tmp_path / "study", photographs(tmp_path / "images", 9))


def run(*arguments: object) -> str:
    ended = CliRunner().invoke(APP, [str(argument) for argument in arguments], catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_examples_go_to_the_study_and_to_a_picture(study: Study, tmp_path: Path):
    picture = tmp_path / "units.png"
    said = run(
        "examples", study.path, f"{LAYER}:1,3", "--count", 3, "--rows", "highest,0.5", "--tap", "pre", "-o", picture
    )
    assert "examples of 2 units of made.up" in said
    found = read_examples(study, LAYER, 3)
    assert [row.name for row in found.rows] == ["highest", "0.5"]
    assert [len(row.examples) for row in found.rows] == [3, 3]
    with Image.open(picture) as image:
        assert image.height == 2 * found.sheet().height
    assert f"units/{LAYER}/3.json" in read_catalog(study.path).files


def test_a_quilt_goes_to_the_study_and_to_a_picture(study: Study, tmp_path: Path):
    run("quilt", study.path, f"{LAYER}:*", "--columns", 5, "--rows", 2)
    assert all(len(read_quilt(study, LAYER, unit).columns) <= 5 for unit in range(5))
    run("quilt", study.path, f"{LAYER}:2", "--columns", "-inf,-1,0,inf", "--tap", "post", "-o", tmp_path / "quilt.webp")
    assert [(column.low, column.high) for column in read_quilt(study, LAYER, 2).columns] == [
        (None, -1.0), (-1.0, 0.0), (0.0, None),
    ]  # fmt: skip
    assert read_quilt(study, LAYER, 2).tap == "post"
    assert (tmp_path / "quilt.webp").is_file()


def test_photographs_are_found_where_they_are_now(study: Study, tmp_path: Path):
    (tmp_path / "images").rename(tmp_path / "moved")
    run("examples", study.path, f"{LAYER}:0", "--images", tmp_path / "moved")
    assert read_examples(study, LAYER, 0).rows[0].note.startswith("the harvest kept only")


@pytest.mark.parametrize("command", ["examples", "quilt"])
def test_what_cannot_be_made_is_refused_before_anything_is_written(study: Study, tmp_path: Path, command: str):
    for units, error, message in (
        ("made.up", ObjectiveError, "names no units"),
        ("made.up:9", ObjectiveError, "units 0 to 4"),
        ("other:0", StudyError, "no finished summary of layer 'other'"),
    ):
        with pytest.raises(error, match=message):
            run(command, study.path, units)
    with pytest.raises(PellucidError, match="cannot hold 5 units"):
        run(command, study.path, "made.up:*", "-o", tmp_path / "all.npy")
    with pytest.raises(PellucidError, match=r"not '\.tiff'"):
        run(command, study.path, "made.up:0", "-o", tmp_path / "one.tiff")
    with pytest.raises(SummaryError, match=r"no row 'best'|edges of columns must grow"):
        run(command, study.path, "made.up:0", *(["--rows", "best"] if command == "examples" else ["--columns", "5.5"]))
    assert not (study.path / "units").exists()
