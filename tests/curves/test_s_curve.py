import math

import numpy as np
import pytest
import torch

import oracles_curve_analysis as oracle
from pellucid.curves import SCurve, Style, draw
from pellucid.errors import PellucidError

CURVES = [
    SCurve(0, 20),
    SCurve(33, 14.3, arc=70, bend="anticlockwise", width=1.7),
    SCurve(201, 11.7, arc=165, width=0.6),
    SCurve(118, 25, arc=40),
]
each = pytest.mark.parametrize("curve", CURVES, ids=lambda one: f"{one.orientation:g} {one.arc:g} {one.bend}")


def distances(curve: SCurve, places: np.ndarray):
    given = {name: torch.tensor(value, dtype=torch.float64) for name, value in curve.parameters().items()}
    x, y = (torch.from_numpy(np.ascontiguousarray(places[:, axis])) for axis in (0, 1))
    return curve.distances(given, x, y)


@each
def test_distances_are_those_to_a_path_that_is_walked(curve: SCurve) -> None:
    places = np.random.default_rng(0).uniform(-45, 45, (200, 2))
    path = oracle.s_path(curve, 400)
    plain = [oracle.to_path((x, y), path) for x, y in places]
    np.testing.assert_allclose(distances(curve, places).line, plain, atol=1e-3)


@each
def test_the_path_lies_on_the_line_and_is_even(curve: SCurve) -> None:
    path = np.array(curve.path(101))
    assert distances(curve, path).line.max() < 1e-9
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert np.ptp(steps) < 1e-3
    assert steps.sum() == pytest.approx(2 * math.radians(curve.arc) * curve.radius, rel=1e-3)
    np.testing.assert_allclose(path[50], 0, atol=1e-9)


@each
def test_the_border_has_one_side_all_along(curve: SCurve) -> None:
    path = np.array(curve.path(61))
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    clockwise = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    inner = slice(1, -1)
    # The two halves meet without a jump, and the sign tells the side of whoever walks along.
    np.testing.assert_allclose(distances(curve, (path + 2 * clockwise)[inner]).side, 2, atol=0.05)
    np.testing.assert_allclose(distances(curve, (path - 2 * clockwise)[inner]).side, -2, atol=0.05)


@each
def test_no_distance_changes_faster_than_the_place(curve: SCurve) -> None:
    rng = np.random.default_rng(1)
    places = rng.uniform(-60, 60, (4000, 2))
    moved = places + rng.normal(size=places.shape) * 0.3
    step = np.linalg.norm(moved - places, axis=1) + 1e-6
    first, second = distances(curve, places), distances(curve, moved)
    assert ((first.line - second.line).abs().numpy() <= step).all()
    assert ((first.side - second.side).abs().numpy() <= step).all()


def test_a_half_turn_leaves_the_line_and_swaps_its_sides() -> None:
    for fill in (False, True):
        one, other = (draw(SCurve(at, 14, 80), 61, style=Style(fill=fill), channels=1) for at in (25, 205))
        torch.testing.assert_close(one, 1 - other if fill else other, atol=1e-4, rtol=0)


def test_the_two_bends_are_mirror_images() -> None:
    one = draw(SCurve(0, 14, 80), 61)
    other = draw(SCurve(0, 14, 80, bend="anticlockwise"), 61)
    torch.testing.assert_close(one, other.flip(2), atol=1e-4, rtol=0)
    assert (one - other).abs().max() > 0.9


def test_it_bends_as_it_says_and_inside_is_clockwise_of_it() -> None:
    dark = 1 - draw(SCurve(0, 20), 81, channels=1)[0, 0]
    assert dark[60, 60] > 0.5  # a quarter circle to the right and down
    assert dark[20, 20] > 0.5
    filled = draw(SCurve(0, 20), 81, channels=1, style=Style(fill=True))[0, 0]
    assert filled[45, 40] == 0
    assert filled[35, 40] == 1


def test_the_line_has_its_area() -> None:
    area = (1 - draw(SCurve(40, 15, 100, width=1.5), 91, channels=1, style=Style(supersampling=8))).sum()
    assert float(area) == pytest.approx(2 * math.radians(100) * 15 * 3 + math.pi * 1.5**2, rel=0.01)


def test_impossible_s_curves_are_refused() -> None:
    with pytest.raises(PellucidError, match="bend = 'left' is neither clockwise nor anticlockwise"):
        SCurve(0, 20, bend="left")
    with pytest.raises(PellucidError, match="s-curve: arc = 181 must be above 0 and at most 180"):
        SCurve(0, 20, arc=181)
    with pytest.raises(PellucidError, match="s-curve: radius = inf"):
        SCurve(0, math.inf)
    with pytest.raises(PellucidError, match="s-curve: orientation = nan"):
        SCurve(math.nan, 20)
