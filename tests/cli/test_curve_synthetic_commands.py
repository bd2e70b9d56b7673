import csv
import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import pellucid
from commands import output_of
from pellucid.activations import SummaryConfig, summarize
from pellucid.cli.curves import app
from pellucid.curves import Bank, Curve, Line
from pellucid.curves.synthetic import dataset_scale
from pellucid.curves.tuning_curves import read_tuning_curves
from pellucid.errors import LayerError, PellucidError, StudyError
from pellucid.pictures import save_sheet

run = partial(output_of, app)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A harvest of drawn pictures."""
    folder = tmp_path_factory.mktemp("synthetic")
    bank = Bank.product(Curve, radius=(30, 55), orientation=range(0, 360, 30))
    bank += Bank.product(Line, orientation=range(0, 180, 30))
    for number, picture in enumerate(bank.draw(128)):
        save_sheet(folder / "images" / f"{number}.png", picture[None], 1)
    config = SummaryConfig(examples=4, samples=2, covariance=0)
    return summarize(pellucid.load("handnet"), str(folder / "images"), ["relu4"], folder / "study", config=config).path


def test_heatmap_prints_and_writes_what_it_measures(tmp_path: Path, study: Path) -> None:
    outputs = [tmp_path / f"h.{ending}" for ending in ("png", "svg", "csv", "json")]
    given = [part for path in outputs for part in ("-o", path)]
    options = ("--step", 30, "--radius", "40,60,80", "--styles", "line,fill,line")
    shown = run("heatmap", "handnet", "relu4:0,6", "--study", study, *options, *given)
    assert all(path.stat().st_size > 0 and f"wrote {path}" in shown.replace("\n", "") for path in outputs)
    rows = list(csv.DictReader(outputs[2].read_text().splitlines()))
    assert [(row["unit"], row["style"]) for row in rows] == [
        (unit, style) for unit in ("relu4:0", "relu4:6") for style in ("line", "fill")
    ]
    assert [float(row["orientation"]) for row in rows] == [180, 180, 270, 270]
    assert {float(row["radius"]) for row in rows} <= {40, 60}
    assert "fill to line: median correlation 0.99" in shown or "fill to line: median correlation 1.000" in shown
    data = json.loads(outputs[3].read_text())
    first = data["heatmaps"][0]
    assert (first["measure"], first["radius"], len(first["orientations"])) == ("sigma", [80, 60, 40], 12)
    scale = dataset_scale(study, pellucid.load("handnet"), "relu4")
    values = (np.maximum(first["activations"], 0) - scale.mean[0]) / scale.deviation[0]
    assert float(rows[0]["peak"]) == pytest.approx(values.max())
    assert first["deviation"] == pytest.approx(scale.deviation[0])
    assert data["positions"] == scale.positions
    assert "standard deviations above the mean of 7,680 positions" in " ".join(shown.split())


def test_heatmap_says_that_values_are_activations_without_a_study(tmp_path: Path) -> None:
    shown = run("heatmap", "handnet", "relu4:6", "--step", 45, "--radius", 50, "-o", tmp_path / "h.json")
    assert "values are activations" in shown
    assert "correlation" not in shown
    assert "warning" not in shown
    assert json.loads((tmp_path / "h.json").read_text())["heatmaps"][0]["measure"] == "activation"


def test_tuning_is_read_by_radial_and_families(tmp_path: Path, study: Path) -> None:
    file = tmp_path / "t.json"
    options = ("--step", 15, "--radius", "52", "-o", file)
    shown = run("tuning", "handnet", "relu4:0-23", *options, "-o", tmp_path / "t.png", "--study", study)
    assert re.search(r"relu4: 24 units, median R 0\.9\d+, echo 0\.000", shown)
    curves = read_tuning_curves(file)
    assert [curve.argmax for curve in curves.values()] == [15 * unit for unit in range(24)]
    assert "relu4: 24 units, median R 0.9" in run("radial", file)
    assert "24 mature, 0 proto" in run("families", file)
    row = json.loads(file.read_text())["measures"][3]
    scale = dataset_scale(study, pellucid.load("handnet"), "relu4")
    assert row["fires"] == pytest.approx(scale.fires[3])
    assert row["z"] == pytest.approx((row["peak"] - scale.mean[3]) / scale.deviation[3], rel=1e-5)
    again = tmp_path / "again.json"
    run("tuning", "handnet", "relu4:0-23", "--step", 15, "--radius", 52, "-o", again)
    assert json.loads(again.read_text())["curves"] == json.loads(file.read_text())["curves"]


def test_tuning_to_lines_is_by_their_direction(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    shown = run("tuning", "handnet", "relu4:24,33", "--lines", "--step", 10, "-o", file, "-o", tmp_path / "t.json")
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [float(row["argmax"]) for row in rows] == [90, 0]
    assert "fires" not in rows[0]
    assert {curve.period for curve in read_tuning_curves(tmp_path / "t.json").values()} == {180}
    assert "relu4:33" in shown


def test_angles_tells_whether_each_step_rises(tmp_path: Path) -> None:
    outputs = [tmp_path / f"a.{ending}" for ending in ("png", "csv", "json")]
    given = [part for path in outputs for part in ("-o", path)]
    options = ("--step", 30, "--rounding", "0,37", "--opening", "150,110,70", "--radius", "80,50,40")
    shown = run("angles", "handnet", "relu4:0,6,30", *options, *given)
    rows = list(csv.DictReader(outputs[1].read_text().splitlines()))
    assert [row["rises"] for row in rows][:2] == ["True", "True"]
    assert list(rows[0])[1:4] == ["corner", "rounded_37", "curve"]
    assert f"{sum(row['rises'] == 'True' for row in rows)} of 3 units rise" in shown
    assert "median ratio rounded 37" in shown
    heatmaps = json.loads(outputs[2].read_text())["heatmaps"]
    assert [one["rounding"] for one in heatmaps[:3]] == [0, 37, None]
    assert [one["kind"] for one in heatmaps[:3]] == ["angle", "angle", "curve"]
    assert len(heatmaps) == 9


@pytest.mark.parametrize("command", ["heatmap", "angles", "tuning"])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["logits:0"], LayerError, "has no spatial activations"),
        (["relu4"], PellucidError, "'relu4' names no units"),
        (["relu4:42"], PellucidError, "the layer has units 0 to 41"),
        (["relu4:0", "--step", "7"], PellucidError, "--step 7 does not divide 360 degrees"),
        (["relu4:0", "--step", "0"], PellucidError, "--step 0 does not divide"),
        (["relu4:0", "--radius", "a"], PellucidError, "are not numbers separated by commas"),
        (["relu4:0", "-o", "a.txt"], PellucidError, "as .png, .svg, .csv or .json, not '.txt'"),
        (["relu4:0", "--study", "no"], StudyError, "'pellucid harvest handnet --images DIR --layer relu4 -o no'"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    command: str, arguments: list[str], error: type[PellucidError], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(command, "handnet", *arguments)


def test_a_study_of_another_layer_or_network_is_refused(study: Path) -> None:
    with pytest.raises(
        StudyError, match="no finished summary of layer 'relu3'; it has relu4; make one with 'pellucid h"
    ):
        run("heatmap", "handnet", "relu3:0", "--study", study)
    with pytest.raises(StudyError, match="other weights than those of handnet_positive"):
        run("tuning", "handnet_positive", "relu4:0", "--study", study)


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match="no style 'lien'; there are line"):
        run("heatmap", "handnet", "relu4:0", "--styles", "lien")
    with pytest.raises(PellucidError, match="--radius is of curves"):
        run("tuning", "handnet", "relu4:0", "--lines", "--radius", "5")
    with pytest.raises(PellucidError, match=r"shows 24 units at most, not 42; write .csv or .json"):
        run("heatmap", "handnet", "relu4:*", "-o", tmp_path / "h.png")


def test_a_unit_that_sees_too_much_is_told_of_and_shown(tmp_path: Path) -> None:
    shown = run("tuning", "handnet", "mean:0", "--step", 90, "--radius", 50, "-o", tmp_path / "t.json")
    assert "warning: mean of handnet sees all of its picture of 128 x 128 px" in " ".join(shown.split())
    assert "sees all" in json.loads((tmp_path / "t.json").read_text())["warning"]
