"""Atlases of classes, aligned atlases and compared networks on the command line, on the network made by hand."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pellucid.cli import atlas_align, atlas_class, atlas_compare, atlas_networks
from pellucid.cli.harvest import harvest
from pellucid.errors import AtlasError, PellucidError, StudyError
from pellucid.study import Study, read_catalog
from photographs import photograph_squares

app = typer.Typer()
app.command("harvest")(harvest)
app.command("class")(atlas_class.class_)
app.command("compare")(atlas_compare.compare)
app.command("align")(atlas_align.align)
app.command("networks")(atlas_networks.networks)
ICONS = ("--icon-size", 16, "--steps", 1, "--min-count", 2)


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    images = photograph_squares(folder / "images", 8)
    for network in ("handnet", "handnet_positive"):
        given = ("--images", images, "--positions", 8, "--aligned", "--covariance", 0, "-o", folder / network)
        run("harvest", network, *given, "--layer", "relu4", "--pooling", "smooth")
    return folder


def test_harvests_say_how_they_were_made(folder: Path) -> None:
    text = (folder / "handnet" / "activations" / "relu4" / "config.json").read_text()
    assert '"aligned": true' in text
    assert '"pooling": "smooth"' in text
    with pytest.raises(PellucidError, match="are of activations for an atlas: give --positions too"):
        run("harvest", "handnet", "--images", folder / "images", "--layer", "relu4", "--aligned", "-o", folder / "x")


def test_classes_are_drawn_by_name_and_index(folder: Path) -> None:
    study = folder / "handnet"
    printed = run("class", study, "line 90", "--grids", 2, "--layout", "pca", *ICONS)
    assert "relu4@c33: line 90: 50 activations" in printed
    assert "of 2x2" in printed
    printed = run("compare", study, "33", "line 0", "--grids", 2, "--layout", "pca", "--most", 20, *ICONS)
    assert "relu4@c33-c24: " in printed
    kinds = {entry["name"]: entry["kind"] for entry in read_catalog(study).atlases}
    assert kinds == {"relu4@c33": "class", "relu4@c33-c24": "comparison"}
    with pytest.raises(AtlasError, match="there is no class 42: there are classes 0 to 41"):
        run("class", study, "42")
    with pytest.raises(AtlasError, match="there is no class 'zebra'"):
        run("compare", study, "3", "zebra")
    with pytest.raises(StudyError, match="no finished harvest of layer 'relu3'; it has relu4"):
        run("class", study, "3", "--layer", "relu3")


def test_networks_are_aligned_and_compared(folder: Path) -> None:
    study, other = folder / "handnet", folder / "handnet_positive"
    given = ("--grids", 2, "--neighbors", 8, *ICONS)
    printed = run("align", study, "relu4", "--other", other, *given)
    assert "handnet/relu4 - handnet_positive/relu4" in printed
    assert "relu4@aligned-handnet_positive" in printed
    printed = run("networks", study, other, "--grid", 2, *given)
    assert "linear CKA" in printed
    assert "regions only handnet has" in printed
    pages = read_catalog(Study.open(study).path).pages
    assert [(page["kind"], page["name"]) for page in pages] == [("networks", "relu4@handnet_positive")]
    with pytest.raises(PellucidError, match="2 files of weights are given for 1 other studies"):
        run("align", study, "relu4", "--other", other, "--other-weights", "a", "--other-weights", "b")
