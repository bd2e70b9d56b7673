import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oracles import grid_means
from pellucid.atlas.grid import make_grid
from pellucid.atlas.labels import label_cells
from pellucid.atlas.layout import normalize, pca_layout, umap_layout
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


def test_labels_are_the_largest_means() -> None:
    points = np.repeat([[0.1, 0.1], [0.9, 0.9]], [20, 30], axis=0)
    grid = make_grid(points, 2, 1)
    random = np.random.default_rng(0)
    attributions = random.normal(0, 0.1, (50, 6))
    attributions[:20, 4] += 2.0
    attributions[20:, 1] += np.where(np.arange(30) % 2, 3.0, 0.0)  # only every second speaks for class 1
    attributions[20:, 2] += np.where(np.arange(30) % 2, 0.0, 1.0)
    labels, stable = label_cells(grid, [attributions[:13], attributions[13:45], attributions[45:]], 3)
    for cell, rows in ((0, slice(0, 20)), (1, slice(20, 50))):
        mean = attributions[rows].mean(axis=0)
        assert [label for label, _ in labels[cell]] == np.argsort(-mean)[:3].tolist()
        np.testing.assert_allclose([value for _, value in labels[cell]], np.sort(mean)[::-1][:3], atol=1e-5)
    assert stable.tolist() == [True, False]


def test_layouts_keep_neighbours_and_follow_the_seed() -> None:
    random = np.random.default_rng(0)
    centers = random.uniform(0, 1, (4, 12))
    which = np.repeat(np.arange(4), 30)
    values = centers[which] * random.uniform(1, 9, (120, 1)) + random.normal(0, 0.01, (120, 12))
    points = umap_layout(values, neighbors=15, min_dist=0.05, seed=3)
    assert np.array_equal(points, umap_layout(values, neighbors=15, min_dist=0.05, seed=3))
    for layout in (points, pca_layout(values)):
        distances = np.linalg.norm(layout[:, None] - layout[None], axis=2)
        np.fill_diagonal(distances, np.inf)
        assert (which[distances.argmin(axis=1)] == which).mean() > 0.95


def test_too_few_activations_are_refused() -> None:
    with pytest.raises(AtlasError, match="9 activations are too few"):
        umap_layout(np.zeros((9, 3)), neighbors=5, min_dist=0.1, seed=0)
