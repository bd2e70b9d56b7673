from pathlib import Path

import numpy as np
import pytest

import oracles_alignment as oracle
from pellucid.activations import HarvestConfig, harvest
from pellucid.atlas import AtlasConfig
from pellucid.atlas.grid import make_grid
from pellucid.atlas.icons import IconConfig
from pellucid.atlas.networks import compare_networks, matches
from pellucid.atlas.regions import (
    Seen,
    agreement,
    falsely_missing,
    linear_cka,
    missing,
    neighbours,
    overlap,
    regions,
)
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.study import AtlasRecord, PageRecord, Study, page_folder, read_catalog
from photographs import drawn_photographs
from small import small_network
from trees import tree


def kinds(photographs: int = 40, places: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of four kinds, each with channels of its own: activations (N, 48), photographs and kinds."""
    random = np.random.default_rng(seed)
    kind = np.arange(photographs * places) % 4
    values = 0.3 * np.abs(random.normal(size=(len(kind), 48)))
    for number in range(4):
        values[kind == number, 12 * number : 12 * number + 12] += 1
    return values, np.repeat(np.arange(photographs), places), kind


def blind(values: np.ndarray, kind: np.ndarray, seed: int = 2) -> np.ndarray:
    """What a network gives that takes the kind 2 for any of the others, and has its channels in another order."""
    random = np.random.default_rng(seed)
    seen = values[:, random.permutation(48)] + 0.1 * random.normal(size=values.shape)
    other = np.flatnonzero(kind != 2)
    gone = np.flatnonzero(kind == 2)
    seen[gone] = seen[random.choice(other, size=len(gone))]
    return seen


def test_neighbours_are_the_nearest_of_other_photographs() -> None:
    values, images, _ = kinds(10)
    found = neighbours(values, images, 4)
    assert found.tolist() == oracle.neighbours(values, images.tolist(), 4)
    assert not (images[found] == images[:, None]).any()


def test_agreement_is_what_chance_does_not_give() -> None:
    values, images, kind = kinds(10)
    cell = np.where(kind == 3, -1, kind)
    found = neighbours(values, images, 4)
    truth = oracle.agreement(found.tolist(), cell.tolist(), images.tolist())
    np.testing.assert_allclose(agreement(found, cell, images), truth)
    random = np.random.default_rng(0)
    anything = random.integers(0, len(kind), (len(kind), 30))
    assert abs(np.nanmean(agreement(anything, cell, images))) < 0.05


def test_overlap_is_the_share_of_common_neighbours() -> None:
    first = np.array([[1, 2, 3], [0, 2, 3]])
    second = np.array([[3, 9, 1], [7, 8, 9]])
    assert overlap(first, second) == pytest.approx([2 / 3, 0.0])


def test_linear_cka_is_that_of_gram_matrices() -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(size=(30, 5)), random.normal(size=(30, 8))
    assert linear_cka(first, second) == pytest.approx(oracle.centred_alignment(first, second))
    turned = first @ np.linalg.qr(random.normal(size=(5, 5)))[0]
    assert linear_cka(first, 3 * turned + 1) == pytest.approx(1.0)


def test_a_kind_that_only_one_network_tells_apart_is_found() -> None:
    values, images, kind = kinds()
    other = blind(values, kind)
    own, guest = Seen.of(values, images), Seen.of(other, images)
    lost = [region.cell for region in missing(kind, images, own, guest.whole) if region.lost]
    assert lost == [2]
    found = missing(kind, images, own, own.whole)
    assert [region.lost for region in found] == [False] * 4
    assert [region.count for region in found] == [30] * 4
    assert falsely_missing(kind, images, own) == 0.0


def test_regions_of_chance_are_rarely_called_lost() -> None:
    # Both networks and the halves keep nothing but noise: at most one in twenty families has a discovery.
    lost = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        cell, images = random.integers(0, 5, 200), np.repeat(np.arange(50), 4)
        shared = random.normal(size=50)[images] * 0.1  # the activations of a photograph are alike
        own, halves, other = (shared + 0.1 * random.normal(size=200) for _ in range(3))
        lost += any(region.lost for region in regions(cell, images, own, halves, 0.5 * other))
    assert lost <= 8  # binomial, 60 tries of 0.05: p < 0.01


def test_few_photographs_are_not_tested() -> None:
    values = np.ones(12)
    found = regions(np.zeros(12, np.int64), np.repeat(np.arange(4), 3), values, values, 0 * values)
    assert np.isnan(found[0].p)
    assert not found[0].lost
    found = regions(np.zeros(12, np.int64), np.repeat(np.arange(6), 2), values, values, 0 * values)
    assert (found[0].p, found[0].lost) == (0.0, True)


def test_cells_that_hold_the_same_rows_match() -> None:
    first = np.array([[0.1, 0.1]] * 4 + [[0.9, 0.1]] * 4 + [[0.9, 0.9]] * 2)
    second = np.array([[0.9, 0.9]] * 4 + [[0.1, 0.1]] * 3 + [[0.9, 0.1]] * 3)
    found = matches(make_grid(first, 2, 1), make_grid(second, 2, 1))
    assert found[0] == [0, 0, 1, 1, 1.0]
    assert [match[:4] for match in found] == [[0, 0, 1, 1], [0, 1, 0, 0], [1, 1, 0, 1]]
    assert found[1][4] == pytest.approx(3 / np.sqrt(4 * 3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    images = drawn_photographs(folder / "images", 24)
    for name, network in (("own", small_network(size=24)), ("other", small_network(size=24, seed=1))):
        harvest(network, images, "act3", folder / name, config=HarvestConfig(positions=6, aligned=True))
    return folder


def compared(folder: Path, other: Network, name: str = "other"):
    config = AtlasConfig(
        grids=(2,), min_count=3, neighbors=10, patches=1, patch_size=8, icons=IconConfig(size=12, steps=2, batch=4)
    )
    own, theirs = Study.open(folder / "own"), Study.open(folder / name)
    return compare_networks(small_network(size=24), own, "act3", other, theirs, "act3", config=config, grid=3, most=120)


def test_two_networks_get_a_page_and_two_atlases(folder: Path) -> None:
    result = compared(folder, small_network(size=24, seed=1))
    own = Study.open(folder / "own")
    content = PageRecord.read(page_folder(own, "networks", result.name)).content
    assert content == result.page.content
    for side in ("atlas", "other"):
        record = AtlasRecord.read(own.path / "atlas" / content[side])
        assert record.aligned == content["other"]
    assert [record.kind for record in result.atlases] == ["layer", "network"]
    assert sum(cell[2] for cell in content["cells"]) <= 144
    assert all(0 <= row < 3 and 0 <= column < 3 for row, column, *_ in content["cells"])
    measures = content["measures"]
    assert measures["activations"] == 120
    assert measures["overlap_chance"] < measures["overlap"] < 1
    assert measures["only_own"] == len(content["only_own"])
    assert len(content["regions"]["own"]) == measures["regions_own"]
    assert [page["kind"] for page in read_catalog(own.path).pages] == ["networks"]
    before = tree(own.path)
    compared(folder, small_network(size=24, seed=1))
    assert tree(own.path) == before


def test_a_network_is_not_compared_with_itself(folder: Path) -> None:
    with pytest.raises(AtlasError, match="is compared with itself: give the study of another network"):
        compared(folder, small_network(size=24), "own")
