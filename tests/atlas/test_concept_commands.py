from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from colours import colour_network, coloured_photographs, flat
from commands import output_of
from pellucid.activations import HarvestConfig, harvest
from pellucid.atlas import AtlasConfig, build
from pellucid.atlas.icons import IconConfig
from pellucid.cli import atlas_histogram, atlas_image, atlas_patch
from pellucid.errors import AtlasError, ImagesError, PellucidError, StudyError
from pellucid.networks import Network
from pellucid.study import PageRecord, Study
from photographs import drawn_photographs
from small import small_network


def command(function: Callable[..., Any]) -> typer.Typer:
    app = typer.Typer()
    app.command()(function)
    return app


PATCH, HISTOGRAM, IMAGE = (
    command(function) for function in (atlas_patch.patch, atlas_histogram.histogram, atlas_image.image)
)


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = colour_network()
    monkeypatch.setattr(atlas_patch, "load_network", lambda *_: network)
    return network


@pytest.fixture(scope="module")
def small() -> Network:
    return small_network(size=(12, 16))


@pytest.fixture(scope="module")
def study(small: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    images = drawn_photographs(folder / "images", 12)
    icons = IconConfig(size=16, steps=1, batch=64)
    made = harvest(small, images, "act3", folder / "study", config=HarvestConfig(positions=10))
    build(
        small,
        made,
        "act3",
        config=AtlasConfig(grids=(2,), min_count=3, layout="pca", patches=1, patch_size=8, icons=icons),
    )
    return made.path


def test_patches_are_tried_from_the_command_line(colours: Network, tmp_path: Path) -> None:
    images = coloured_photographs(tmp_path / "images", {"red": 5, "blue": 2})
    (tmp_path / "patches").mkdir()
    flat((0, 255, 0)).save(tmp_path / "patches" / "leaf.png")
    flat((255, 255, 255)).save(tmp_path / "white.png")
    said = output_of(
        PATCH, "colours", "--images", images, "--patches", tmp_path / "patches", "--target", "emerald", "--class",
        "ruby", "--also", "violet", "--sizes", "0.2,0.9", "--corners", "0,3", "--control", tmp_path / "white.png", "-o",
        tmp_path / "study", "--resamples", 200,
    )  # fmt: skip
    assert "leaf" in said
    assert "all sizes and corners, white: green in 0.0 %" in said
    assert "logit of violet, patches less white: +0.00" in said
    assert "look at it: pellucid serve" in said
    record = PageRecord.read(tmp_path / "study" / "pages" / "patch" / "red-green")
    assert (record.content["images"], record.content["source"], record.content["target"]) == (5, 0, 1)
    # A second page in the study that is there now; photographs of all classes.
    said = output_of(
        PATCH, tmp_path / "study", "--images", images, "--patches", tmp_path / "patches" / "leaf.png", "--target", "1",
        "--sizes", "0.9", "--corners", "0", "--controls", "", "--name", "again", "--resamples", 200,
    )  # fmt: skip
    assert PageRecord.read(tmp_path / "study" / "pages" / "patch" / "again").content["images"] == 7
    assert Study.open(tmp_path / "study").manifest.images == {}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"--sizes": "0.2,x"}, PellucidError, "sizes '0.2,x' are not numbers"),
        ({"--sizes": "2"}, AtlasError, r"sizes = \(2.0,\) must be shares"),
        ({"--corners": "0,9"}, AtlasError, r"corners = \(0, 9\) must be among 0 to 3"),
        ({"--target": "purple"}, AtlasError, "there is no class 'purple'"),
        ({"--target": ""}, AtlasError, "--target is empty"),
        ({"--class": "violet"}, ImagesError, "none of the 3 photographs is of class 3"),
        ({"--controls": "grey,music"}, AtlasError, "there is no control 'music'"),
        ({"--patches": "nothing"}, ImagesError, "no folder nothing"),
        ({"--images": "nothing"}, ImagesError, "no folder nothing"),
        ({"--name": "../up"}, StudyError, "cannot be the name of a page"),
        ({"--only": "0-1,"}, None, ""),
    ],
)
def test_wrong_settings_of_patches_are_told(
    colours: Network, tmp_path: Path, change: dict[str, str], error: type[Exception] | None, message: str
) -> None:
    flat((0, 255, 0)).save(tmp_path / "leaf.png")
    options = {
        "--images": str(coloured_photographs(tmp_path / "images", {"red": 3})), "--patches": str(tmp_path / "leaf.png"),
        "--target": "green", "--sizes": "0.5", "--corners": "0", "-o": str(tmp_path / "study"), "--resamples": "100",
    } | change  # fmt: skip
    arguments = [part for option in options.items() for part in option]
    if error is None:
        assert "look at it" in output_of(PATCH, "colours", *arguments)
        return
    with pytest.raises(error, match=message):
        output_of(PATCH, "colours", *arguments)
    assert not list(tmp_path.glob("study/pages/patch/*/page.json"))


def test_a_study_without_images_needs_some(colours: Network, tmp_path: Path) -> None:
    flat((0, 255, 0)).save(tmp_path / "leaf.png")
    with pytest.raises(StudyError, match="say which photographs with --images"):
        output_of(PATCH, "colours", "--patches", tmp_path / "leaf.png", "--target", "green")


def test_histograms_are_compared_from_the_command_line(study: Path) -> None:
    said = output_of(HISTOGRAM, study, "--first", "deeper/*", "--permutations", 200, "--name", "one")
    assert "deeper/*: 40 activations of 4 images" in said
    assert "not deeper/*: 80 activations of 8 images" in said
    assert "the histograms differ with p = " in said
    said = output_of(HISTOGRAM, study, "--first", "deep=deeper/*", "--second", "rest=0*.png", "--permutations", 200)
    assert "deep: 40 activations of 4 images" in said
    assert "rest: 80 activations of 8 images" in said
    said = output_of(HISTOGRAM, study, study, "--permutations", 200, "--json", "--name", "two")
    assert '"outside"' in said
    for name in ("one", "two"):
        assert PageRecord.read(study / "pages" / "histogram" / name).kind == "histogram"
    with pytest.raises(AtlasError, match="say what to compare: another study, or a part"):
        output_of(HISTOGRAM, study)
    with pytest.raises(AtlasError, match="choose parts of one study; leave them out"):
        output_of(HISTOGRAM, study, study, "--first", "deeper/*")
    with pytest.raises(AtlasError, match=r"4 images are in both sets, deeper/000\.png for one"):
        output_of(HISTOGRAM, study, "--first", "deeper/*", "--second", "*.png")
    with pytest.raises(ImagesError, match="none of the 12 images is chosen by '0-6'"):
        output_of(HISTOGRAM, study, "--first", "0-6")
    with pytest.raises(AtlasError, match="has no grid of 9 cells a side; it has 2"):
        output_of(HISTOGRAM, study, "--first", "deeper/*", "--grid", 9)


def test_a_photograph_is_drawn_from_the_command_line(
    small: Network, study: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pellucid.cli.options.load_network", lambda *_: small)
    said = output_of(
        IMAGE, study, "001.png", "--groups", 2, "--icon-size", 16, "--steps", 1, "--batch", 64, "--name", "one"
    )
    assert "6x8 positions of act3" in said
    assert "group 2, " in said
    assert PageRecord.read(study / "pages" / "image" / "one").content["atlas"] == "act3"
    with pytest.raises(
        ImagesError, match=r"'01\.png' is neither a file nor one of the 12 photographs of the study; did"
    ):
        output_of(IMAGE, study, "01.png")
    with pytest.raises(StudyError, match="no study in"):
        output_of(IMAGE, tmp_path, "001.png")
