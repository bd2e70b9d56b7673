from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pellucid.activations import HarvestConfig, harvest
from pellucid.atlas import AtlasConfig, tables
from pellucid.atlas.align import Slice, align
from pellucid.atlas.aligned_layout import aligned_points, check_pair
from pellucid.atlas.icons import IconConfig
from pellucid.errors import AtlasError, StudyError
from pellucid.networks import Network
from pellucid.study import AtlasRecord, Study, read_catalog
from photographs import drawn_photographs
from small import small_network
from trees import tree

CONFIG = AtlasConfig(
    grids=(2,), min_count=3, neighbors=10, patches=1, patch_size=8, icons=IconConfig(size=12, steps=2, batch=4)
)
ALIGNED = HarvestConfig(positions=6, shard=8, aligned=True)


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network(size=24)


@pytest.fixture(scope="module")
def guest() -> Network:
    return small_network(size=24, seed=1)


@pytest.fixture(scope="module")
def folder(network: Network, guest: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aligned")
    images = drawn_photographs(folder / "images", 20)
    harvest(network, images, ["conv2", "act3"], folder / "own", config=ALIGNED)
    harvest(guest, images, "act3", folder / "other", config=ALIGNED)
    harvest(network, images, "act3", folder / "plain", config=replace(ALIGNED, aligned=False))
    harvest(guest, images, "act3", folder / "seeded", config=replace(ALIGNED, seed=1))
    drawn_photographs(folder / "fewer", 12)
    harvest(guest, folder / "fewer", "act3", folder / "less", config=ALIGNED)
    return folder


def clusters(count: int = 40, channels: int = 8, seed: int = 0) -> np.ndarray:
    """Three groups of rows that point in different directions."""
    random = np.random.default_rng(seed)
    centers = random.normal(size=(3, channels))
    return np.concatenate([center + 0.15 * random.normal(size=(count, channels)) for center in centers])


def test_aligned_maps_hold_pairs_together() -> None:
    values = clusters(), clusters(seed=1)[:, ::-1], clusters(channels=5, seed=2)
    maps = aligned_points(values, neighbors=10, regularisation=0.1)
    assert [points.shape for points in maps] == [(120, 2)] * 3
    assert all(points.min() >= 0 and points.max() <= 1 for points in maps)
    near = check_pair(maps[0], maps[1])
    assert near.within > 0.7 > near.within_random + 0.2
    assert near.shift < 0.3 * near.shift_random
    again = aligned_points(values, neighbors=10, regularisation=0.1)
    assert all(np.array_equal(a, b) for a, b in zip(maps, again, strict=True))


def test_what_is_not_laid_out_is_placed_among_the_rest() -> None:
    values = clusters(60), clusters(60, seed=1)
    maps = aligned_points(values, neighbors=10, most=90)
    group = np.repeat(np.arange(3), 60)
    for points in maps:
        middles = np.stack([np.median(points[group == g], axis=0) for g in range(3)])
        nearest = np.linalg.norm(points[:, None] - middles[None], axis=2).argmin(axis=1)
        assert (nearest == group).mean() > 0.95


def test_pairs_are_compared_by_cell_and_distance() -> None:
    first = np.random.default_rng(0).uniform(size=(500, 2)).astype(np.float32)
    same = check_pair(first, first)
    assert (same.within, same.shift) == (1.0, 0.0)
    assert same.within_random < 0.1
    moved = check_pair(first, first + np.array([0.099, -0.2], np.float32))
    assert moved.within == 0.0
    assert moved.shift == pytest.approx(np.hypot(0.099, 0.2), abs=1e-5)
    assert check_pair(first, first + np.array([0.099, -0.099], np.float32)).within == 1.0


def test_layers_and_networks_are_drawn_on_one_plane(network: Network, guest: Network, folder: Path) -> None:
    own, other = Study.open(folder / "own"), Study.open(folder / "other")
    slices = [
        Slice(network, own, "conv2", "conv2@aligned"),
        Slice(network, own, "act3", "act3@aligned"),
        Slice(guest, other, "act3", "act3@guest"),
    ]
    records, measured = align(slices, config=CONFIG)
    assert [(r.kind, r.aligned, r.layer, r.samples) for r in records] == [
        ("layer", "aligned", "conv2", 120),
        ("layer", "aligned", "act3", 120),
        ("network", "aligned", "act3", 120),
    ]
    assert [len(measured.names), len(measured.pairs), len(measured.trust)] == [3, 2, 3]
    assert all(pair.shift < pair.shift_random for pair in measured.pairs)
    entries = {entry["name"]: entry for entry in read_catalog(own.path).atlases}
    assert {name: entry["aligned"] for name, entry in entries.items()} == dict.fromkeys(
        ["conv2@aligned", "act3@aligned", "act3@guest"], "aligned"
    )
    # The guest's cells average the guest's activations.
    cells = tables.read_cells(own.path / "atlas" / "act3@guest" / "cells-2.parquet")
    points = tables.read_layout(own.path / "atlas" / "act3@guest" / "layout.parquet")
    inside = (np.minimum((points * 2).astype(int), 1) == [cells.column[0], cells.row[0]]).all(axis=1)
    truth = slices[2].samples.activation[inside].astype(float).mean(axis=0)
    np.testing.assert_allclose(cells.mean[0], truth, rtol=1e-4, atol=1e-5)
    before = tree(own.path)
    align(slices, config=CONFIG)
    assert tree(own.path) == before
    assert AtlasRecord.read(own.path / "atlas" / "act3@guest").network == guest.name
    assert not (other.path / "atlas").exists()


def test_what_does_not_belong_together_is_refused(network: Network, guest: Network, folder: Path) -> None:
    own = Study.open(folder / "own")
    first = Slice(network, own, "act3", "a")

    def second(name: str, net: Network = guest, layer: str = "act3") -> Slice:
        return Slice(net, Study.open(folder / name), layer, "b")

    with pytest.raises(AtlasError, match="one map cannot be aligned with itself"):
        align([first], config=CONFIG)
    with pytest.raises(AtlasError, match="atlases a, a of one study must have names of their own"):
        align([first, first], config=CONFIG)
    with pytest.raises(AtlasError, match="was harvested at places of its own; harvest it with --aligned"):
        align([first, second("plain", network)], config=CONFIG)
    with pytest.raises(AtlasError, match="were harvested with other seed: 0 and 1"):
        align([first, second("seeded")], config=CONFIG)
    with pytest.raises(AtlasError, match="were harvested with other photographs"):
        align([first, second("less")], config=CONFIG)
    with pytest.raises(StudyError, match="made with other weights"):
        align([first, second("other", network)], config=CONFIG)
    with pytest.raises(StudyError, match="no finished harvest of layer 'conv2'"):
        align([first, second("other", layer="conv2")], config=CONFIG)
    with pytest.raises(AtlasError, match=r"must be as many: not \[10, 12\]"):
        aligned_points([np.ones((10, 2)), np.ones((12, 2))])
    with pytest.raises(AtlasError, match="9 activations are too few"):
        aligned_points([np.ones((9, 2)), np.ones((9, 2))])
