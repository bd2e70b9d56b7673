import builtins

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import oracles_curve_analysis as oracle
import pellucid
from pellucid.curves import Noise, Style
from pellucid.curves.extraction import (
    Comparison,
    MeanScore,
    canny_edges,
    canny_settings,
    compare_with_canny,
    curve_scene,
    edge_score,
    edge_scores,
    extract_curves,
    extraction_figure,
    in_texture,
    linked,
    panels_figure,
    read_out_attribution,
    rectified_maps,
    ridges,
    s_scene,
    two_curve_scene,
)
from pellucid.errors import LayerError, NetworkError, ObjectiveError, PellucidError

CURVES = range(24)


@pytest.fixture(scope="module")
def network() -> pellucid.Network:
    return pellucid.load("handnet")


def test_the_extraction_of_a_clean_curve_is_the_curve(network: pellucid.Network) -> None:
    for seed in range(4):
        scene = curve_scene(seed)
        found = extract_curves(network, scene.image, "relu4", CURVES)
        assert found.edges.shape == scene.size
        assert found.edges.min() == 0
        assert found.edges.max() == 1
        score = edge_score(found.edges, scene.truth, tolerance=2)
        assert score.f1 > 0.95
        assert (found.edges > 0).mean() < 0.15


def test_extraction_is_ahead_of_the_best_canny_in_texture(network: pellucid.Network) -> None:
    scenes = [curve_scene(700 + seed, style=in_texture(Noise(0.25))) for seed in range(4)]
    found = compare_with_canny(network, scenes, "relu4", CURVES)
    assert found.scenes == 4
    assert found.ahead.mean > 0.1
    assert found.each.mean > 0.88
    assert found.each.mean >= found.one.mean
    assert found.canny_each.mean >= found.canny_one.mean
    assert found.ahead.mean == pytest.approx(found.each.mean - found.canny_each.mean)
    assert found.row()["ahead_low"] == found.ahead.low


def test_the_comparison_takes_the_best_that_canny_can_do(network: pellucid.Network) -> None:
    scenes = [curve_scene(3, style=in_texture(Noise(0.15)))]
    found = compare_with_canny(network, scenes, "relu4", CURVES)
    assert isinstance(found, Comparison)
    edges = canny_edges(scenes[0].image, *found.canny_setting)
    assert edge_score(edges, scenes[0].truth).f1 == pytest.approx(found.canny_each.mean)
    for setting in list(canny_settings())[::29]:
        assert edge_score(canny_edges(scenes[0].image, *setting), scenes[0].truth).f1 <= found.canny_each.mean + 1e-12


def test_a_scene_that_drives_no_unit_counts_as_nothing_found(network: pellucid.Network) -> None:
    scene = curve_scene(0)
    grey = type(scene)(torch.full_like(scene.image, 0.5), scene.strokes)
    found = compare_with_canny(network, [grey], "relu4", CURVES)
    assert found.each.mean == 0
    assert found.canny_each.mean < 0.05  # rounding has a gradient, too


def test_line_units_do_not_see_a_tight_curve_as_curve_units_do(network: pellucid.Network) -> None:
    scene = curve_scene(5)
    curves = extract_curves(network, scene.image, "relu4", CURVES)
    assert curves.response.max() > 0.5
    opposite = [k for k in CURVES if curves.response.max() > 0 and k not in _strong(network, scene.image)]
    weak = extract_curves(network, scene.image, "relu4", opposite)
    assert weak.response.max() < 0.6 * curves.response.max()


def _strong(network: pellucid.Network, image: Tensor) -> list[int]:
    peaks = rectified_maps(network, image, "relu4")[0, :24].amax(dim=(1, 2))
    return torch.nonzero(peaks > 0.3 * peaks.max())[:, 0].tolist()


def test_a_picture_turned_by_a_quarter_gives_turned_edges(network: pellucid.Network) -> None:
    # Odd, so that the middles of units are turned into each other.
    scene = curve_scene(8, (129, 129))
    found = extract_curves(network, scene.image, "relu4", CURVES).edges
    turned = extract_curves(network, scene.image.rot90(1, (2, 3)), "relu4", CURVES).edges
    ours, theirs = np.rot90(found) > 0.45, turned > 0.45
    assert oracle.f1(theirs, ours, 1.0)[0] > 0.95


def test_the_attribution_adds_up_to_what_it_explains(network: pellucid.Network) -> None:
    scene = curve_scene(2, (96, 112))
    maps = rectified_maps(network, scene.image, "relu4")
    weights = (maps > 0.2 * maps.max()).to(maps)
    found = read_out_attribution(network, scene.image, "relu4", weights, steps=128, blur=6)
    from pellucid.visualize.gradients import Blur

    blurred = rectified_maps(network, Blur(6)(scene.image), "relu4")
    total = float((weights * (maps - blurred)).sum())
    assert found.shape == (96, 112)
    assert float(found.sum()) == pytest.approx(total, rel=0.02)


def test_the_attribution_of_a_linear_read_out_is_its_weights_times_the_change() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 2, 3, padding=1, bias=False)
    with torch.no_grad():
        conv.weight.abs_()  # nothing is rectified
    module = nn.Sequential(conv, nn.Flatten(), nn.Linear(2 * 12 * 15, 2))
    network = pellucid.wrap(module, mean=(0, 0, 0), std=(1, 1, 1), size=(12, 15), name="positive")
    image = torch.rand(1, 3, 12, 15)
    weights = torch.rand(1, 2, 12, 15)
    found = read_out_attribution(network, image, "0", weights, steps=1, blur=2.0)
    from pellucid.visualize.gradients import Blur

    change = image - Blur(2.0)(image)
    gradient = torch.nn.functional.conv_transpose2d(weights, conv.weight, padding=1)
    torch.testing.assert_close(found, (gradient * change).sum(dim=(0, 1)).detach(), atol=1e-5, rtol=1e-4)


def test_the_network_is_as_it_was(network: pellucid.Network) -> None:
    scene = curve_scene(1)
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    flags = [parameter.requires_grad for parameter in network.module.parameters()]
    image = scene.image.clone()
    extract_curves(network, image, "relu4", CURVES, smooth=2.0)
    assert torch.equal(image, scene.image)
    assert [parameter.requires_grad for parameter in network.module.parameters()] == flags
    assert all(parameter.grad is None for parameter in network.module.parameters())
    for name, value in network.module.state_dict().items():
        assert torch.equal(value, before[name])


def test_scores_equal_those_of_each_pixel_against_each() -> None:
    rng = np.random.default_rng(0)
    found = rng.random((17, 23)) * (rng.random((17, 23)) < 0.15)
    truth = rng.random((17, 23)) < 0.06
    for tolerance in (0, 1, 2.5):
        for score in edge_scores(found, truth, [0.01, 0.3, 0.8, 2.0], tolerance=tolerance):
            plain = oracle.f1((found >= score.threshold) & (found > 0), truth, tolerance)
            np.testing.assert_allclose((score.f1, score.precision, score.recall), plain, atol=1e-12)


def test_the_best_threshold_is_the_best_of_all_values() -> None:
    rng = np.random.default_rng(1)
    truth = np.zeros((20, 20), dtype=bool)
    truth[10, 3:17] = True
    found = np.where(truth, 0.6 + 0.4 * rng.random((20, 20)), (rng.random((20, 20)) < 0.1) * 0.5)
    best = edge_score(found, truth, tolerance=0)
    assert best.f1 == 1
    assert 0.5 < best.threshold <= found[truth].min()
    assert edge_score(truth, truth, tolerance=0).f1 == 1
    assert edge_score(np.zeros((20, 20)), truth).f1 == 0
    # Both flanks of a line are the line, within the tolerance.
    flanks = np.roll(truth, 2, axis=0) | np.roll(truth, -2, axis=0)
    assert edge_score(flanks, truth, tolerance=2).f1 == 1


def test_a_ridge_is_thinned_to_its_crest_in_every_direction() -> None:
    y, x = np.mgrid[:61, :61] - 30.0
    for degrees in (0, 17, 45, 80, 135):
        away = x * np.cos(np.deg2rad(degrees)) + y * np.sin(np.deg2rad(degrees))
        thin = ridges(np.exp(-(away**2) / 18))
        inner = (slice(3, -3), slice(3, -3))
        assert (np.abs(away[inner])[thin[inner] > 0.05] <= 0.75).all()
        near = (np.abs(away) <= 0.5)[inner]
        assert (thin[inner][near] > 0).mean() > 0.9
    assert not ridges(np.ones((9, 9))).any()


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_linking_is_hysteresis_at_every_threshold(share: float) -> None:
    rng = np.random.default_rng(2)
    strength = rng.random((25, 31)) * (rng.random((25, 31)) < 0.4)
    found = linked(strength, share)
    for threshold in (0.2, 0.5, 0.9):
        plain = oracle.hysteresis(strength, share * threshold, threshold)
        assert np.array_equal(found >= threshold, plain)
    assert np.array_equal(linked(strength, 1.0), strength)


def test_the_mean_of_scores_has_its_interval() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, 400)
    found = MeanScore.of(values)
    assert found.mean == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20
    assert found.high - found.mean == pytest.approx(half, rel=0.15)
    assert found.mean - found.low == pytest.approx(half, rel=0.15)
    assert str(MeanScore(0.5, 0.4, 0.6)) == "0.500 [0.400, 0.600]"


@pytest.mark.parametrize("make", [curve_scene, s_scene, two_curve_scene])
def test_scenes_show_their_truth(make) -> None:
    for seed in (0, 5):
        scene = make(seed, (100, 130))
        assert scene.image.shape == (1, 3, 100, 130)
        dark = (scene.image[0, 0] < 0.2).numpy()
        assert dark[scene.truth].mean() > 0.9
        away = scene.distances(np.argwhere(dark).astype(float)).min(axis=0)
        assert away.max() < 1.3
        for stroke, path in enumerate(scene.paths()):
            assert scene.distances(path)[stroke].max() < 1e-6
        again, other = make(seed, (100, 130)), make(seed + 1, (100, 130))
        assert torch.equal(again.image, scene.image)
        assert not torch.equal(other.image, scene.image)


def test_two_curves_lie_apart_and_inside(network: pellucid.Network) -> None:
    scene = two_curve_scene(3, apart=120)
    first, second = scene.paths()
    assert np.linalg.norm(first[:, None] - second[None], axis=-1).min() >= 15
    assert all(((path >= 0) & (path <= 127)).all() for path in (first, second))
    turned = abs((scene.strokes[0][0].orientation - scene.strokes[1][0].orientation + 180) % 360 - 180)
    assert turned >= 120


def test_one_texture_runs_through_a_scene_of_two_curves() -> None:
    style = in_texture(Noise(0.1))
    scene = two_curve_scene(1, style=style)
    from pellucid.curves import Blank, draw

    ground = draw(Blank(), 128, style=Style(background=0.6, outside=Noise(0.1)), seed=1)
    pixels = np.moveaxis(np.indices((128, 128)), 0, -1).reshape(-1, 2).astype(float)
    away = torch.from_numpy((scene.distances(pixels).min(axis=0) > 3).reshape(128, 128))
    torch.testing.assert_close(scene.image[0][:, away], ground[0][:, away])


def test_cannys_edges_lie_on_the_flanks_of_a_line() -> None:
    scene = curve_scene(0)
    edges = canny_edges(scene.image, 1.0, 0.8, 0.9)
    assert edges.dtype == bool
    assert oracle.f1(edges, scene.truth, 3.0)[0] > 0.97
    assert not (edges & scene.truth).sum() > 0.3 * edges.sum()


def test_figures_show_every_panel(network: pellucid.Network) -> None:
    scene = curve_scene(0)
    found = extract_curves(network, scene.image, "relu4", CURVES)
    figure = extraction_figure(scene.image, found, truth=scene.truth)
    assert [axes.get_title() for axes in figure.axes] == ["image", "attribution", "curves", "truth"]
    with pytest.raises(PellucidError, match="there are no pictures to draw"):
        panels_figure([])


def test_what_cannot_be_extracted_is_refused(network: pellucid.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    image = curve_scene(0).image
    with pytest.raises(LayerError, match="layer 'logits' of handnet has no spatial activations"):
        extract_curves(network, image, "logits")
    with pytest.raises(ObjectiveError, match="there is no unit 42 in 'relu4'"):
        extract_curves(network, image, "relu4", [42])
    with pytest.raises(ObjectiveError, match="name one unit of 'relu4' at least"):
        extract_curves(network, image, "relu4", [])
    with pytest.raises(ObjectiveError, match="none of the units fires anywhere in the image"):
        extract_curves(network, torch.full_like(image, 0.5), "relu4", CURVES)
    with pytest.raises(PellucidError, match="one image at a time, not in 2"):
        extract_curves(network, image.expand(2, -1, -1, -1), "relu4")
    with pytest.raises(NetworkError, match="takes images"):
        extract_curves(network, image[:, :1], "relu4")
    with pytest.raises(ObjectiveError, match=r"threshold = 1.0 must be a share"):
        extract_curves(network, image, "relu4", threshold=1.0)
    with pytest.raises(PellucidError, match="blur = 0 px must be above 0"):
        extract_curves(network, image, "relu4", blur=0)
    with pytest.raises(PellucidError, match="smoothing = 0 px must be above 0"):
        extract_curves(network, image, "relu4", smoothing=0)
    with pytest.raises(PellucidError, match="linking = 0 must be above 0 and at most 1"):
        extract_curves(network, image, "relu4", CURVES, linking=0)
    with pytest.raises(PellucidError, match=r"maps \(H, W\) of one size"):
        edge_score(np.zeros((3, 4)), np.ones((4, 3)))
    with pytest.raises(PellucidError, match="there are no true lines"):
        edge_score(np.ones((3, 4)), np.zeros((3, 4)))
    with pytest.raises(PellucidError, match=r"sigma = 1, low = 0.9, high = 0.5"):
        canny_edges(image, 1.0, 0.9, 0.5)
    with pytest.raises(PellucidError, match="edges are of one image"):
        canny_edges(image.expand(2, -1, -1, -1), 1.0, 0.5, 0.9)
    with pytest.raises(PellucidError, match="there are no scenes"):
        compare_with_canny(network, [], "relu4")
    with pytest.raises(PellucidError, match=r"no two arcs 179.9 degrees apart fit into 20x20 px"):
        two_curve_scene(0, (20, 20), apart=179.9)
    with pytest.raises(PellucidError, match=r"contrast = 0.8 must be above 0 and at most .6"):
        in_texture(Noise(), 0.8)
    real = builtins.__import__

    def without_skimage(name: str, *rest, **named):
        if name.startswith("skimage"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_skimage)
    with pytest.raises(PellucidError, match=r"pip install 'pellucid\[curves\]'"):
        canny_edges(image, 1.0, 0.5, 0.9)
