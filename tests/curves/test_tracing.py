import numpy as np
import pytest
import torch

import oracles_curve_analysis as oracle
import pellucid
from pellucid.curves import Curve, Noise
from pellucid.curves.extraction import curve_scene, in_texture, s_scene, two_curve_scene
from pellucid.curves.tracing import (
    catmull_rom,
    evenly,
    longest_way,
    stroke_distance,
    stroke_ink,
    trace_curve,
    trace_error,
    trace_figure,
    way_along_edges,
    way_along_peaks,
)
from pellucid.errors import ObjectiveError, PellucidError

CURVES = range(24)


@pytest.fixture(scope="module")
def network() -> pellucid.Network:
    return pellucid.load("handnet")


@pytest.mark.parametrize("make", [curve_scene, s_scene])
def test_clean_curves_are_traced_within_two_pixels(network: pellucid.Network, make) -> None:
    for seed in (300, 301):
        scene = make(seed)
        found = trace_curve(network, scene.image, "relu4", CURVES, steps=60)
        after = trace_error(found.points, scene)
        assert after.mean < 0.6
        assert after.p95 < 2
        assert found.loss < 0.1 * found.losses[0]
        assert len(found.losses) == 60


def test_a_start_beside_the_curve_is_drawn_to_it(network: pellucid.Network) -> None:
    scene = curve_scene(302)
    path = scene.paths()[0]
    inside = ((path >= 4) & (path <= 123)).all(axis=1)
    start = path[inside] + np.array([2.5, -2.0])
    found = trace_curve(network, scene.image, "relu4", start=start, steps=100)
    assert trace_error(found.start, scene).away > 1
    assert trace_error(found.points, scene).away < 0.5


def test_a_trace_starts_from_peaks_too(network: pellucid.Network) -> None:
    scene = curve_scene(305)
    found = trace_curve(network, scene.image, "relu4", CURVES, start="peaks", steps=60)
    before, after = trace_error(found.start, scene), trace_error(found.points, scene)
    assert before.mean < 10  # a few positions of 8 px
    assert after.mean < before.mean


def test_a_curve_in_texture_is_traced(network: pellucid.Network) -> None:
    scene = curve_scene(306, style=in_texture(Noise(0.1)))
    found = trace_curve(network, scene.image, "relu4", CURVES, steps=60)
    assert trace_error(found.points, scene).mean < 2


def test_light_lines_are_drawn_light(network: pellucid.Network) -> None:
    scene = curve_scene(300)
    dark, light = (trace_curve(network, image, "relu4", CURVES, steps=2) for image in (scene.image, 1 - scene.image))
    assert dark.drawing.min() < 0.2
    assert float(dark.drawing.median()) == 1
    assert light.drawing.max() > 0.8
    assert float(light.drawing.median()) == 0


def test_the_best_step_is_kept(network: pellucid.Network) -> None:
    scene = curve_scene(300)
    # Steps as long as these overshoot.
    found = trace_curve(network, scene.image, "relu4", CURVES, steps=6, rate=6.0)
    assert found.loss == min(found.losses) <= found.losses[0]
    with torch.no_grad():
        heard, wanted = (
            network.activations(image, ["relu4"])["relu4"].flatten() for image in (found.drawing, scene.image)
        )
    cosine = torch.nn.functional.cosine_similarity(heard, wanted, dim=0)
    assert float(1 - cosine) == pytest.approx(found.loss, abs=1e-5)


def test_the_network_and_the_image_are_as_they_were(network: pellucid.Network) -> None:
    scene = curve_scene(300)
    image = scene.image.clone()
    flags = [parameter.requires_grad for parameter in network.module.parameters()]
    with torch.no_grad():  # gradients are taken all the same
        trace_curve(network, image, "relu4", CURVES, steps=2)
    assert torch.equal(image, scene.image)
    assert [parameter.requires_grad for parameter in network.module.parameters()] == flags
    assert all(parameter.grad is None for parameter in network.module.parameters())


@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_spline_equals_repeated_interpolation(count: int) -> None:
    knots = torch.rand(count, 2, dtype=torch.float64) * 50
    plain = oracle.spline([tuple(knot) for knot in knots.tolist()], 5)
    np.testing.assert_allclose(catmull_rom(knots, 5), plain, atol=1e-9)


def test_the_spline_goes_through_its_control_points_without_corners() -> None:
    knots = torch.tensor([[0, 0], [10, 4], [16, 14], [12, 24], [2, 26], [-6, 20]], dtype=torch.float64)
    points = catmull_rom(knots, 100)
    torch.testing.assert_close(points[::100], knots)
    ahead = torch.diff(points, dim=0)
    ahead = ahead / ahead.norm(dim=1, keepdim=True)
    assert float((ahead[1:] * ahead[:-1]).sum(dim=1).min()) > 0.999


def test_ink_equals_that_drawn_pixel_by_pixel() -> None:
    line = [(3.2, 4.1), (10.7, 6.0), (12.3, 15.9), (30.0, 20.0)]
    for width, soft in ((1.0, 1.0), (2.3, 0.4)):
        drawn = stroke_ink(torch.tensor(line, dtype=torch.float64), (21, 25), width, soft)
        np.testing.assert_allclose(drawn, oracle.ink(line, (21, 25), width, soft), atol=1e-4)


def test_ink_has_the_gradient_of_finite_differences() -> None:
    line = torch.tensor([[3.2, 4.1], [10.7, 6.3], [12.3, 15.9]], dtype=torch.float64, requires_grad=True)
    width = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(17, 20, dtype=torch.float64)

    def total(line: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
        return (weights * stroke_ink(line, (17, 20), width)).sum()

    assert torch.autograd.gradcheck(total, (line, width), atol=1e-4)


def test_a_place_on_the_line_has_a_distance_with_a_gradient() -> None:
    line = torch.tensor([[5.0, 2.0], [5.0, 9.0]], requires_grad=True)
    away = stroke_distance(line, torch.tensor([[5.0, 4.0], [8.0, 4.0], [5.0, 13.0]]))
    torch.testing.assert_close(away.detach(), torch.tensor([0.0, 3.0, 4.0]), atol=2e-3, rtol=0)
    (gradient,) = torch.autograd.grad(away.sum(), line)
    assert gradient.isfinite().all()


def test_points_are_spread_evenly_along_a_line() -> None:
    line = np.array([[0.0, 0.0], [0.0, 3.0], [4.0, 3.0]])
    spread = evenly(line, 8)
    np.testing.assert_allclose(spread[[0, -1]], line[[0, -1]])
    np.testing.assert_allclose(spread[3], [0, 3])
    np.testing.assert_allclose(spread[5], [2, 3])


def test_the_longest_way_leads_through_the_heaviest_group() -> None:
    line = np.stack([np.arange(10.0), np.zeros(10)], axis=1)
    branch = np.array([[4.0, 1.0], [4.0, 2.0]])
    far = np.array([[50.0, 50.0], [51.0, 50.0]])
    order = np.random.default_rng(0).permutation(14)
    points = np.concatenate([line, branch, far])[order]
    way = longest_way(points, np.ones(14), gap=3)
    np.testing.assert_array_equal(way if way[0, 0] == 0 else way[::-1], line)
    heavy = np.array([100.0 if point[0] >= 50 else 1.0 for point in points])
    assert longest_way(points, heavy, gap=3).min() == 50
    # All is one group where gaps are that wide.
    assert len(longest_way(points, heavy, gap=100)) >= 8


def test_ways_are_in_pixels() -> None:
    edges = np.zeros((20, 30))
    edges[7, 4:25] = 1
    edges[2, 2] = 0.2
    way = way_along_edges(edges, gap=40.0)
    assert way.shape == (21, 2)
    assert (way[:, 0] == 7).all()
    response = np.zeros((4, 5))
    response[2, 1:4] = [1.0, 0.9, 0.6]
    peaks = way_along_peaks(response, np.array([8.0, 16.0]), np.array([3.0, 5.0]))
    assert sorted(map(tuple, peaks.tolist())) == [(19, 21), (19, 37), (19, 53)]


def test_errors_of_traces_are_those_of_both_directions() -> None:
    scene = curve_scene(300)
    path = scene.paths(400)[0]
    inside = path[((path >= 0) & (path <= 127)).all(axis=1)]
    whole = trace_error(inside, scene)
    assert whole.greatest < 0.6
    half = trace_error(inside[: len(inside) // 2], scene)
    assert half.away < 0.1
    assert half.missed > 10
    assert half.mean == pytest.approx((half.away + half.missed) / 2)
    assert half.greatest >= half.p95 >= half.mean


def test_a_line_beside_the_curve_is_as_far_away_as_it_is() -> None:
    scene = two_curve_scene(501)  # all inside of the picture
    (stroke, centre), path = scene.strokes[1], scene.paths(400)[1]
    assert isinstance(stroke, Curve)
    angle = np.radians(stroke.orientation)
    middle = np.array(centre) + stroke.radius * np.array([np.sin(angle), np.cos(angle)])
    beside = middle + (path - middle) * (stroke.radius + 3) / stroke.radius
    found = trace_error(beside, scene, 1)
    for value in (found.away, found.missed, found.mean, found.p95, found.greatest):
        assert value == pytest.approx(3, abs=0.02)


def test_a_figure_shows_each_trace(network: pellucid.Network) -> None:
    scene = curve_scene(300)
    found = trace_curve(network, scene.image, "relu4", CURVES, steps=2)
    figure = trace_figure([scene.image, scene.image], [found, found])
    assert len(figure.axes) == 6


def test_what_cannot_be_traced_is_refused(network: pellucid.Network) -> None:
    image = curve_scene(300).image
    with pytest.raises(ObjectiveError, match="nothing in 'relu4' fires for the image"):
        trace_curve(network, torch.full_like(image, 0.5), "relu4", CURVES)
    with pytest.raises(ObjectiveError, match="there is no unit 99 in 'relu4'"):
        trace_curve(network, image, "relu4", CURVES, seen=[99])
    with pytest.raises(PellucidError, match="steps = 0, rate"):
        trace_curve(network, image, "relu4", CURVES, steps=0)
    with pytest.raises(PellucidError, match="start = 'middle' is neither 'edges' nor 'peaks'"):
        trace_curve(network, image, "relu4", CURVES, start="middle")
    with pytest.raises(PellucidError, match=r"points \(M, 2\), two or more, not \(1, 2\)"):
        trace_curve(network, image, "relu4", start=np.zeros((1, 2)))
    with pytest.raises(PellucidError, match="1 places cannot be joined to a line"):
        longest_way(np.zeros((1, 2)), np.ones(1), gap=3)
    with pytest.raises(PellucidError, match="no two places lie within 3 px"):
        longest_way(np.array([[0.0, 0.0], [9.0, 9.0]]), np.ones(2), gap=3)
    with pytest.raises(PellucidError, match=r"control points \(K, 2\), two or more, not \(1, 2\)"):
        catmull_rom(torch.zeros(1, 2))
    with pytest.raises(PellucidError, match="pieces = 0"):
        catmull_rom(torch.zeros(2, 2), 0)
    with pytest.raises(PellucidError, match=r"points \(M, 2\), two or more"):
        stroke_ink(torch.zeros(3), (5, 5))
    with pytest.raises(PellucidError, match="soft = 0 px must be above 0"):
        stroke_ink(torch.rand(3, 2), (5, 5), soft=0)
