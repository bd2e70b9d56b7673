import csv
import json
from functools import partial
from pathlib import Path

import pytest

from commands import output_of
from pellucid.cli.curves import app
from pellucid.errors import ImagesError, LayerError, PellucidError, StudyError
from photographs import real_photographs

run = partial(output_of, app)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_photographs(tmp_path_factory.mktemp("images"))


def test_curve_detectors_are_found_and_written(images: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / name for name in ("found.json", "found.csv", "found.png")]
    given = [part for path in outputs for part in ("-o", path)]
    text = run(
        "find", "handnet", "--images", images, "--layers", "relu4", "--orientations", 24, "--null", "permuted",
        "--no-natural", "--study", tmp_path / "study", *given,
    )  # fmt: skip
    assert "mature: 24, in null networks" in text
    assert "relu4, family 1: 24 units" in text
    record = json.loads(outputs[0].read_text())
    assert record["layers"][0]["mature"] == 24
    assert json.loads((tmp_path / "study/curves/found.json").read_text()) == record
    rows = list(csv.DictReader(outputs[1].read_text().splitlines()))
    assert [row["unit"] for row in rows if row["kind"] == "mature"] == [f"relu4:{unit}" for unit in range(24)]
    assert outputs[2].read_bytes().startswith(b"\x89PNG")


def test_a_network_without_curves_says_so(images: Path, tmp_path: Path) -> None:
    text = run(
        "find", "handnet", "--images", images, "--layers", "relu2", "--orientations", 12, "--null", "none",
        "--no-natural", "-o", tmp_path / "none.png",
    )  # fmt: skip
    assert "mature: 0" in text
    assert "no curve detectors to draw" in text
    assert not (tmp_path / "none.png").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (["--layers", "logits"], LayerError, "no spatial activations"),
        (["--layers", "relu9"], LayerError, "no layer 'relu9'"),
        (["--null", "noise"], PellucidError, "no null 'noise'"),
        (["--orientations", "9"], PellucidError, "must be even"),
        (["-o", "found.pdf"], PellucidError, "not '.pdf'"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], error: type, match: str, images: Path) -> None:
    with pytest.raises(error, match=match):
        run("find", "handnet", "--images", images, "--no-natural", *arguments)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="no photographs in"):
        run("find", "handnet", "--images", tmp_path, "--no-natural")


def test_a_folder_that_is_no_study_is_refused(images: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StudyError, match="holds files that are no study"):
        run("find", "handnet", "--images", images, "--layers", "relu2", "--no-natural", "--study", tmp_path)
