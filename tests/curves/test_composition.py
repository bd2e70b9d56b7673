import math

import numpy as np
import pytest
import torch
from torch import nn

import oracles_curve_analysis as oracle
import pellucid
from pellucid.curves import TuningCurve, VonMises
from pellucid.curves.composition import (
    compose,
    composition_figure,
    factor_regions,
    family_directions,
    mean_direction,
    split_of,
)
from pellucid.curves.extraction import two_curve_scene
from pellucid.errors import LayerError, ObjectiveError, PellucidError

CURVES = range(24)
TUNING = {f"relu4:{unit}": VonMises(1.0, 15.0 * unit, 8.0).curve(72) for unit in CURVES}


@pytest.fixture(scope="module")
def network() -> pellucid.Network:
    return pellucid.load("handnet")


@pytest.mark.parametrize("seed", [501, 502, 503])
def test_two_curves_are_split_into_two_factors(network: pellucid.Network, seed: int) -> None:
    scene = two_curve_scene(seed)
    found = compose(network, scene.image, "relu4", CURVES, tuning=TUNING)
    split = split_of(factor_regions(network, scene.image, found).masks, scene.truths())
    assert min(split.ious) >= 0.6
    assert split.mean == pytest.approx(np.mean(split.ious))
    for factor, (stroke, _) in zip(split.factors, scene.strokes, strict=True):
        normal, agreement = found.points[factor]
        assert abs((normal - stroke.orientation - 180 + 180) % 360 - 180) < 20
        assert agreement > 0.6


def test_images_together_have_one_set_of_factors(network: pellucid.Network) -> None:
    scenes = [two_curve_scene(seed, apart=120) for seed in (501, 504, 506)]
    images = torch.cat([scene.image for scene in scenes])
    found = compose(network, images, "relu4", CURVES, count=6, tuning=TUNING)
    assert found.factors.maps.shape == (3, 6, 16, 16)
    assert found.weights.shape == (6, 24)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1)
    normals = np.array([normal for normal, _ in found.points])
    # The factor that is strongest on a curve points where the curve does.
    for number, scene in enumerate(scenes):
        for (stroke, (y, x)), path in zip(scene.strokes, scene.paths(), strict=True):
            row, column = np.rint(path[100] / 8).astype(int)
            assert math.dist(path[100], (y, x)) < 1
            strongest = int(found.factors.maps[number, :, row, column].argmax())
            assert abs((normals[strongest] - stroke.orientation) % 360 - 180) < 45


def test_factors_lie_in_the_family_and_add_up(network: pellucid.Network) -> None:
    scene = two_curve_scene(501)
    found = compose(network, scene.image, "relu4", (3, 5, 17), count=3, spread=0, tuning=TUNING)
    factors = found.factors
    assert not factors.directions[:, [k for k in range(42) if k not in (3, 5, 17)]].any()
    with torch.no_grad():
        maps = network.activations(scene.image, ["relu4"])["relu4"][:, [3, 5, 17]].double()
    rebuilt = factors.reconstruction()[:, [3, 5, 17]].double()
    # As many factors as units leave nothing over.
    assert float((maps - rebuilt).norm() / maps.norm()) == pytest.approx(factors.error, abs=1e-4)
    assert factors.error < 0.02
    rows = found.rows()
    assert sum(float(row["share"] or 0) for row in rows) == pytest.approx(1)
    totals = factors.maps.sum(dim=(0, 2, 3))
    assert torch.equal(totals, totals.sort(descending=True).values)


def test_factors_of_known_groups_are_the_groups() -> None:
    torch.manual_seed(0)
    groups = torch.tensor([[1.0, 0.5, 0, 0], [0, 0, 0.8, 0.4]])

    class Two(nn.Module):
        """Reds drive the first group of units, greens the second."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 4, 1, bias=False)
            with torch.no_grad():
                self.layer.weight.copy_(torch.cat([groups.T, torch.zeros(4, 1)], dim=1)[:, :, None, None])

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.layer(images).mean(dim=(2, 3))

    network = pellucid.wrap(Two(), mean=(0, 0, 0), std=(1, 1, 1), size=(10, 12), name="two")
    tuning = {f"layer:{unit}": VonMises(1.0, 90.0 * unit, 20.0).curve(72) for unit in range(4)}
    found = compose(network, torch.rand(3, 3, 10, 12), "layer", count=2, spread=0, tuning=tuning)
    order = np.argsort(-found.weights[:, 0])
    np.testing.assert_allclose(found.weights[order], groups / groups.sum(dim=1, keepdim=True), atol=0.02)
    assert found.factors.error < 0.01
    np.testing.assert_allclose(
        [found.points[k][0] for k in order],
        [math.degrees(math.atan2(0.5, 1)), 180 + math.degrees(math.atan2(0.4, 0.8))],
        atol=2,
    )  # fmt: skip


def test_directions_are_measured_where_no_file_tells_them(network: pellucid.Network) -> None:
    units = (0, 5, 18)
    found = family_directions(network, "relu4", units)
    away = (found - 15 * np.array(units) + 180) % 360 - 180
    assert np.abs(away).max() < 3
    given = {f"relu4:{unit}": TUNING[f"relu4:{unit}"].turned(100) for unit in units}
    turned = family_directions(network, "relu4", units, given)
    np.testing.assert_allclose(turned, (15 * np.array(units) + 100) % 360, atol=1)


def test_the_mean_direction_is_that_of_weighted_arrows() -> None:
    normal, agreement = mean_direction(np.array([350.0, 10.0]), np.array([1.0, 1.0]))
    assert (normal + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)
    assert agreement == pytest.approx(math.cos(math.radians(10)))
    assert mean_direction(np.array([0.0, 90.0]), np.array([1.0, 1.0]))[0] == pytest.approx(45)
    nowhere = mean_direction(np.array([0.0, 180.0]), np.array([1.0, 1.0]))
    assert math.isnan(nowhere[0])
    assert nowhere[1] == 0
    assert mean_direction(np.array([20.0, math.nan]), np.array([1.0, 3.0])) == pytest.approx((20, 0.25))
    assert math.isnan(mean_direction(np.array([math.nan]), np.array([1.0]))[0])


def test_splits_are_the_best_of_all_matchings() -> None:
    rng = np.random.default_rng(0)
    regions, truths = rng.random((3, 12, 14)) < 0.3, rng.random((2, 12, 14)) < 0.1
    for some in (regions, regions[::-1], regions[[1, 2, 0]]):
        found = split_of(some, truths, tolerance=0)
        assert sum(found.ious) == pytest.approx(oracle.best_ious(regions, truths))
    left = split_of(regions[:1], truths, tolerance=0)
    assert sorted(left.factors) == [-1, 0]
    assert min(left.ious) == 0
    line = np.zeros((1, 21, 21), dtype=bool)
    line[0, 10] = True
    band = np.zeros_like(line)
    band[0, 7:14] = True
    assert split_of(band, line).ious == (1.0,)


def test_regions_do_not_overlap_and_lie_on_their_factor(network: pellucid.Network) -> None:
    scene = two_curve_scene(502)
    found = compose(network, scene.image, "relu4", CURVES, tuning=TUNING)
    regions = factor_regions(network, scene.image, found)
    assert regions.strengths.shape == regions.masks.shape == (2, 128, 128)
    assert not regions.masks.all(axis=0).any()
    away = scene.distances(np.argwhere(regions.masks.any(axis=0)).astype(float)).min(axis=0)
    assert np.quantile(away, 0.95) < 8


def test_without_a_spread_one_curve_may_take_all_factors(network: pellucid.Network) -> None:
    """The reason for smoothing first; see `compose`."""
    worse = {0.0: [], 1.5: []}
    for seed in (1009, 1011):
        scene = two_curve_scene(seed)
        for spread, found in worse.items():
            one = compose(network, scene.image, "relu4", CURVES, spread=spread, tuning=TUNING)
            found.append(min(split_of(factor_regions(network, scene.image, one).masks, scene.truths()).ious))
    assert max(worse[0.0]) < 0.2
    assert min(worse[1.5]) > 0.5


def test_a_figure_shows_units_and_images(network: pellucid.Network) -> None:
    scene = two_curve_scene(501)
    found = compose(network, scene.image, "relu4", CURVES, tuning=TUNING)
    figure = composition_figure([scene.image], found, [factor_regions(network, scene.image, found)])
    titles = [axes.get_title() for axes in figure.axes]
    assert sum(title.startswith("factor") for title in titles) == 2


def test_what_cannot_be_composed_is_refused(network: pellucid.Network) -> None:
    image = two_curve_scene(501).image
    with pytest.raises(ObjectiveError, match="count = 3 factors cannot be told apart by 2 units"):
        compose(network, image, "relu4", (0, 1), count=3, tuning=TUNING)
    with pytest.raises(ObjectiveError, match="count = 0 factors"):
        compose(network, image, "relu4", CURVES, count=0, tuning=TUNING)
    with pytest.raises(ObjectiveError, match="none of the units of 'relu4' fires for these images"):
        compose(network, torch.full_like(image, 0.5), "relu4", CURVES, tuning=TUNING)
    with pytest.raises(ObjectiveError, match=r"spread = -1 positions must be 0 or above"):
        compose(network, image, "relu4", CURVES, spread=-1, tuning=TUNING)
    with pytest.raises(LayerError, match="has no spatial activations"):
        compose(network, image, "logits")
    with pytest.raises(PellucidError, match="there is no tuning curve of relu4:24; leave tuning out"):
        compose(network, image, "relu4", (24, 25), tuning=TUNING)
    found = compose(network, image, "relu4", CURVES, tuning=TUNING)
    with pytest.raises(PellucidError, match="there is no image 1 in the composition, which is of 1"):
        factor_regions(network, image, found, number=1)
    with pytest.raises(PellucidError, match="threshold = 0 must be a share"):
        factor_regions(network, image, found, threshold=0)
    with pytest.raises(PellucidError, match=r"are \(K, H, W\) of one size"):
        split_of(np.zeros((1, 3, 4), dtype=bool), np.zeros((1, 4, 3), dtype=bool))


def test_a_silent_unit_has_no_direction() -> None:
    silent = TuningCurve.of(np.zeros(24))
    curves = {"relu4:0": TUNING["relu4:0"], "relu4:1": silent}
    found = family_directions(pellucid.load("handnet"), "relu4", (0, 1), curves)
    assert found[0] == pytest.approx(0, abs=1e-6) or found[0] == pytest.approx(360)
    assert math.isnan(found[1])
