"""`pellucid atlas query`, `paint` and `figure`, and `pellucid serve --live`."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from commands import output_of, pellucid_command
from palettes import LAYER, palette_network, palette_study
from pellucid.atlas.palette import Palette
from pellucid.atlas.query import ImageIndex
from pellucid.cli.atlas_figure import figure
from pellucid.cli.atlas_paint import paint
from pellucid.cli.atlas_query import query
from pellucid.errors import AtlasError, PellucidError, StudyError
from pellucid.study import Study

app = typer.Typer()
for command in (figure, paint, query):
    app.command()(command)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return palette_study(tmp_path_factory.mktemp("commands"), palette_network())


@pytest.fixture(autouse=True)
def own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.cli.options.load_network", lambda *_: palette_network())


def test_a_query_lists_the_images_of_cells(study: Study, tmp_path: Path) -> None:
    asked = ("query", study.path, "--cell", "2.0.0", "--cell", "3.1.1*-0.5", "--limit", 4)
    found = json.loads(output_of(app, *asked, "--json"))
    palette = Palette.open(study)
    wanted = ImageIndex.open(study, LAYER).images(palette.mix([(2, 0, 0, 1.0), (3, 1, 1, -0.5)]), 4)
    assert [one["name"] for one in found] == [one.name for one in wanted]
    printed = output_of(app, *asked, "-o", tmp_path / "found.png")
    assert all(one.name in printed for one in wanted)
    with Image.open(tmp_path / "found.png") as sheet:
        assert sheet.size == (324, 324)
    exact = json.loads(output_of(app, *asked, "--json", "--exact"))
    assert exact[0]["image"] == wanted[0].image


def test_a_query_follows_a_path(study: Study) -> None:
    found = json.loads(output_of(app, "query", study.path, "--path", "0,0;1,1", "--grid", 2, "--limit", 3, "--json"))
    palette = Palette.open(study)
    vectors = np.stack([palette.mix([cell]) for cell in palette.along([(0, 0), (1, 1)], 2)])
    assert [one["image"] for one in found] == [one.image for one in ImageIndex.open(study, LAYER).images(vectors, 3)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "either cells with --cell, or a path with --path"),
        (("--cell", "2.0.0", "--path", "0,0;1,1"), "either cells with --cell, or a path"),
        (("--path", "0,0"), "a path has two points at least"),
        (("--path", "here"), "'here' is no path"),
        (("--path", "0,0;1,1", "--grid", 4), "has no grid of 4 cells"),
        (("--cell", "2.5.0"), "has no cell in row 5, column 0"),
        (("--cell", "2.0.0", "-o", "found.gif"), "not '.gif'"),
    ],
)
def test_a_query_for_nothing_is_refused(study: Study, options: tuple, message: str) -> None:
    with pytest.raises(PellucidError, match=message.replace(".", r"\.")):
        output_of(app, "query", study.path, *options)


def test_rectangles_are_painted_one_over_the_other(study: Study, tmp_path: Path) -> None:
    target = tmp_path / "painting.png"
    said = output_of(
        app, "paint", study.path, "-o", target, "--steps", 2, "--rectangle", "all=2.0.0", "--rectangle",
        "6-11,0-11=2.1.1*2+3.0.0",
    )  # fmt: skip
    assert "144 of 12 x 12 positions painted" in said
    assert "seen as class" in said
    with Image.open(target) as picture:
        assert picture.size == (24, 24)
    strokes = [
        {"row": row, "column": column, "cells": [{"grid": 2, "row": 0, "column": 0}]}
        if row < 6
        else {
            "row": row,
            "column": column,
            "cells": [{"grid": 2, "row": 1, "column": 1, "weight": 2}, {"grid": 3, "row": 0, "column": 0}],
        }
        for row in range(12)
        for column in range(12)
    ]
    (tmp_path / "painting.json").write_text(json.dumps({"atlas": LAYER, "strokes": strokes}))
    again = tmp_path / "again.png"
    output_of(app, "paint", study.path, "-o", again, "--steps", 2, "--file", tmp_path / "painting.json")
    assert again.read_bytes() == target.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "either with --rectangle, or a painting with --file"),
        (("--rectangle", "all"), "'all' is no rectangle"),
        (("--rectangle", "0-3=2.0.0"), "'0-3' is no rectangle"),
        (("--rectangle", "0-12,0=2.0.0"), "rows 0-12 do not lie within the canvas, whose rows are 0 to 11"),
        (("--rectangle", "0,3-1=2.0.0"), "columns 3-1 do not lie within"),
        (("--rectangle", "0,x=2.0.0"), "'x' are no columns"),
        (("--rectangle", "0,0=2.0"), "'2.0' is no cell"),
        (("--rectangle", "0,0=2.9.0"), "has no cell in row 9, column 0"),
    ],
)
def test_what_cannot_be_painted_is_refused(study: Study, tmp_path: Path, options: tuple, message: str) -> None:
    with pytest.raises(AtlasError, match=message.replace(".", r"\.")):
        output_of(app, "paint", study.path, "-o", tmp_path / "p.png", *options)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"strokes": 3}', '{"strokes": [{"row": 0}]}', "[" * 5000])
def test_a_file_that_is_no_painting_is_refused(study: Study, tmp_path: Path, content: str) -> None:
    (tmp_path / "painting.json").write_text(content)
    with pytest.raises(AtlasError, match="is no painting"):
        output_of(app, "paint", study.path, "-o", tmp_path / "p.png", "--file", tmp_path / "painting.json")


def test_a_figure_is_written(study: Study, tmp_path: Path) -> None:
    assert "wrote" in output_of(app, "figure", study.path, "-o", tmp_path / "a.pdf", "--grid", 2, "--width", 3)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(AtlasError, match="--against needs a class"):
        output_of(app, "figure", study.path, "-o", tmp_path / "a.pdf", "--against")
    with pytest.raises(AtlasError, match="holds no attribution of class 0"):
        output_of(app, "figure", study.path, "-o", tmp_path / "a.pdf", "--class", "class 0")


def test_what_is_for_a_live_page_needs_one(study: Study) -> None:
    ended = pellucid_command("serve", study.path, "--patches", study.path)
    assert (ended.returncode, "give --live with them" in ended.stderr) == (2, True)
    ended = pellucid_command("serve", study.path, "--live")
    assert (ended.returncode, "error: " in ended.stderr) == (2, True)
    assert "Small" in ended.stderr
    with pytest.raises(StudyError, match="no study in"):
        output_of(app, "query", study.path / "nothing", "--cell", "2.0.0")
