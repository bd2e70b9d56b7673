import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor

from pellucid import pictures as files
from pellucid.cli import evaluate as command
from pellucid.errors import ImagesError, NetworkError, ObjectiveError, PellucidError, StudyError
from pellucid.evaluate import EvaluateConfig, Report, evaluate, read_collections
from pellucid.networks import Labels, Network
from pellucid.study import GalleryRecord, Manifest, PictureRecord, Study
from pellucid.visualize import render
from photographs import drawn_photographs
from small import small_network

UNITS = ["conv2:1", "conv2:5", "conv3:4", "head:2", "head:6"]


def natural(count: int = 40) -> Tensor:
    """Smooth coloured noise."""
    rough = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(3))
    return torch.nn.functional.interpolate(rough, size=32, mode="bicubic").clamp(0, 1)


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network()


@pytest.fixture(scope="module")
def drawn(network: Network) -> Tensor:
    return render(network, UNITS * 2, seed=[0] * 5 + [1] * 5, steps=48, transforms=()).images


@pytest.fixture(scope="module")
def report(network: Network, drawn: Tensor) -> Report:
    batches = [(part, [2] + [None] * (len(part) - 1)) for part in natural().split(16)]
    return evaluate(network, drawn, UNITS * 2, batches, networks=[small_network(seed=1)])


def test_every_metric_stands_beside_its_nulls(report: Report) -> None:
    assert len(report.measures()) == 11
    assert all(measure.nulls for measure in report.measures())
    assert all(null.value is not None for measure in report.measures() for null in measure.nulls.values())
    assert report.left_out == {}
    assert (report.pictures, report.objectives, report.photographs, report.size) == (10, 5, 40, (32, 32))
    assert report.transfer is not None
    assert report.transfer.pictures == 4
    assert report.transfer.top1.nulls["photographs"].n == 1


def test_optimized_pictures_reach_what_noise_does_not(report: Report) -> None:
    assert report.reach is not None
    share = report.reach.share
    assert share.score.value == 1.0
    assert all((null.value or 0) < 0.8 for null in share.nulls.values())
    assert report.shortfalls() == ()


def test_noise_in_place_of_pictures_is_not_told_from_its_null(network: Network) -> None:
    noise = torch.rand(10, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    found = evaluate(network, noise, UNITS * 2, [natural()])
    assert found.reach is not None
    assert found.reach.ratio.score.value == pytest.approx(found.reach.ratio.nulls["noise"].value, abs=0.15)
    assert found.left_out == {"transfer": "no other network is given"}
    assert found.shortfalls()[0].startswith("conv2:1: ")


def test_the_same_seed_gives_the_same_report(network: Network, drawn: Tensor) -> None:
    first, second, other = (
        evaluate(network, drawn, UNITS * 2, [natural(12)], config=EvaluateConfig(seed=seed, batch=batch)).as_dict()
        for seed, batch in ((0, 16), (0, 16), (1, 16))
    )
    assert first == second
    assert first != other


def test_batches_change_no_number(network: Network, drawn: Tensor) -> None:
    exact = small_network(dtype=torch.float64)
    pair = [
        evaluate(exact, drawn, UNITS * 2, natural(12).split(size), config=EvaluateConfig(batch=size)).measures()
        for size in (12, 5)
    ]
    for first, second in zip(*pair, strict=True):
        assert first.score.value == pytest.approx(second.score.value, rel=1e-6)


def test_the_report_is_a_table_and_plain_values(report: Report) -> None:
    shown = io.StringIO()
    Console(width=200, file=shown).print(report.table())
    text = shown.getvalue()
    assert "reach: share at the 99.9th percentile" in text
    assert "shuffled labels" in text
    assert "lower is better" in text
    plain = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert plain["reach"]["share"]["score"]["value"] == 1.0
    assert len(plain["reach"]["pictures"]) == 10


def test_what_cannot_be_taken_is_said(network: Network, drawn: Tensor) -> None:
    found = evaluate(network, drawn[:3], UNITS[:3], [natural(8)], networks=[network])
    assert found.left_out == {
        "transfer": "no picture is of a class",
        "agreement": "no unit has pictures of several seeds",
    }
    assert found.transfer is None
    assert found.agreement is None


def test_bad_input_is_refused(network: Network, drawn: Tensor) -> None:
    with pytest.raises(ObjectiveError, match="2 objectives are given for 3 pictures"):
        evaluate(network, drawn[:3], UNITS[:2], [natural(8)])
    with pytest.raises(ObjectiveError, match="1 classes are given for 3 pictures"):
        evaluate(network, drawn[:3], UNITS[:3], [natural(8)], classes=[1])
    with pytest.raises(ImagesError, match="at least two photographs"):
        evaluate(network, drawn[:3], UNITS[:3], [natural(1)])
    with pytest.raises(ImagesError, match="photographs of 32x30 pixels are compared with pictures of 32x32"):
        evaluate(network, drawn[:3], UNITS[:3], [natural(8)[..., :30]])
    renamed = replace(small_network(seed=1), labels=Labels(tuple("abcdefg")))
    with pytest.raises(NetworkError, match="has other classes than Small"):
        evaluate(network, drawn, UNITS * 2, [natural(8)], networks=[renamed])


@pytest.fixture
def study(tmp_path: Path, network: Network, drawn: Tensor) -> Study:
    """A study with a gallery of pictures of two sizes and of one whose objective is not in its text."""
    made = Study.create(tmp_path / "study", Manifest(network.describe(), {}))
    folder = made.path / "visualizations" / "plain"
    entries = []
    for index, image in enumerate(drawn):
        name = f"{index:04d}.png"
        files.save(folder / name, Image.fromarray(files.to_pixels(image[None])[0]))
        entries.append(PictureRecord((UNITS * 2)[index], index // 5, name, 1.0, silent=index == 3))
    Image.new("RGB", (20, 16)).save(folder / "small.png")
    entries.append(PictureRecord("direction(conv2, 0123456789abcdef)", 0, "small.png", 0.0))
    GalleryRecord({}, tuple(entries)).write(folder)
    return made


def test_collections_of_a_study_are_its_pictures(study: Study, drawn: Tensor) -> None:
    large, small = read_collections(study)
    assert (large.gallery, large.size, small.size) == ("plain", (32, 32), (16, 20))
    assert (large.pictures - drawn).abs().max() <= 0.5 / 255 + 1e-6
    assert [str(objective) for objective in large.objectives] == UNITS * 2
    assert [index for index, silent in enumerate(large.silent) if silent] == [3]
    assert large.seeds == (0,) * 5 + (1,) * 5
    assert str(small.objectives[0]) == "direction(conv2, 0123456789abcdef)"


def test_an_objective_that_is_not_in_its_text_is_left_out_by_name(study: Study, network: Network) -> None:
    part = read_collections(study)[1]
    found = evaluate(network, part.pictures, part.objectives, [natural(8)[..., :16, :20]])
    assert found.left_out["reach, paths and choice"].endswith("direction(conv2, 0123456789abcdef)")
    assert found.reach is None
    assert found.spectra is not None


def test_damaged_galleries_are_refused(study: Study) -> None:
    folder = study.path / "visualizations" / "plain"
    with pytest.raises(StudyError, match="no gallery 'other'; it has plain"):
        read_collections(study, "other")
    GalleryRecord({}, (PictureRecord("conv2:1", 0, "../../study.json", 0.0),)).write(folder)
    with pytest.raises(StudyError, match="outside of its folder"):
        read_collections(study)
    GalleryRecord({}, (PictureRecord("conv2:1", 0, "gone.png", 0.0),)).write(folder)
    with pytest.raises(StudyError, match=r"picture of gallery 'plain' cannot be read: gone\.png"):
        read_collections(study)
    GalleryRecord({}).write(folder)
    with pytest.raises(StudyError, match="hold no pictures yet: plain"):
        read_collections(study)
    (folder / "gallery.json").unlink()
    with pytest.raises(StudyError, match="has no pictures of units"):
        read_collections(study)


def test_the_command_writes_the_evaluation(
    study: Study, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for where in ("evaluate", "options"):
        monkeypatch.setattr(f"pellucid.cli.{where}.load_network", lambda name, _weights, _device: network)
    images = drawn_photographs(tmp_path / "images", 12)
    command.evaluate(study.path, images, network=["another"], limit=10)
    shown = capsys.readouterr().out
    assert "plain: 10 pictures of 5 objectives of Small at 32x32, beside 10 photographs" in shown
    assert "no gradient came to head:2: its picture shows nothing" in shown
    assert "left out: reach, paths and choice: cannot be read from single images: direction(conv2" in shown
    written = json.loads((study.path / "evaluation.json").read_text())
    assert [report["size"] for report in written["reports"]] == [[32, 32], [16, 20]]
    assert written["reports"][0]["about"] == {"gallery": "plain", "skipped": {}, "silent": ["head:2"]}
    other = Study.create(tmp_path / "other", Manifest({**network.describe(), "weights_sha256": "0"}, {}))
    with pytest.raises(StudyError, match="was made with other weights"):
        command.evaluate(other.path, images)
    with pytest.raises(PellucidError, match="'near' is neither cosine nor euclidean"):
        command.evaluate(study.path, images, distance="near")
