import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from oracles_atlas_cells import members
from pellucid.activations import HarvestConfig, Samples, harvest, read_samples
from pellucid.atlas.gathered import BLOCK, open_samples, take
from pellucid.atlas.grid import make_grid
from pellucid.atlas.labels import half_of
from pellucid.atlas.layout import PCA, lay_out, normalize, placed
from pellucid.atlas.placement import Placement
from pellucid.atlas.points import MOST_POINTS, read_points, write_points
from pellucid.atlas.survey import survey
from pellucid.errors import AtlasError, StudyError
from photographs import drawn_photographs
from small import small_network


def drawn(count: int, channels: int, seed: int = 0) -> Samples:
    """Activations in a few directions, two of each photograph."""
    random = np.random.default_rng(seed)
    centers = random.uniform(0, 1, (6, channels))
    which = random.integers(0, 6, count)
    values = centers[which] * random.uniform(1, 5, (count, 1)) + random.normal(0, 0.05, (count, channels))
    return Samples(
        np.arange(count, dtype=np.int32) // 2,
        np.zeros((count, 4), np.int32),
        np.zeros((count, 2), np.int16),
        values.astype(np.float16),
        np.zeros((count, 0), np.float16),
    )


def test_activations_mapped_from_a_file_are_those_in_memory(tmp_path: Path) -> None:
    network = small_network(size=24)
    images = drawn_photographs(tmp_path / "images", 9)
    study = harvest(network, images, "act3", tmp_path / "study", config=HarvestConfig(positions=5, shard=4))
    truth = read_samples(study, "act3")
    for limit in (0, 900, 10**6):
        found = open_samples(study, "act3", in_memory=limit)
        assert isinstance(found.activation, np.memmap) == (limit < 10**6)
        for name in ("image", "box", "place", "activation"):
            np.testing.assert_array_equal(getattr(found, name), getattr(truth, name))
        assert found.attribution.shape == (45, 0)
    assert not [
        path for path in (study.path / "activations").glob("act3/*") if path.suffix not in (".parquet", ".json")
    ]
    some = take(truth, np.array([7, 3]))
    np.testing.assert_array_equal(some.activation, truth.activation[[7, 3]])
    assert some.image.tolist() == truth.image[[7, 3]].tolist()
    with pytest.raises(StudyError, match="no finished harvest of layer 'conv2'; it has act3"):
        open_samples(study, "conv2")


def test_more_activations_than_are_laid_out_stand_among_those_that_they_resemble() -> None:
    values = drawn(900, 12).activation
    told: list[int] = []
    points = lay_out(PCA(), values, most=300, seed=2, advance=told.append)
    chosen = np.sort(np.random.default_rng(2).choice(900, size=300, replace=False))
    known = normalize(PCA()(values[chosen]))
    np.testing.assert_array_equal(points[chosen], known)
    rest = np.setdiff1d(np.arange(900), chosen)
    np.testing.assert_allclose(points[rest], placed(values[rest], values[chosen], known), atol=1e-6)
    assert (told[0], sum(told)) == (300, 900)
    assert points.dtype == np.float32
    assert points.min() >= 0
    assert points.max() <= 1
    np.testing.assert_array_equal(points, lay_out(PCA(), values, most=300, seed=2))
    assert not np.array_equal(points, lay_out(PCA(), values, most=300, seed=3))
    np.testing.assert_array_equal(lay_out(PCA(), values, most=900), normalize(PCA()(values)))


def test_an_index_places_as_comparing_one_by_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("usearch")
    samples = drawn(3000, 16, seed=1)
    known, new = samples.activation[:2500], samples.activation[2500:]
    points = normalize(PCA()(known))
    exact = Placement(known, points)(new)
    monkeypatch.setattr("pellucid.atlas.placement._INDEXED", 100)
    indexed = Placement(known, points)(new)
    assert np.quantile(np.abs(indexed - exact).max(axis=1), 0.9) < 5e-3
    np.testing.assert_array_equal(indexed, Placement(known, points)(new))


def test_activations_without_a_direction_stand_in_the_middle() -> None:
    samples = drawn(50, 8)
    points = normalize(PCA()(samples.activation))
    new = np.concatenate([np.zeros((1, 8)), samples.activation[:1]])
    there = placed(new, samples.activation, points)
    np.testing.assert_allclose(there[0], points.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(there[1], points[0], atol=1e-4)
    np.testing.assert_allclose(placed(new[:1], samples.activation, points)[0], points.mean(axis=0), atol=1e-6)


def test_all_levels_are_surveyed_together_as_each_alone() -> None:
    count = 2 * BLOCK + 77
    samples = drawn(count, 6)
    points = np.random.default_rng(4).uniform(0, 1, (count, 2)).astype(np.float32)
    attributions = np.random.default_rng(5).normal(size=(count, 4)).astype(np.float16)
    grids = [make_grid(points, size, 5) for size in (3, 7)]
    shards = [attributions[:100], attributions[100:9000], attributions[9000:]]
    for grid, found in zip(grids, survey(grids, samples, shards, 3), strict=True):
        alone = survey([grid], samples, [attributions], 3)[0]
        np.testing.assert_allclose(found.mean, alone.mean, rtol=1e-6)
        np.testing.assert_allclose(found.classes.mean, alone.classes.mean, atol=1e-6)
        assert found.patches == alone.patches
        truth = members(points, grid.size, 5)
        assert list(truth) == list(zip(grid.row.tolist(), grid.column.tolist(), strict=True))
        for cell, some in enumerate(truth.values()):
            values = samples.activation[some].astype(np.float64)
            np.testing.assert_allclose(found.mean[cell], values.mean(axis=0), rtol=1e-5)
            chosen = found.patches[cell]
            assert set(chosen) <= set(some)
            assert len({int(samples.image[sample]) for sample in chosen}) == 3
            cosines = values @ values.mean(axis=0) / np.linalg.norm(values, axis=1)
            assert cosines[some.index(chosen[0])] == pytest.approx(cosines.max(), rel=1e-5)
            first = attributions[some][half_of(samples.image[some]) == 0].astype(np.float64).mean(axis=0)
            second = attributions[some][half_of(samples.image[some]) == 1].astype(np.float64).mean(axis=0)
            assert bool(found.classes.stable[cell]) == (first.argmax() == second.argmax())


def test_what_does_not_fit_the_activations_is_refused() -> None:
    samples = drawn(40, 6)
    grid = make_grid(np.full((40, 2), 0.5), 1, 1)
    with pytest.raises(AtlasError, match="39 values are given for a grid over 40 activations"):
        survey([grid], samples, [np.zeros((39, 2))], 1)
    with pytest.raises(AtlasError, match="0 values are given for a grid over 40 activations"):
        survey([grid], samples, [], 1)


def test_a_survey_never_holds_all_activations_in_single_precision() -> None:
    count, channels = 12 * BLOCK, 64
    samples = drawn(count, channels)
    attributions = np.zeros((count, 8), np.float16)
    points = np.random.default_rng(4).uniform(0, 1, (count, 2)).astype(np.float32)
    grids = [make_grid(points, size, 5) for size in (4, 8)]
    shards = (attributions[at : at + BLOCK] for at in range(0, count, BLOCK))
    tracemalloc.start()
    survey(grids, samples, shards, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * count * channels


def test_points_are_written_to_a_65535th_and_no_more_than_a_browser_draws(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(0, 1, (MOST_POINTS + 50, 2)).astype(np.float32)
    points[0] = [0, 1]
    few = write_points(tmp_path, points[:300])
    assert few.count == 300
    np.testing.assert_allclose(read_points(tmp_path, few), points[:300], atol=1 / 65535)
    assert np.fromfile(tmp_path / few.file, "<u2")[:2].tolist() == [0, 65535]
    many = write_points(tmp_path, points, seed=1)
    assert many.count == MOST_POINTS
    assert (tmp_path / many.file).stat().st_size == 4 * MOST_POINTS
    there = {tuple(place) for place in np.round(points.astype(np.float64) * 65535).astype(int).tolist()}
    assert {tuple(place) for place in np.fromfile(tmp_path / many.file, "<u2").reshape(-1, 2).tolist()} <= there
