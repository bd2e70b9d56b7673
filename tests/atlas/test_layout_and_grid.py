from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oracles import grid_means
from pellucid.atlas.check import compare_layouts
from pellucid.atlas.grid import make_grid
from pellucid.atlas.layout import LAYOUTS, layout_named, normalize, placed
from pellucid.errors import AtlasError

POINTS = arrays(np.float32, st.tuples(st.integers(1, 60), st.just(2)), elements=st.floats(0, 1, width=32))


@given(POINTS, st.integers(1, 9), st.integers(1, 4))
def test_cells_are_the_plain_ones(points: np.ndarray, size: int, min_count: int) -> None:
    values = np.arange(3 * len(points), dtype=np.float64).reshape(-1, 3)
    truth = grid_means(points, values, size, min_count)
    if not truth:
        with pytest.raises(AtlasError, match=f"no cell of the {size}x{size} grid holds {min_count} activations"):
            make_grid(points, size, min_count)
        return
    grid = make_grid(points, size, min_count)
    means = grid.means([values[:7], values[7:]])
    assert {(int(r), int(c)) for r, c in zip(grid.row, grid.column, strict=True)} == set(truth)
    for row, column, mean in zip(grid.row, grid.column, means, strict=True):
        np.testing.assert_allclose(mean, truth[int(row), int(column)], rtol=1e-6)
    assert grid.count.sum() == (grid.cell >= 0).sum()


def test_a_point_on_a_border_is_in_one_cell() -> None:
    grid = make_grid(np.array([[0.5, 0.0], [0.5, 1.0], [1.0, 0.25]]), 2, 1)
    assert list(zip(grid.row.tolist(), grid.column.tolist(), grid.count.tolist(), strict=True)) == [
        (0, 1, 2),
        (1, 1, 1),
    ]


def test_values_must_fit_the_points() -> None:
    grid = make_grid(np.zeros((4, 2)), 2, 1)
    with pytest.raises(AtlasError, match="3 values are given for a grid over 4 activations"):
        grid.means([np.zeros((3, 2))])


def test_normalization_ignores_outliers() -> None:
    random = np.random.default_rng(0)
    points = random.uniform(-3, 5, (2000, 2)).astype(np.float32)
    points[:5] = 1e4
    fitted = normalize(points)
    assert fitted.min() >= 0
    assert fitted.max() <= 1
    # The middle 98 % fill the square but for the margins: 0.1 of the range on either side.
    assert np.percentile(fitted, 1, axis=0) == pytest.approx(1 / 12, abs=1e-3)
    assert np.percentile(fitted, 99, axis=0) == pytest.approx(11 / 12, abs=1e-3)


def test_points_on_a_line_are_no_division_by_zero() -> None:
    points = np.stack([np.linspace(0, 1, 50), np.full(50, 2.0)], axis=1).astype(np.float32)
    assert np.isfinite(normalize(points)).all()


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray]:
    """Activations in four directions, of any length, and in which."""
    random = np.random.default_rng(0)
    centers = random.uniform(0, 1, (4, 12))
    which = np.repeat(np.arange(4), 30)
    return centers[which] * random.uniform(1, 9, (120, 1)) + random.normal(0, 0.01, (120, 12)), which


def nearest_of_its_kind(points: np.ndarray, which: np.ndarray) -> float:
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((which[distances.argmin(axis=1)] == which).mean())


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_keep_neighbours_and_follow_the_seed(clouds: tuple[np.ndarray, np.ndarray], name: str) -> None:
    values, which = clouds
    points = layout_named(name, neighbors=15, seed=3)(values)
    assert points.shape == (120, 2)
    assert points.dtype == np.float32
    assert np.array_equal(points, layout_named(name, neighbors=15, seed=3)(values))
    assert nearest_of_its_kind(points, which) > 0.95


@pytest.mark.parametrize("name", LAYOUTS)
def test_ten_activations_are_enough_and_nine_are_not(name: str) -> None:
    values = np.random.default_rng(0).uniform(0.1, 1, (10, 3))
    assert np.isfinite(layout_named(name)(values)).all()
    with pytest.raises(AtlasError, match="9 activations are too few"):
        layout_named(name)(values[:9])


def test_a_layout_that_there_is_not_is_refused() -> None:
    with pytest.raises(AtlasError, match="no layout 'spiral'; layouts are umap, tsne, pacmap, pca"):
        layout_named("spiral")


def test_new_activations_come_to_stand_among_those_that_they_resemble(clouds: tuple[np.ndarray, np.ndarray]) -> None:
    values, which = clouds
    points = normalize(layout_named("pca")(values))
    known, new = np.arange(120) % 3 > 0, np.arange(120) % 3 == 0
    there = placed(values[new] * 2, values[known], points[known])
    distances = np.linalg.norm(there[:, None] - points[known][None], axis=2)
    assert (which[known][distances.argmin(axis=1)] == which[new]).all()
    np.testing.assert_allclose(placed(values[:5], values, points), points[:5], atol=1e-4)
    with pytest.raises(AtlasError, match="cannot be placed among those of 12 channels"):
        placed(values[:, :4], values, points)


def test_layouts_are_compared_on_the_same_activations_beside_shuffled_places(
    clouds: tuple[np.ndarray, np.ndarray],
) -> None:
    trials = compare_layouts(clouds[0], ("umap", "pca"))
    assert [trial.name for trial in trials] == ["umap", "pca", "shuffled"]
    assert min(trials[0].trust, trials[1].trust) > 0.9 > 0.7 > trials[2].trust


def test_layouts_of_the_published_activations_can_be_trusted(shared_data: Path) -> None:
    maps = [np.load(file) for file in sorted((shared_data / "inception-mixed4d").glob("*.npy"))]
    vectors = np.concatenate([one.reshape(-1, 528) for one in maps])
    assert len(vectors) == 1176
    trust = {trial.name: trial.trust for trial in compare_layouts(vectors, ("umap", "tsne"))}
    assert min(trust["umap"], trust["tsne"]) >= 0.98
    assert trust["shuffled"] < 0.55
