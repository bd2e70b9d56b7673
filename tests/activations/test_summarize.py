"""One pass over images: the study is what a list of all activations says, and survives whatever happens to the run."""

import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import pellucid
from hostile_images import write_hostile
from pellucid.activations.batches import Geometry
from pellucid.activations.engines import LocalEngine
from pellucid.activations.items import image_of, view_of
from pellucid.activations.sources import open_source
from pellucid.activations.summarizing import SummaryConfig, summarize
from pellucid.activations.summary import Summary, layer_record, read_summary, summarized, taps
from pellucid.activations.views import ViewPlan
from pellucid.errors import ImagesError, LayerError, StudyError, SummaryError
from pellucid.networks import wrap
from pellucid.networks.one_thread import one_thread
from pellucid.study import Study
from photographs import drawn_photographs
from small import Broken, small_network
from trees import tree

TESTS = Path(__file__).parents[1]
HERE = LocalEngine(workers=0)
CONFIG = SummaryConfig(examples=5, samples=4, bins=24, groups=6, shard=4, batch=3)


def check_against_all(summary: Summary, values: np.ndarray, items: np.ndarray, examples: int) -> None:
    """Compare a summary with all activations (N, U, P) of items (N,), one view of each image."""
    units, flat = values.shape[1], values.transpose(1, 0, 2).reshape(values.shape[1], -1)
    exact = flat.astype(np.float64)
    np.testing.assert_array_equal(summary.moments.count, flat.shape[1])
    np.testing.assert_array_equal(summary.fires, (flat > 0).sum(1))
    np.testing.assert_array_equal(summary.minimum, flat.min(1))
    np.testing.assert_array_equal(summary.maximum, flat.max(1))
    scale = np.abs(exact).max(1)
    np.testing.assert_allclose(summary.moments.mean, exact.mean(1), rtol=1e-9, atol=1e-12 * scale.max())
    np.testing.assert_allclose(summary.moments.variance, exact.var(1), rtol=1e-8, atol=1e-12 * scale.max() ** 2)
    moving = exact.std(1) > 1e-4 * np.maximum(scale, 1e-30)
    off = exact[moving] - exact[moving].mean(1, keepdims=True)
    kurtosis = (off**4).mean(1) / (off**2).mean(1) ** 2 - 3
    np.testing.assert_allclose(summary.moments.kurtosis[moving], kurtosis, rtol=1e-6, atol=1e-9)
    edges = summary.histogram.edges
    for unit in range(units):
        at = np.searchsorted(edges[unit], exact[unit], side="right") - 1
        counts = np.bincount(at[(at >= 0) & (at < edges.shape[1] - 1)], minlength=edges.shape[1] - 1)
        np.testing.assert_array_equal(summary.histogram.counts[unit], counts)
        assert summary.histogram.under[unit] == (at < 0).sum()
        assert summary.histogram.over[unit] == (at >= edges.shape[1] - 1).sum()
    for ranking, signed in ((summary.highest, values), (summary.lowest, -values)):
        best = signed.max(2)  # (N, U)
        order = np.argsort(-best, axis=0, kind="stable")[:examples]
        np.testing.assert_array_equal(ranking.items[:, : len(order)], items[order].T)
        sign = -1 if ranking.lowest else 1
        np.testing.assert_array_equal(ranking.values[:, : len(order)], sign * np.take_along_axis(best, order, 0).T)
        places = np.take_along_axis(signed.argmax(2), order, 0).T
        np.testing.assert_array_equal(ranking.places[:, : len(order)], places)
    held = summary.samples
    real = held.items >= 0
    np.testing.assert_array_equal(real.sum(2), np.minimum(held.counts, held.items.shape[2]))
    rows = np.searchsorted(items, held.items[real])
    units_of = np.nonzero(real)[0]
    np.testing.assert_array_equal(held.values[real], values[rows, units_of, held.places[real]])
    flat32 = flat
    assert summary.second is None or np.allclose(
        summary.second.covariance, np.cov(flat32.astype(np.float64), bias=True), rtol=1e-3, atol=1e-4 * scale.max() ** 2
    )


def test_on_real_photographs_everything_equals_a_pass_that_keeps_every_activation(
    tmp_path: Path, lite0: pellucid.Network, shared_data: Path
) -> None:
    folder = shared_data / "imagenet-samples"
    names = sorted(path.name for path in folder.iterdir())[::15][:60]
    layers = ["blocks.3.1.bn2", "blocks.5.2.bn2"]
    source = open_source([folder / name for name in names])
    study = summarize(
        lite0,
        source,
        layers,
        tmp_path / "study",
        config=SummaryConfig(shard=25, batch=16, covariance=10_000),
        engine=HERE,
    )
    plan, geometry = ViewPlan(center=lite0.crop), Geometry.of(lite0)
    pixels = []
    for index in range(60):
        image = source.open(index)
        (box,) = plan.boxes(image.size, source.name(index))
        pixels.append(torch.from_numpy(geometry.view(image, box)) / 255)
    kept: dict[tuple[str, str], list[np.ndarray]] = {(layer, tap): [] for layer in layers for tap in ("pre", "post")}
    shards = [list(range(at, min(at + 25, 60))) for at in range(0, 60, 25)]
    for batch in (shard[at : at + 16] for shard in shards for at in range(0, len(shard), 16)):
        images = torch.stack([pixels[index] for index in batch])
        with one_thread(torch.device("cpu")), torch.no_grad():  # as in the harvest: it decides the last digits
            found = lite0.activations(images, layers)
            for layer in layers:
                parent = lite0.module.get_submodule(layer.rpartition(".")[0])
                norm = cast("nn.BatchNorm2d", parent.bn2)
                conv = lite0.activations(images, [f"{layer.rpartition('.')[0]}.conv_dw"]).popitem()[1]
                before = nn.functional.batch_norm(
                    conv, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps
                )
                kept[layer, "pre"].append(before.flatten(2).numpy())
                kept[layer, "post"].append(found[layer].flatten(2).numpy())
    items = np.arange(60) << 16
    for (layer, tap), values in kept.items():
        summary = read_summary(study, layer, tap)
        assert (summary.images, summary.items) == (60, 60)
        check_against_all(summary, np.concatenate(values), items, 60)
        assert (summary.second is None) == (tap == "pre")
    record = layer_record(study, layers[0])
    assert (record.units, record.rows, record.columns, record.taps) == (480, 14, 14, ("post", "pre"))
    assert record.field is not None
    assert tuple(record.field["stride"]) == (16, 16)


def labelled(folder: Path, count: int = 11) -> Path:
    drawn_photographs(folder, count)
    for path in sorted(folder.rglob("*.png")):
        target = folder / f"class{int(path.stem) % 3}"
        target.mkdir(exist_ok=True)
        path.rename(target / path.name)
    (folder / "deeper").rmdir()
    return folder


def test_what_is_kept_of_a_small_network(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "images")
    network = small_network(size=(16, 20))
    layers = ["relu1", "conv2", "act3", "head"]
    study = summarize(network, folder, layers, tmp_path / "study", config=CONFIG, engine=HERE, crops=(1.0, 0.6))
    assert summarized(study) == ["act3", "conv2", "head", "relu1"]
    assert taps(study, "relu1") == ("post", "pre")
    assert taps(study, "conv2") == ("post",)
    summary = read_summary(study, "relu1")
    assert summary.images == 11
    assert summary.items > 22  # the middle and at least one window of each
    record = layer_record(study, "relu1")
    assert (record.rows, record.columns, record.units) == (16, 20, 8)
    assert record.classes == ("class0", "class1", "class2")
    assert summary.classes.ids.tolist() == [0, 1, 2]
    assert summary.classes.images.sum() == summary.items
    np.testing.assert_allclose(summary.classes.sums.sum(0), summary.moments.mean * summary.moments.count, rtol=1e-9)
    vectors = layer_record(study, "head")
    assert (vectors.rows, vectors.columns, vectors.field) == (1, 1, None)
    # An example is what the network answers at that place of that view.
    source, plan = open_source(folder), ViewPlan.read(study)
    for item, place, value in zip(
        summary.highest.items[3], summary.highest.places[3], summary.highest.values[3], strict=True
    ):
        image = source.open(int(image_of(item)))
        box = plan.boxes(image.size, source.name(int(image_of(item))))[view_of(item)]
        view = torch.from_numpy(Geometry.of(network).view(image, box))[None] / 255
        with torch.no_grad():
            answer = network.activations(view, ["relu1"])["relu1"][0, 3].flatten()
        torch.testing.assert_close(float(answer[place]), float(value), rtol=1e-5, atol=1e-5)
        assert answer.argmax() == place


def test_random_crops_are_found_again(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 5)
    network = small_network(size=16)
    study = summarize(
        network, folder, "conv2", tmp_path / "study", config=CONFIG, engine=HERE, crops=(), random_crops=7
    )
    assert read_summary(study, "conv2").items == 35
    plan = ViewPlan.read(study)
    assert plan.random == 7
    boxes = plan.boxes((48, 40), "000.png")
    assert boxes == ViewPlan((), network.crop, 7, CONFIG.seed).boxes((48, 40), "000.png")
    assert len(set(boxes)) == 7
    assert all(0 <= left < right <= 48 and 0 <= top < bottom <= 40 for left, top, right, bottom in boxes)
    assert all(right - left == bottom - top for left, top, right, bottom in boxes)


def test_the_result_is_the_same_for_any_number_of_reading_processes(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 9)
    (folder / "deeper" / "004a.png").write_bytes(b"no picture")
    network = small_network(size=16)
    for workers in (0, 2):
        out = tmp_path / str(workers) / "study"
        summarize(network, folder, ["relu2"], out, config=CONFIG, engine=LocalEngine(workers))
    assert tree(tmp_path / "0" / "study") == tree(tmp_path / "2" / "study")
    skipped = (tmp_path / "0" / "study" / "summaries" / "skipped.json").read_text()
    assert "004a.png" in skipped


def test_a_second_run_does_nothing_and_a_second_layer_joins(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 6)
    network = small_network(size=16)
    study = summarize(network, folder, "conv2", tmp_path / "study", config=CONFIG, engine=HERE)
    before = tree(study.path)
    summarize(network, folder, "conv2", tmp_path / "study", config=CONFIG, engine=HERE)
    assert tree(study.path) == before
    summarize(network, folder, ["conv2", "act3"], tmp_path / "study", config=CONFIG, engine=HERE)
    after = tree(study.path)
    assert {name: after[name] for name in before} == before
    assert summarized(study) == ["act3", "conv2"]
    other = SummaryConfig(**{**CONFIG.stamp(), "samples": 9})
    with pytest.raises(StudyError, match="was summarized with another samples; remove"):
        summarize(network, folder, "conv2", tmp_path / "study", config=other, engine=HERE)


_SCRIPT = """
import sys, time
sys.path.insert(0, {tests!r})
import pellucid.activations.parts as parts
from pellucid.activations.engines import LocalEngine
from pellucid.activations.summarizing import SummaryConfig, summarize
from small import small_network
write = parts.PartStore.write
def slowly(*args):
    time.sleep({pause})
    write(*args)
    time.sleep({pause})
parts.PartStore.write = slowly
summarize(small_network(size=16), "../images", ["conv2", "act3"], "study", engine=LocalEngine(0),
    config=SummaryConfig(examples=5, samples=4, bins=24, groups=6, shard=2, batch=3))
"""


def run(folder: Path, pause: float) -> list[str]:
    folder.mkdir(exist_ok=True)
    return [sys.executable, "-W", "ignore", "-c", _SCRIPT.format(tests=str(TESTS), pause=pause)]


def test_killed_at_ten_moments_the_study_is_that_of_an_unbroken_run(tmp_path: Path) -> None:
    drawn_photographs(tmp_path / "images", 40)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(run(whole, 0), cwd=whole, check=True)
    draw = np.random.default_rng(0)
    parts = broken / "study" / "summaries"
    for _ in range(10):
        process = subprocess.Popen(run(broken, 0.02), cwd=broken)
        begun = len(list(parts.glob(".parts-*/*")))
        deadline = time.monotonic() + 120
        # Until it is at work, and then for a moment that chance chooses.
        while len(list(parts.glob(".parts-*/*"))) <= begun and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.15))
        process.kill()
        process.wait()
    subprocess.run(run(broken, 0), cwd=broken, check=True)
    assert tree(broken / "study") == tree(whole / "study")
    assert not list(parts.glob(".parts-*"))


def test_a_full_disk_is_said_and_the_study_goes_on(tmp_path: Path) -> None:
    drawn_photographs(tmp_path / "images", 20)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(run(whole, 0), cwd=whole, check=True)

    def small_files() -> None:  # what a full disk does to a write: it fails in its middle
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    ended = subprocess.run(
        run(broken, 0), cwd=broken, preexec_fn=small_files, stderr=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode != 0
    assert "pellucid.errors.StudyError: cannot write" in ended.stderr
    assert not list(broken.rglob(".*.partial"))
    subprocess.run(run(broken, 0), cwd=broken, check=True)
    assert tree(broken / "study") == tree(whole / "study")


def test_hostile_files_are_listed_and_stop_nothing(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 30)
    fates = write_hostile(folder / "hostile")
    study = summarize(small_network(size=16), folder, "conv2", tmp_path / "study", config=CONFIG, engine=HERE)
    skipped = json.loads((study.path / "summaries" / "skipped.json").read_text())
    listed = {Path(entry["image"]).name.replace("\n", "\\n"): entry["reason"] for entry in skipped}
    for name, reason in fates.items():
        if reason is not None and name in listed:
            assert re.search(reason, listed[name]), name
    unread = {name for name, reason in fates.items() if reason is not None}
    folders = {name for name in unread if (folder / "hostile" / name).is_dir()}  # named as pictures, but no files
    assert set(listed) == unread - folders
    assert read_summary(study, "conv2").images == 30 + sum(reason is None for reason in fates.values())


class Poisoned(nn.Module):
    """Gives NaN for dark pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(x.where(x > 0.3, torch.nan)).mean(dim=(2, 3)))


def test_what_is_no_number_is_counted_and_left_out(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 4)
    network = wrap(Poisoned().eval(), mean=(0.0,) * 3, std=(1.0,) * 3, size=16)
    study = summarize(network, folder, "conv", tmp_path / "study", config=CONFIG, engine=HERE)
    summary = read_summary(study, "conv")
    assert (summary.invalid > 0).all()
    assert (summary.invalid + summary.moments.count == 4 * 256).all()
    assert np.isfinite(summary.moments.mean).all()
    assert summary.second is not None
    assert np.isfinite(summary.second.covariance).all()


def test_grey_images_for_a_network_of_one_channel(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 3)
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = wrap(module.eval(), mean=(0.0,), std=(1.0,), size=16)
    study = summarize(network, folder, "1", tmp_path / "study", config=CONFIG, engine=HERE)
    assert read_summary(study, "1").images == 3


def test_what_cannot_be_done_is_said_before_anything_is_read(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 3)
    network = small_network(size=16)
    out = tmp_path / "study"
    with pytest.raises(LayerError, match="no layer 'conv9'"):
        summarize(network, folder, "conv9", out, config=CONFIG, engine=HERE)
    with pytest.raises(SummaryError, match="no layer is named"):
        summarize(network, folder, [], out, config=CONFIG, engine=HERE)
    with pytest.raises(ImagesError, match="no folder"):
        summarize(network, tmp_path / "nowhere", "conv2", out, config=CONFIG, engine=HERE)
    assert not out.exists()
    with pytest.raises(SummaryError, match="bins = 10 must be a multiple of groups = 4"):
        SummaryConfig(bins=10, groups=4)
    with pytest.raises(SummaryError, match="precision 'int8' is none of"):
        SummaryConfig(precision="int8")
    with pytest.raises(ImagesError, match="workers = -1 must not be negative"):
        LocalEngine(-1)


def test_a_folder_of_files_that_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_text("words")
    with pytest.raises(ImagesError, match=r"none of the 1 images can be read; the first: a\.png"):
        summarize(small_network(size=16), tmp_path / "images", "conv2", tmp_path / "study", config=CONFIG, engine=HERE)


def test_the_models_own_error_comes_through(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 3)
    network = wrap(Broken().eval(), mean=(0.0,) * 3, std=(1.0,) * 3, size=16)
    network.layers()
    cast("Broken", network.module).armed = True
    with pytest.raises(RuntimeError, match="the model's own fault"):
        summarize(network, folder, ["first", "second"], tmp_path / "study", config=CONFIG, engine=HERE)


def test_a_study_says_what_it_lacks(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 3)
    study = summarize(small_network(size=16), folder, "conv2", tmp_path / "study", config=CONFIG, engine=HERE)
    with pytest.raises(StudyError, match=r"no finished summary of layer 'act3'; it has conv2; make one with"):
        read_summary(study, "act3")
    with pytest.raises(StudyError, match="has no summary of 'pre', only of 'post'; its output does not come out of"):
        read_summary(study, "conv2", "pre")
    path = study.path / "summaries" / "conv2" / "post.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(StudyError, match=r"post\.npz cannot be read: .*; harvest the layer again"):
        read_summary(Study.open(study.path), "conv2")


def test_fixed_bins_are_the_same_for_all_units(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 4)
    config = SummaryConfig(bins=8, groups=4, low=-1, high=1, shard=4, batch=2)
    study = summarize(small_network(size=16), folder, "conv2", tmp_path / "study", config=config, engine=HERE)
    summary = read_summary(study, "conv2")
    np.testing.assert_array_equal(summary.histogram.edges, np.broadcast_to(np.linspace(-1, 1, 9), (12, 9)))
    assert Image.MAX_IMAGE_PIXELS is not None  # nothing global was changed


def test_covariances_are_of_random_positions_where_a_map_has_more(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 30)
    network = small_network(size=16)
    found = {}
    for number in (10_000, 40):
        config = SummaryConfig(**{**CONFIG.stamp(), "covariance": number})
        study = summarize(network, folder, "relu1", tmp_path / str(number), config=config, engine=HERE)
        found[number] = read_summary(study, "relu1").second
    whole, drawn = found[10_000], found[40]
    assert whole is not None
    assert drawn is not None
    assert (whole.count, drawn.count) == (30 * 256, 30 * 40)
    spread = np.sqrt(np.outer(np.diag(whole.covariance), np.diag(whole.covariance)))
    live = spread > 0
    assert np.abs((drawn.covariance - whole.covariance)[live] / spread[live]).max() < 0.35
    none = SummaryConfig(**{**CONFIG.stamp(), "covariance": 0})
    study = summarize(network, folder, "relu1", tmp_path / "none", config=none, engine=HERE)
    assert read_summary(study, "relu1").second is None
