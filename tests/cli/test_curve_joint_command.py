"""`pellucid curves joint`, as a user runs it."""

import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid
from commands import output_of
from pellucid.activations import SummaryConfig, summarize
from pellucid.cli.curves import app
from pellucid.curves import Curve, Style, draw
from pellucid.curves.tuning_curves import read_tuning_curves
from pellucid.errors import ImagesError, LayerError, ObjectiveError, PellucidError, StudyError
from pellucid.pictures import to_pixels

run = partial(output_of, app)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A harvest of two layers of handnet on photographs of curves."""
    folder = tmp_path_factory.mktemp("joint")
    (folder / "images").mkdir()
    style = Style(foreground=0.1, background=0.8)
    for number in range(4):
        picture = draw(Curve(90.0 * number + 5, 90, width=2), 200, style=style)
        Image.fromarray(to_pixels(picture.numpy())[0]).save(folder / "images" / f"{number}.png")
    layers = ["relu4", "logits"]
    summarize(pellucid.load("handnet"), folder / "images", layers, folder / "study", config=SummaryConfig(examples=2))
    return folder / "study"


def test_joint_prints_and_writes_what_photographs_tell(study: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"joint.{ending}" for ending in ("png", "svg", "csv", "json")]
    shown = run(
        "joint", "handnet", "relu4:0,6,18", "--study", study, "--reference", "6", "--examples", 2, "--step", 15,
        *(part for path in outputs for part in ("-o", path)),
    )  # fmt: skip
    assert "relu4: 2 photographs of 1 units, turned" in shown
    assert "directions of 3 units, once turned upon each other: rms" in shown
    assert "told by the other units of the layer: 0 of 1 confirmed within 15°" in shown  # two photographs are too few
    assert all(path.stat().st_size > 0 and f"wrote {path}" in shown.replace("\n", "") for path in outputs)
    rows = list(csv.DictReader(outputs[2].read_text().splitlines()))
    assert [row["unit"] for row in rows] == ["relu4:0", "relu4:6", "relu4:18"]
    assert max(abs(float(row["difference"])) for row in rows) <= 8
    assert abs(float(rows[1]["by_others"])) <= 10
    assert rows[0]["by_others"] == ""
    content = json.loads(outputs[3].read_text())
    assert content["network"] == "handnet"
    assert content["units"][1]["unit"] == "relu4:6"
    curve = read_tuning_curves(outputs[3])["relu4:18"]
    assert curve.circular_mean == pytest.approx(270, abs=8)
    assert np.array_equal(curve.angles, np.arange(0, 360, 15))


def test_options_reach_the_turning(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def turn(network, study, layer, units, **options) -> None:
        given.update(options, network=network.name, layer=layer, units=units)
        raise PellucidError("that is enough")

    monkeypatch.setattr("pellucid.curves.natural.natural_family", turn)
    with pytest.raises(PellucidError, match="that is enough"):
        run(
            "joint", "handnet", "relu4:6,9", "--study", study, "--examples", 3, "--step", 30, "--reference", "9",
            "--align", "mean", "--side", "pre", "--beyond", "grey", "--round", "--images", "elsewhere",
        )  # fmt: skip
    assert given == {
        "network": "handnet", "layer": "relu4", "units": [6, 9], "references": [9], "examples": 3, "step": 30,
        "align": "mean", "side": "pre", "beyond": "grey", "window": True, "source": "elsewhere", "progress": True,
    }  # fmt: skip


def test_joint_says_what_is_missing(study: Path, tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match=r"no finished summary of layer 'relu3'; it has logits, relu4; make one with 'p"
    ):
        run("joint", "handnet", "relu3:0", "--study", study)
    with pytest.raises(StudyError, match="no study"):
        run("joint", "handnet", "relu4:0", "--study", tmp_path)
    with pytest.raises(LayerError, match="'logits' of handnet has no spatial activations"):
        run("joint", "handnet", "logits:0", "--study", study)
    with pytest.raises(ObjectiveError, match="there is no '42'"):
        run("joint", "handnet", "relu4:42", "--study", study)
    with pytest.raises(PellucidError, match="a step of 50 degrees does not divide a turn"):
        run("joint", "handnet", "relu4:0", "--study", study, "--step", 50)
    with pytest.raises(PellucidError, match=r"results are written as \.png, \.svg, \.csv or \.json, not '\.txt'"):
        run("joint", "handnet", "relu4:0", "--study", study, "-o", tmp_path / "joint.txt")
    with pytest.raises(ImagesError, match=f"no folder {tmp_path}/gone"):
        run("joint", "handnet", "relu4:0", "--study", study, "--images", tmp_path / "gone")


def test_a_unit_that_never_fires_is_named(study: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for number in range(2):
        Image.new("RGB", (150, 150), (200, 200 - number, 200)).save(tmp_path / "images" / f"{number}.png")
    made = tmp_path / "study"
    summarize(pellucid.load("handnet"), tmp_path / "images", "relu4", made, config=SummaryConfig(examples=2))
    with pytest.raises(PellucidError, match="unit relu4:3 never fired in the 2 photographs of the study"):
        run("joint", "handnet", "relu4:3", "--study", made)
