import csv
import io
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import output_of
from pellucid.cli.curves import app
from pellucid.curves import VonMises, tuning_record
from pellucid.curves.extraction import Scene, curve_scene, two_curve_scene
from pellucid.errors import ImagesError, LayerError, ObjectiveError, PellucidError
from pellucid.pictures import to_pixels

run = partial(output_of, app)


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(path.read_text())))


def saved(scene: Scene, path: Path) -> Path:
    Image.fromarray(to_pixels(scene.image)[0]).save(path)
    return path


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    return saved(curve_scene(700), tmp_path / "curve.png")


@pytest.fixture
def tuning(tmp_path: Path) -> Path:
    path = tmp_path / "tuning.json"
    path.write_text(json.dumps(tuning_record({f"relu4:{k}": VonMises(1, 15.0 * k, 8).curve(72) for k in range(24)})))
    return path


def test_extract_writes_edges_and_scores_them(curve: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.png"
    Image.fromarray(curve_scene(700).truth.astype(np.uint8) * 255).save(truth)
    outputs = [tmp_path / f"found.{ending}" for ending in ("png", "csv", "json")]
    printed = run("extract", "handnet", "relu4:0-23", curve, "--truth", truth, *(f"-o{path}" for path in outputs))
    assert "f1" in printed
    assert all(str(path) in printed for path in outputs)
    content = json.loads(outputs[2].read_text())
    assert np.array(content["edges"]).shape == (128, 128)
    assert content["units"] == list(range(24))
    (row,) = table(outputs[1])
    assert float(row["f1"]) > 0.9
    assert content["rows"][0]["f1"] == pytest.approx(float(row["f1"]))


def test_extract_scales_a_picture_to_the_size(curve: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    run("extract", "handnet", "relu4:0-23", curve, "--size", "96x112", "-o", out)
    assert np.array(json.loads(out.read_text())["edges"]).shape == (96, 112)


def test_extract_compares_itself_with_canny_on_scenes(tmp_path: Path) -> None:
    outputs = [tmp_path / f"scores.{ending}" for ending in ("png", "csv", "json")]
    given = ("--scenes", 2, "--noise", "0.25,0.3", "--seed", 700)
    printed = run("extract", "handnet", "relu4:0-23", *given, *(f"-o{path}" for path in outputs))
    rows = table(outputs[1])
    assert [row["texture"] for row in rows] == ["noise 0.25", "noise 0.3"]
    assert all(float(row["each"]) > float(row["canny_each"]) for row in rows)
    together = sum(float(row["ahead"]) for row in rows) / 2
    assert "ahead of Canny by" in printed
    assert f"all 2 textures: ahead by {together:.3f}" in printed
    assert outputs[0].stat().st_size > 1000


def test_extract_lays_curves_on_photographs(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    run("extract", "handnet", "relu4:0-23", "--scenes", 2, "--images", photographs, "-o", out)
    (row,) = json.loads(out.read_text())["rows"]
    assert row["texture"] == "photographs"
    assert 0 < row["each"] <= 1


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(2):
        values = np.kron(rng.integers(90, 220, (20, 24, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        Image.fromarray(values).save(folder / f"{number}.png")
    return folder


def test_trace_writes_the_points_of_a_picture(curve: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"trace.{ending}" for ending in ("png", "csv", "json")]
    printed = run("trace", "handnet", "relu4:0-23", curve, "--steps", 10, *(f"-o{path}" for path in outputs))
    assert "curve.png" in printed
    (one,) = json.loads(outputs[2].read_text())["traces"]
    points = np.array(one["points"])
    assert points.shape[1] == 2
    assert curve_scene(700).distances(points).mean() < 1


def test_trace_measures_itself_on_scenes(tmp_path: Path) -> None:
    out = tmp_path / "trace.csv"
    given = ("--scenes", 1, "--seed", 300, "--steps", 20, "--seen", "0-41")
    printed = run("trace", "handnet", "relu4:0-23", *given, "-o", out)
    assert "arcs, noise 0" in printed
    assert "S curves, noise 0" in printed
    assert "0 of 2 curves were not found at all" in printed
    rows = table(out)
    assert all(float(row["error"]) < 2 for row in rows)


def test_compose_names_the_factors_of_pictures(tmp_path: Path, tuning: Path) -> None:
    pictures = [saved(two_curve_scene(seed), tmp_path / f"{seed}.png") for seed in (501, 502)]
    outputs = [tmp_path / f"factors.{ending}" for ending in ("png", "csv", "json")]
    given = ("--count", 4, "--tuning", tuning, *(f"-o{path}" for path in outputs))
    printed = run("compose", "handnet", "relu4:0-23", *pictures, *given)
    assert "2 images, relative error" in printed
    content = json.loads(outputs[2].read_text())
    assert np.array(content["maps"]).shape == (2, 4, 16, 16)
    assert len(table(outputs[1])) == 4


def test_compose_measures_itself_on_scenes(tmp_path: Path, tuning: Path) -> None:
    outputs = [tmp_path / f"split.{ending}" for ending in ("png", "csv")]
    given = ("--scenes", 2, "--seed", 501, "--tuning", tuning, *(f"-o{path}" for path in outputs))
    printed = run("compose", "handnet", "relu4:0-23", *given)
    assert "worse of two" in printed
    assert [row["scene"] for row in table(outputs[1])] == ["501", "502"]


def test_comb_gives_an_index_with_an_interval_for_either_side(tmp_path: Path, tuning: Path) -> None:
    outputs = [tmp_path / f"comb.{ending}" for ending in ("png", "csv", "json")]
    given = ("--tuning", tuning, "--spacing", "8", "--offset", "0", "--radius", "40,60", "--phase", "0,0.5")
    printed = run("comb", "handnet", "relu4:3", *given, *(f"-o{path}" for path in outputs))
    assert "ticks inside: 0 of 1 units answer more" in printed
    rows = table(outputs[1])
    assert [row["side"] for row in rows] == ["inside", "outside"]
    for row in rows:
        assert float(row["index low"]) <= float(row["index"]) <= float(row["index high"]) < 0


def test_what_cannot_be_done_is_said_in_one_line(curve: Path, tmp_path: Path) -> None:
    for command in ("extract", "trace", "compose"):
        with pytest.raises(PellucidError, match="give a picture, or have curves drawn"):
            run(command, "handnet", "relu4:0-23")
        with pytest.raises(PellucidError, match="give a picture, or have curves drawn"):
            run(command, "handnet", "relu4:0-23", curve, "--scenes", 3)
        with pytest.raises(LayerError, match="layer 'logits' of handnet has no spatial activations"):
            run(command, "handnet", "logits:0", curve)
        with pytest.raises(ObjectiveError, match="the layer has units 0 to 41"):
            run(command, "handnet", "relu4:50", curve)
        with pytest.raises(ImagesError, match=r"none\.png"):
            run(command, "handnet", "relu4:0-23", tmp_path / "none.png")
        with pytest.raises(PellucidError, match=r"not '.pdf'"):
            run(command, "handnet", "relu4:0-23", curve, "-o", "a.pdf")
    with pytest.raises(LayerError, match="has no spatial activations"):
        run("comb", "handnet", "logits:0")
    grey = tmp_path / "grey.png"
    Image.new("RGB", (128, 128), (128, 128, 128)).save(grey)
    with pytest.raises(ObjectiveError, match="none of the units fires anywhere in the image"):
        run("extract", "handnet", "relu4:0-23", grey)
