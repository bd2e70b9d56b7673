from pathlib import Path

import numpy as np
import pytest

from pellucid.activations import HarvestConfig, harvest, read_samples
from pellucid.activations.harvesting import aligned_places
from pellucid.activations.store import layer_folder
from pellucid.errors import LayerError, NetworkError, StudyError
from pellucid.study.files import read_json
from photographs import drawn_photographs
from small import small_network

ALIGNED = HarvestConfig(positions=5, shard=4, batch=3, aligned=True)


def test_aligned_places_are_the_same_in_every_layer_and_network(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 6)
    first = harvest(small_network(size=16), folder, "conv1", tmp_path / "a", config=ALIGNED, crops=(1, 0.7))
    harvest(small_network(size=16), folder, "act3", tmp_path / "a", config=ALIGNED, crops=(1, 0.7))
    other = small_network(size=24, seed=1)
    second = harvest(other, folder, "act3", tmp_path / "b", config=ALIGNED, crops=(1, 0.7))
    fine, coarse = read_samples(first, "conv1"), read_samples(first, "act3")
    guest = read_samples(second, "act3")
    assert np.array_equal(fine.image, coarse.image)
    assert np.array_equal(fine.box, coarse.box)
    assert np.array_equal(fine.image, guest.image)
    assert np.array_equal(fine.place // 2, coarse.place)  # maps of 16 and of 8 units
    # In maps of 16 and of 12 units no place is further off than both units are wide.
    apart = np.abs((fine.place + 0.5) / 16 - (guest.place + 0.5) / 12)
    assert apart.max() <= 0.5 / 16 + 0.5 / 12
    assert fine.place.min() >= 16 // 6
    assert len({tuple(place) for place in fine.place[:5]}) == 5


def test_aligned_places_are_uniform_and_keep_a_distance() -> None:
    places = np.stack([aligned_places(8, f"photograph {number}") for number in range(2000)])
    assert places.min() >= 1 / 6
    assert places.max() <= 5 / 6
    counts = np.histogram2d(*places.reshape(-1, 2).T, bins=4, range=[(1 / 6, 5 / 6)] * 2)[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 37.7  # chi-square, 15 degrees, p = 1e-3 (the same each time)
    apart = np.linalg.norm(places[:, :, None] - places[:, None], axis=-1) + np.eye(8)
    assert apart.min() > 0.1
    assert np.array_equal(aligned_places(3, "x"), aligned_places(8, "x")[:3])


def test_aligned_harvests_do_not_mix_with_others(tmp_path: Path) -> None:
    folder = drawn_photographs(tmp_path / "images", 2)
    plain = HarvestConfig(positions=5, shard=4, batch=3)
    study = harvest(small_network(size=16), folder, "act3", tmp_path / "study", config=plain)
    # What older versions wrote is what is written now.
    said = {"positions": 5, "border": 1, "seed": 0, "shard": 4, "batch": 3}
    assert read_json(layer_folder(study, "act3") / "config.json") == said
    with pytest.raises(StudyError, match="was harvested with another aligned;"):
        harvest(small_network(size=16), folder, "act3", tmp_path / "study", config=ALIGNED)
    harvest(small_network(size=16), folder, "conv2", tmp_path / "study", config=ALIGNED)
    with pytest.raises(StudyError, match="was harvested with another aligned;"):
        harvest(small_network(size=16), folder, "conv2", tmp_path / "study", config=plain)
    with pytest.raises(LayerError, match="has a 4x4 map, of which aligned places leave out a sixth at each edge"):
        harvest(small_network(size=8), folder, "act3", tmp_path / "small", config=ALIGNED)
    with pytest.raises(NetworkError, match="pooling = 'mean' is none of exact, smooth"):
        harvest(small_network(size=16), folder, "act3", tmp_path / "new", config=HarvestConfig(pooling="mean"))
    assert not (tmp_path / "small").exists()
    assert not (tmp_path / "new").exists()
