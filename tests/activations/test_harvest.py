import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from oracles import act_times_grad
from pellucid.activations import HarvestConfig, harvest, load_view, read_samples
from pellucid.activations.images import Box, open_image
from pellucid.activations.store import layer_folder, read_image_list, read_shards
from pellucid.errors import ImagesError, LayerError, StudyError
from pellucid.study import Study
from photographs import drawn_photographs
from small import small_network
from trees import tree

CONFIG = HarvestConfig(positions=5, shard=4, batch=3)


def test_samples_are_what_the_network_gives(tmp_path: Path) -> None:
    network = small_network(size=(16, 20))
    folder = drawn_photographs(tmp_path / "images", 9)
    study = harvest(network, folder, ["conv2", "act3"], tmp_path / "study", config=CONFIG, crops=(1, 0.6))
    paths = read_image_list(study)
    for name in ("conv2", "act3"):
        samples = read_samples(study, name, attribution=True)
        layer = network.spatial_layer(name)
        assert layer.size == (8, 10)
        assert len(samples) == 5 * sum(len(set(map(tuple, samples.box[samples.image == i]))) for i in range(9))
        assert samples.place.min() >= 1
        assert samples.place[:, 0].max() <= 6
        assert samples.place[:, 1].max() <= 8
        for index in range(0, len(samples), 37):
            image = open_image(folder / paths[samples.image[index]])
            view = load_view(image, Box(*samples.box[index].tolist()), network)[None]
            row, column = samples.place[index].tolist()
            maps = network.activations(view, [name])[name][0]
            np.testing.assert_allclose(samples.activation[index], maps[:, row, column].detach(), atol=2e-3)
            truth = [float(act_times_grad(network, view, name, (row, column), label)) for label in range(7)]
            np.testing.assert_allclose(samples.attribution[index], truth, atol=2e-3)


def test_positions_are_spread_over_the_map_and_differ(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 40)
    config = HarvestConfig(positions=6)
    study = harvest(small_network(size=16), folder, "conv2", tmp_path / "study", config=config)
    samples = read_samples(study, "conv2")
    places = samples.place.reshape(40, 6, 2)
    assert all(len({tuple(place) for place in view}) == 6 for view in places)
    counts = np.zeros((8, 8), dtype=int)
    np.add.at(counts, tuple(samples.place.T), 1)
    assert counts[0].sum() == counts[7].sum() == counts[:, 0].sum() == counts[:, 7].sum() == 0
    inner = counts[1:7, 1:7]
    expected = inner.mean()
    assert (
        (inner - expected) ** 2 / expected
    ).sum() < 76.2  # chi-square, 35 degrees, p = 1e-4 (seeded: always the same)


def test_nothing_depends_on_batch_or_shard(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 7)
    network = small_network(size=16, dtype=torch.float64)
    results = [
        read_samples(
            harvest(network, folder, "conv2", tmp_path / f"study{n}", config=HarvestConfig(shard=shard, batch=batch)),
            "conv2",
            attribution=True,
        )
        for n, (shard, batch) in enumerate([(64, 16), (2, 1)])
    ]
    assert np.array_equal(results[0].place, results[1].place)
    np.testing.assert_allclose(results[0].activation, results[1].activation, atol=1e-3)
    np.testing.assert_allclose(results[0].attribution, results[1].attribution, atol=1e-3)


def test_corrupt_photographs_are_left_out_and_listed(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 6)
    whole = (folder / "001.png").read_bytes()
    (folder / "001.png").write_bytes(whole[: len(whole) // 2])
    (folder / "words.jpg").write_text("not a picture")
    study = harvest(small_network(size=16), folder, "conv2", tmp_path / "study", config=CONFIG)
    skipped = json.loads((study.path / "activations" / "skipped.json").read_text())
    assert [entry["image"] for entry in skipped] == ["001.png", "words.jpg"]
    assert "cannot identify" in skipped[1]["reason"]
    samples = read_samples(study, "conv2")
    assert len(samples) == 5 * 5
    paths = read_image_list(study)
    assert {paths[index] for index in samples.image} == set(paths) - {"001.png", "words.jpg"}


def test_a_shard_without_a_readable_photograph_is_no_hindrance(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 3)
    for name in ("a1.png", "a2.png"):
        (folder / name).write_text("no")
    study = harvest(small_network(size=16), folder, "conv2", tmp_path / "s", config=HarvestConfig(positions=2, shard=1))
    assert len(read_samples(study, "conv2")) == 6
    assert len(list(read_shards(study, "conv2"))) == 3


def test_nothing_is_left_of_a_harvest_that_could_not_be(tmp_path: Path) -> None:
    network = small_network(size=16)
    study = tmp_path / "study"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImagesError, match="no photographs in"):
        harvest(network, tmp_path / "empty", "conv2", study)
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "x.jpg").write_text("no")
    with pytest.raises(ImagesError, match="none of the 1 files named as pictures can be read"):
        harvest(network, tmp_path / "words", "conv2", study)
    folder = drawn_photographs(tmp_path / "images", 2)
    with pytest.raises(LayerError, match="no spatial activations"):
        harvest(network, folder, "head", study)
    with pytest.raises(LayerError, match="has a 2x2 map at 4x4 pixels: no position lies 1 away"):
        harvest(small_network(size=4), folder, "conv2", study)
    with pytest.raises(ImagesError, match=r"crops = \(2\.0,\) must lie in"):
        harvest(network, folder, "conv2", study, crops=(2,))
    assert not study.exists()


def test_another_harvest_in_the_same_study_is_refused(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 3)
    harvest(small_network(size=16), folder, "conv2", tmp_path / "study", config=CONFIG)
    with pytest.raises(StudyError, match="made with network weights_sha256"):
        harvest(small_network(size=16, seed=1), folder, "conv2", tmp_path / "study", config=CONFIG)
    with pytest.raises(StudyError, match="was harvested with another positions"):
        harvest(
            small_network(size=16),
            folder,
            "conv2",
            tmp_path / "study",
            config=HarvestConfig(positions=2, shard=4, batch=3),
        )
    drawn_photographs(folder, 4)
    with pytest.raises(StudyError, match="made with images count = 3, not 4"):
        harvest(small_network(size=16), folder, "conv2", tmp_path / "study", config=CONFIG)


def test_a_second_layer_joins_the_study_and_the_first_is_kept(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 3)
    network = small_network(size=16)
    study = harvest(network, folder, "conv2", tmp_path / "study", config=CONFIG)
    part = layer_folder(study, "conv2") / "part-00000.parquet"
    written = part.stat().st_mtime_ns
    harvest(network, folder, ["conv2", "act3"], tmp_path / "study", config=CONFIG)
    assert part.stat().st_mtime_ns == written
    assert len(read_samples(study, "act3")) == 15
    with pytest.raises(StudyError, match=r"no finished harvest of layer 'conv1'; it has act3, conv2"):
        read_samples(study, "conv1")


def test_a_killed_harvest_goes_on_to_the_same_study(tmp_path: Path) -> None:
    drawn_photographs(tmp_path / "images", 24)
    script = (
        "import sys, time; sys.path.insert(0, {tests!r})\n"
        "import pellucid.activations.harvesting as module\n"
        "from small import small_network\n"
        "write = module.write_shard\n"
        "def slowly(*args):\n"
        "    write(*args); time.sleep({pause})\n"
        "module.write_shard = slowly\n"
        "module.harvest(small_network(size=16), '../images', ['conv2', 'act3'], 'study',\n"
        "    config=module.HarvestConfig(positions=5, shard=4, batch=3))\n"
    )
    runs = {}
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
        runs[name] = [sys.executable, "-W", "ignore", "-c"]
    tests = str(Path(__file__).parents[1])
    run = script.format(tests=tests, pause=0)
    subprocess.run([*runs["whole"], run], cwd=tmp_path / "whole", check=True)
    slow = subprocess.Popen([*runs["broken"], script.format(tests=tests, pause=0.5)], cwd=tmp_path / "broken")
    parts = tmp_path / "broken" / "study" / "activations"
    deadline = time.monotonic() + 60
    while len(list(parts.glob("*/part-*.parquet"))) < 3:
        assert time.monotonic() < deadline
        assert slow.poll() is None
        time.sleep(0.05)
    slow.send_signal(signal.SIGKILL)
    slow.wait()
    study = tmp_path / "broken" / "study"
    assert not (parts / "conv2" / "harvest.json").exists()
    with pytest.raises(StudyError, match="no finished harvest of layer 'conv2'"):
        read_samples(Study.open(study), "conv2")
    subprocess.run([*runs["broken"], run], cwd=tmp_path / "broken", check=True)
    assert tree(study) == tree(tmp_path / "whole" / "study")
