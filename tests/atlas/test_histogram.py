from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import oracles_patching as oracles
from pellucid.activations import HarvestConfig, harvest
from pellucid.atlas import AtlasConfig, build, placed
from pellucid.atlas.atlas_map import AtlasMap
from pellucid.atlas.histogram import compare_histograms, image_shares, log_ratio
from pellucid.atlas.histogram_page import (
    compare_sets,
    histogram_page,
    part_of_atlas,
    strangers,
    study_classes,
    whole_atlas,
)
from pellucid.atlas.icons import IconConfig
from pellucid.errors import AtlasError, StudyError
from pellucid.networks import Network
from pellucid.networks.labels import imagenet
from pellucid.study import PageRecord, Study, read_catalog
from photographs import drawn_photographs
from small import small_network


def drawn(images: int, per_image: int, cells: int, spread: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Activations of images each of which has a few cells of its own: far more alike within an image than between."""
    likes = rng.dirichlet(np.full(cells, spread), size=images)
    cell = np.concatenate([rng.choice(cells, size=per_image, p=like) for like in likes])
    return cell, np.repeat(np.arange(images), per_image)


def test_the_test_is_exact_where_all_permutations_can_be_listed() -> None:
    rng = np.random.default_rng(0)
    cell, image = drawn(8, 6, 4, 0.5, rng)
    second = np.array([True, False, True, False, False, True, False, False])
    found = compare_histograms(cell, image, second, 4, permutations=20_000)
    shares = image_shares(cell, image, 8, 4)[:, :4]
    z, p, p_all = oracles.all_permutations(shares, second)
    np.testing.assert_allclose(found.z, z, atol=1e-9)
    np.testing.assert_allclose(found.p, p, atol=0.012)
    assert found.p_all == pytest.approx(p_all, abs=0.012)
    np.testing.assert_allclose(found.q, oracles.benjamini_hochberg(found.p.tolist()), atol=1e-12)
    np.testing.assert_allclose(found.first, shares[~second].mean(axis=0))
    np.testing.assert_allclose(found.second, shares[second].mean(axis=0))


def test_shares_count_every_image_the_same() -> None:
    cell, image = np.array([0, 0, 0, 1, -1, 2]), np.array([0, 0, 0, 1, 1, 3])
    np.testing.assert_allclose(
        image_shares(cell, image, 4, 3), [[1, 0, 0, 0], [0, 0.5, 0, 0.5], [0, 0, 0, 0], [0, 0, 1, 0]]
    )
    ratio = log_ratio(np.array([0.5, 0.0, 0.1]), np.array([0.25, 0.2, 0.0]), 1000, 1000)
    assert ratio[0] == pytest.approx(-1, abs=0.01)
    assert np.isfinite(ratio).all()
    assert ratio[1] > 6
    assert ratio[2] < -6


def test_two_random_halves_differ_no_more_often_than_by_chance() -> None:
    rng = np.random.default_rng(1)
    overall, any_cell = [], []
    for trial in range(200):
        cell, image = drawn(40, 15, 12, 0.15, rng)
        half = rng.permutation(40) < 20
        found = compare_histograms(cell, image, half, 12, permutations=199, seed=trial)
        overall.append(found.p_all)
        any_cell.append(len(found.different(0.05)) > 0)
    # Of 200 trials at 5 %, from 3 to 18 are within 99.9 %.
    assert 3 <= sum(p <= 0.05 for p in overall) <= 18
    assert sum(any_cell) <= 18
    assert abs(np.mean(overall) - 0.5) < 0.08


def test_activations_taken_one_by_one_would_deceive() -> None:
    rng = np.random.default_rng(2)
    by_image, by_activation = 0, 0
    for trial in range(60):
        cell, image = drawn(30, 20, 8, 0.15, rng)
        half = rng.permutation(30) < 15
        by_image += compare_histograms(cell, image, half, 8, permutations=99, seed=trial).p_all <= 0.05
        alone = compare_histograms(cell, np.arange(len(cell)), half[image], 8, permutations=99, seed=trial)
        by_activation += alone.p_all <= 0.05
    assert by_image <= 9
    assert by_activation >= 30


def test_what_one_set_lacks_is_found_where_it_lies() -> None:
    rng = np.random.default_rng(3)
    cell, image = drawn(60, 15, 10, 0.5, rng)
    lacking = np.arange(60) >= 30
    moved = lacking[image] & np.isin(cell, (4, 7))
    cell = np.where(moved, rng.choice([0, 1, 2, 3], size=len(cell)), cell)
    found = compare_histograms(cell, image, lacking, 10, permutations=2000)
    assert found.p_all < 0.01
    assert set(found.different(0.05)[:2].tolist()) == {4, 7}
    assert (found.ratio[[4, 7]] < -3).all()
    assert (found.z[[4, 7]] < 0).all()


def test_the_seed_decides_and_images_without_activations_do_not_count() -> None:
    cell, image = drawn(12, 5, 4, 0.5, np.random.default_rng(4))
    second = np.arange(12) % 2 == 0
    first = compare_histograms(cell, image, second, 4, permutations=300, seed=1)
    again = compare_histograms(cell, image, second, 4, permutations=300, seed=1)
    np.testing.assert_array_equal(first.p, again.p)
    more = compare_histograms(cell, image, np.append(second, [True, False]), 4, permutations=300, seed=1)
    np.testing.assert_array_equal(first.z, more.z)
    with pytest.raises(AtlasError, match="sets of 11 and 1 images with activations cannot be compared"):
        compare_histograms(cell, image, np.arange(12) == 3, 4)


CONFIG = AtlasConfig(
    grids=(2, 4), min_count=4, layout="pca", patches=1, patch_size=8, icons=IconConfig(size=16, steps=1, batch=32)
)


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network(size=24)


@pytest.fixture(scope="module")
def study(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("histogram")
    images = drawn_photographs(folder / "images", 24)
    made = harvest(network, images, "act3", folder / "study", config=HarvestConfig(positions=10, shard=8))
    build(network, made, "act3", config=CONFIG)
    return made


@pytest.fixture(scope="module")
def other(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("other")
    images = drawn_photographs(folder / "images", 12, seed=7)
    return harvest(network, images, "act3", folder / "strange", config=HarvestConfig(positions=10))


def test_activations_are_placed_as_the_layout_places_them(study: Study, other: Study) -> None:
    atlas, strange = AtlasMap.open(study), AtlasMap.open(study, "act3")
    assert atlas.folder == strange.folder
    new = atlas.samples.activation[5:45].astype(np.float32) + 0.05
    expected = placed(new, atlas.samples.activation, atlas.points)
    np.testing.assert_allclose(atlas.place(new).points, expected, atol=2e-3)
    own = atlas.place(atlas.samples.activation)
    np.testing.assert_allclose(own.points, atlas.points, atol=2e-2)
    assert own.distance.max() < 1e-5
    # Without their own image they stand elsewhere, by the plain rule.
    images = atlas.samples.image.astype(np.int64)
    apart = atlas.place(atlas.samples.activation, images)
    rest = images != images[0]
    expected = placed(atlas.samples.activation[:1], atlas.samples.activation[rest], atlas.points[rest])
    np.testing.assert_allclose(apart.points[:1], expected, atol=2e-3)
    assert apart.distance.min() > 1e-4


def test_cells_are_those_of_the_grid(study: Study) -> None:
    atlas = AtlasMap.open(study)
    for level in atlas.record.levels:
        found = atlas.cell_of(atlas.points, level)
        counts = np.bincount(found[found >= 0], minlength=level.cells)
        np.testing.assert_array_equal(counts, atlas.cells(level).count)
    assert atlas.level(2).grid == 2
    assert atlas.level(None, enough=10**6).grid == 2
    assert atlas.level(None, enough=1).grid == 4
    with pytest.raises(AtlasError, match="the atlas act3 has no grid of 3 cells a side; it has 2, 4"):
        atlas.level(3)


def test_the_page_says_what_was_compared(study: Study) -> None:
    atlas = AtlasMap.open(study)
    sets = part_of_atlas(atlas, np.arange(10), "ten"), part_of_atlas(atlas, np.arange(10, 24), "the rest")
    record = histogram_page(atlas, *sets, grid=2, permutations=200)
    assert PageRecord.read(study.path / "pages" / "histogram" / "ten-the_rest") == record
    content = record.content
    assert content["first"] == {"name": "ten", "activations": 100, "images": 10}
    assert (content["atlas"], content["grid"], content["permutations"]) == ("act3", 2, 200)
    shares = np.array([[cell[2], cell[3]] for cell in content["cells"]])
    np.testing.assert_allclose(shares.sum(axis=0) + content["elsewhere"], 1, atol=1e-4)
    assert [cell[:2] for cell in content["cells"]] == np.stack(
        [atlas.cells(atlas.level(2)).row, atlas.cells(atlas.level(2)).column], axis=1
    ).tolist()
    assert len(content["labels"]) == len(content["cells"])
    assert "ten-the_rest" in [page["name"] for page in read_catalog(study.path).pages]
    # The same activations taken by hand.
    level = atlas.level(2)
    cell = atlas.cell_of(atlas.points, level)
    by_hand = compare_histograms(
        cell, atlas.samples.image.astype(np.int64), np.arange(24) >= 10, level.cells, permutations=200
    )
    found = compare_sets(atlas, level, *sets, permutations=200)
    np.testing.assert_allclose(found.z, by_hand.z)


def test_strangers_are_placed_and_what_is_new_is_told(study: Study, other: Study) -> None:
    atlas = AtlasMap.open(study)
    own, new = whole_atlas(atlas, "own"), strangers(atlas, other, "new")
    assert (own.images, new.images) == (24, 12)
    record = histogram_page(atlas, own, new, grid=2, permutations=200, name="both")
    outside = record.content["outside"]
    assert outside["first"] == pytest.approx(0.01, abs=0.006)
    assert 0 <= outside["second"] <= 1
    manifest = replace(other.manifest, network={**other.manifest.network, "weights_sha256": "0"})
    with pytest.raises(StudyError, match="with other weights than 'Small'"):
        strangers(atlas, Study(other.path, manifest), "new")


def test_a_study_without_an_atlas_is_refused(other: Study, study: Study) -> None:
    with pytest.raises(StudyError, match="has no atlas of a layer; build one with 'pellucid atlas'"):
        AtlasMap.open(other)
    with pytest.raises(StudyError, match="has no finished atlas 'conv2'; it has act3"):
        AtlasMap.open(study, "conv2")


def test_classes_of_a_study_are_known_without_its_images(network: Network, tmp_path: Path) -> None:
    images = drawn_photographs(tmp_path / "images", 3)
    for number, path in enumerate(sorted(images.rglob("*.png"))):
        path.rename(images / f"{imagenet().wnids[number * 100]}_{number}.png")
    made = harvest(network, images, "act3", tmp_path / "study", config=HarvestConfig(positions=2))
    names, of = study_classes(made, imagenet().names)
    assert dict(zip((name[-5] for name in names), of.tolist(), strict=True)) == {"0": 0, "1": 100, "2": 200}
    images.rename(tmp_path / "moved")
    assert study_classes(made, imagenet().names)[1].tolist() == of.tolist()
    assert study_classes(made, ("a", "b"))[1].tolist() == [-1, -1, -1]
