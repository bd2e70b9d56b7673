import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import oracles_handnet as oracles
import pellucid
from oracles_handnet import RADII, RING
from pellucid.activations.images import find_images, load_view, open_image, views
from pellucid.errors import NetworkError
from pellucid.networks.handnet import CURVES, LINES, ContrastNormalization, formulas, handnet
from pellucid.networks.strokes import Strokes, gabors, hearing_curves, scaled
from pellucid.networks.zoo import MADE_BY_HAND

EXPECTED = np.array(CURVES)


@pytest.fixture(scope="module")
def network() -> pellucid.Network:
    return pellucid.load("handnet")


@pytest.fixture(scope="module")
def tunings(network: pellucid.Network) -> dict[str, Tensor]:
    """How the middle units of three layers answer to arcs: (radii, orientations, units)."""
    return responses(network, "relu3", "relu4")


def responses(network: pellucid.Network, *layers: str) -> dict[str, Tensor]:
    found: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    for radius in RADII:
        maps = activations(network, oracles.arcs(RING, radius), *layers)
        for layer in layers:
            found[layer].append(oracles.middle(maps[layer]))
    return {layer: torch.stack(some) for layer, some in found.items()}


def activations(network: pellucid.Network, images: Tensor, *layers: str) -> dict[str, Tensor]:
    with torch.no_grad():
        return network.activations(images, layers)


def curve_units(maps: Tensor) -> Tensor:
    return maps[..., : len(CURVES)]


def line_units(maps: Tensor) -> Tensor:
    return maps[..., len(CURVES) :]


def test_every_curve_unit_prefers_its_own_orientation(tunings: dict[str, Tensor]) -> None:
    curves = curve_units(tunings["relu4"]).mean(dim=0)
    means, best = oracles.circular_means(curves), RING[curves.argmax(dim=0)].numpy()
    assert oracles.off(means, EXPECTED).max() <= 1
    assert oracles.off(best, EXPECTED).max() <= 3
    ordered = np.sort(means)
    assert np.diff([*ordered, ordered[0] + 360]).max() <= 17


def test_the_normal_0_is_the_right_side_of_a_circle(network: pellucid.Network) -> None:
    x, y = torch.meshgrid(torch.arange(128) - 64.0, torch.arange(128) - 64.0, indexing="xy")
    for side, (left, top) in {0: (-52, 0), 6: (0, -52), 12: (52, 0), 18: (0, 52)}.items():
        circle = ((torch.hypot(x - left, y - top) - 52).abs() > 1).float().expand(1, 3, -1, -1)
        units = oracles.middle(activations(network, circle, "relu4")["relu4"])[0]
        assert int(units[:24].argmax()) == side


def test_tuning_is_narrow_and_has_no_echo(tunings: dict[str, Tensor]) -> None:
    curves = curve_units(tunings["relu4"]).mean(dim=0)
    assert oracles.lengths(curves).min() >= 0.97
    assert oracles.echoes(curves).max() <= 0.001
    assert float(curve_units(tunings["relu4"]).amax(dim=1).mean(dim=1).min()) >= 0.6  # at every radius


def test_all_curve_units_have_the_same_tuning(tunings: dict[str, Tensor]) -> None:
    curves = curve_units(tunings["relu4"]).mean(dim=0).T
    aligned = torch.stack([curve.roll(-15 * k // 3) for k, curve in enumerate(curves)])
    assert float(torch.corrcoef(aligned).min()) >= 0.97
    assert float(aligned.amax(dim=1).min() / aligned.max()) >= 0.9


def test_early_curves_have_an_echo(tunings: dict[str, Tensor]) -> None:
    early = curve_units(tunings["relu3"]).mean(dim=0)
    assert oracles.off(oracles.circular_means(early), EXPECTED).max() <= 3
    assert oracles.lengths(early).min() >= 0.2
    assert oracles.lengths(early).max() <= 0.4
    assert oracles.echoes(early).min() >= 0.25


def test_without_negative_weights_the_echo_comes_back(early_maps: list[Tensor]) -> None:
    for upstream in ("both", "curves"):
        curves = after_surgery(early_maps, negatives=False, upstream=upstream)
        assert oracles.echoes(curves).min() >= 0.4
        assert oracles.lengths(curves).max() <= 0.3


def test_curves_can_be_told_from_early_curves_or_from_lines_alone(early_maps: list[Tensor]) -> None:
    whole, of_curves, of_lines = (after_surgery(early_maps, upstream=some) for some in ("both", "curves", "lines"))
    assert oracles.lengths(of_lines).min() > oracles.lengths(whole).min() > oracles.lengths(of_curves).max()
    assert oracles.lengths(of_curves).min() >= 0.92
    assert oracles.echoes(of_curves).max() <= 0.01
    for curves in (of_curves, of_lines):
        assert oracles.off(oracles.circular_means(curves), EXPECTED).max() <= 5


@pytest.fixture(scope="module")
def early_maps(network: pellucid.Network) -> list[Tensor]:
    """What the last layer is given for arcs of each radius; no surgery touches the layers before it."""
    return [activations(network, oracles.arcs(RING[::3], radius), "relu3")["relu3"] for radius in RADII]


def after_surgery(early_maps: list[Tensor], *, negatives: bool = True, upstream: str) -> Tensor:
    """How curve units answer to arcs of all radii: (orientations, units)."""
    last = handnet(negatives=negatives, upstream=upstream).module.get_submodule("conv4")
    with torch.no_grad():
        return torch.stack([curve_units(oracles.middle(last(maps).relu())) for maps in early_maps]).mean(dim=0)


def test_lines_are_found_by_lines_alone(network: pellucid.Network, tunings: dict[str, Tensor]) -> None:
    maps = activations(network, oracles.lines(oracles.HALF_RING), "relu2", "relu3", "relu4")
    for layer, maps_of_layer in maps.items():
        units = oracles.middle(maps_of_layer)
        lines = units if layer == "relu2" else line_units(units)
        # Twice the angle goes once around.
        assert oracles.off(oracles.circular_means(lines), 2 * np.array(LINES)).max() <= 6
        assert oracles.lengths(lines).min() >= 0.6
    last = oracles.middle(maps["relu4"])
    assert float(curve_units(last).max()) <= 0.1
    assert bool((line_units(last).amax(dim=0) >= line_units(tunings["relu4"]).amax(dim=(0, 1))).all())


def test_ink_may_be_black_or_white(network: pellucid.Network) -> None:
    black, white = (
        curve_units(oracles.middle(activations(network, oracles.arcs(RING, 52, inverse=inverse), "relu4")["relu4"]))
        for inverse in (False, True)
    )
    torch.testing.assert_close(black, white, atol=1e-4, rtol=0)


def test_discs_are_preferred_like_circles(network: pellucid.Network) -> None:
    maps = activations(network, oracles.arcs(RING, 52, filled=True), "relu4")["relu4"]
    curves = curve_units(oracles.middle(maps))
    assert oracles.off(oracles.circular_means(curves), EXPECTED).max() <= 3
    assert oracles.off(RING[curves.argmax(dim=0)].numpy(), EXPECTED).max() <= 5


def test_contrast_counts_for_little(network: pellucid.Network) -> None:
    full = oracles.arcs(RING[::5], 52)
    strong, half, weak = (
        float(curve_units(oracles.middle(activations(network, 0.5 + contrast * (full - 0.5), "relu4")["relu4"])).max())
        for contrast in (1, 0.5, 0.1)
    )
    assert 0.95 <= half / strong <= 0.99
    assert 0.5 <= weak / strong <= 0.8


def test_noise_and_blank_pictures_leave_curves_cold(network: pellucid.Network) -> None:
    noise = activations(network, torch.rand(8, 3, 128, 128), "relu4")["relu4"][:, :24]
    assert float(noise.max()) <= 0.25  # where a curve gives 1
    assert float(noise.mean()) <= 0.01
    blank = torch.stack([torch.full((3, 128, 128), value) for value in (0, 0.3, 0.5, 1)])
    assert float(activations(network, blank, "relu4")["relu4"].max()) == 0


def test_a_turned_picture_turns_the_channels() -> None:
    module = handnet().module.double()
    # With 8·n + 1 pixels the units lie on the same places after the turn.
    picture = torch.rand(1, 3, 97, 97, dtype=torch.float64)
    maps = {}
    for turned in (False, True):
        x = picture.rot90(-1, (2, 3)) if turned else picture
        for name, layer in module.named_children():
            x = layer(x)
            maps[name, turned] = x
    for name, curves in {"norm1": 0, "relu2": 0, "relu3": 24, "conv4": 24}.items():
        straight = maps[name, False].rot90(-1, (2, 3))
        wanted = torch.cat([straight[:, :curves].roll(6, dims=1), straight[:, curves:].roll(9, dims=1)], dim=1)
        torch.testing.assert_close(maps[name, True], wanted, atol=1e-6, rtol=1e-6)


def test_activations_of_all_layers_have_the_same_scale(network: pellucid.Network) -> None:
    layers = ["relu0", "norm1", "relu2", "relu3", "relu4"]
    for strokes in (oracles.arcs(RING, 52), oracles.lines(oracles.HALF_RING)):
        peaks = [float(maps.max()) for maps in activations(network, strokes, *layers).values()]
        assert min(peaks) >= 0.5
        assert max(peaks) <= 1.2


def test_layers_can_be_read_before_and_after_their_rectifiers(network: pellucid.Network) -> None:
    channels = {layer.name: layer.channels for layer in network.layers()}
    assert channels == {
        "gray": 1, "conv0": 72, "relu0": 72, "pool0": 72, "conv1": 18, "norm1": 18, "conv2": 18, "relu2": 18,
        "pool2": 18, "conv3": 42, "relu3": 42, "conv4": 42, "relu4": 42, "mean": 42, "logits": 42,
    }  # fmt: skip
    maps = activations(network, torch.rand(2, 3, 64, 80), *channels)
    for number in (0, 2, 3, 4):
        assert float(maps[f"conv{number}"].min()) < 0
        torch.testing.assert_close(maps[f"conv{number}"].relu(), maps[f"relu{number}"])
    assert float(maps["conv1"].min()) >= 0


def test_logits_are_means_and_have_names(network: pellucid.Network) -> None:
    images = torch.rand(2, 3, 128, 128)
    torch.testing.assert_close(network(images), activations(network, images, "relu4")["relu4"].mean(dim=(2, 3)))
    assert network.labels is not None
    assert [network.labels[index] for index in (0, 7, 24, 33, 41)] == [
        "curve 0", "curve 105", "line 0", "line 90", "line 170",
    ]  # fmt: skip


def test_receptive_fields_are_centred_on_every_eighth_pixel(network: pellucid.Network) -> None:
    fields = network.receptive_fields(["relu0", "relu2", "relu3", "conv4"])
    assert {name: (field.size[0], field.stride[0]) for name, field in fields.items()} == {
        "relu0": (7, 2), "relu2": (19, 4), "relu3": (43, 8), "conv4": (75, 8),
    }  # fmt: skip
    assert fields["conv4"].center(8, 5) == (64, 40)
    assert fields["conv4"].whole == (False, False)


def test_the_filters_are_the_formula() -> None:
    filters = formulas()["conv0.weight"]
    for index, normal in enumerate(LINES):
        for number, phase in enumerate((0, 90, 180, 270)):
            expected = torch.from_numpy(oracles.gabor(normal, phase)).float()
            torch.testing.assert_close(filters[4 * index + number, 0], expected)


@pytest.mark.parametrize(
    ("layer", "first", "normals", "radius", "gain"),
    [
        ("conv2", 0, LINES, None, 2.5),
        ("conv3", 0, CURVES, 3, 1.4),
        ("conv3", 24, LINES, None, 1.3),
        ("conv4", 0, CURVES, 7, 3.5),
        ("conv4", 24, LINES, None, 1.4),
    ],
)
def test_the_weights_are_the_formulas(
    layer: str, first: int, normals: tuple[int, ...], radius: float | None, gain: float
) -> None:
    weights = formulas()[f"{layer}.weight"]
    for unit in (0, 5, 17):
        expected = torch.zeros(weights.shape[1:], dtype=torch.float64)
        size, start = weights.shape[-1], weights.shape[1] - len(LINES)
        for row, column in np.ndindex(size, size):
            for k, heard in enumerate(LINES):
                weight = oracles.weight_of_a_line(
                    normals[unit], heard, column, row, size, radius=radius, form=oracles.FORMS[layer]
                )
                expected[start + k, row, column] = 0.8 * weight if (layer, radius) == ("conv4", 7) else weight
            for k, heard in enumerate(CURVES if (layer, radius) == ("conv4", 7) else ()):
                expected[k, row, column] = oracles.weight_of_a_curve(normals[unit], heard, column, row, size)
        expected *= gain / expected.clamp(min=0).sum()
        torch.testing.assert_close(weights[first + unit], expected.float(), atol=1e-6, rtol=1e-5)


def test_filters_do_not_see_brightness() -> None:
    filters = gabors(9, torch.tensor([0.0, 33.0]), torch.tensor([0, 45, 90]), wavelength=4, deviation=2)
    assert filters.shape == (6, 1, 9, 9)
    torch.testing.assert_close(filters.sum(dim=(1, 2, 3)), torch.zeros(6, dtype=torch.float64))
    torch.testing.assert_close(filters.abs().sum(dim=(1, 2, 3)), torch.ones(6, dtype=torch.float64))


def test_scaling_keeps_the_balance() -> None:
    weights = scaled(torch.tensor([[[[1.0, -3.0]]], [[[2.0, 2.0]]]]), 2)
    torch.testing.assert_close(weights, torch.tensor([[[[2.0, -6.0]]], [[[1.0, 1.0]]]]))


def test_normalization_divides_by_all_channels() -> None:
    maps = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    torch.testing.assert_close(ContrastNormalization(12)(maps).flatten(), torch.tensor([3.0, 4.0]) / 13)


def test_surgery_touches_the_last_layer_alone() -> None:
    whole = formulas()
    for options in MADE_BY_HAND.values():
        cut = formulas(**options)
        assert all(torch.equal(cut[name], whole[name]) for name in whole if name != "conv4.weight")
        kept = cut["conv4.weight"] != 0
        assert torch.equal(cut["conv4.weight"][kept], whole["conv4.weight"][kept])
    assert float(formulas(negatives=False)["conv4.weight"].min()) == 0
    assert float(formulas(upstream="curves")["conv4.weight"][:24, 24:].abs().max()) == 0
    assert float(formulas(upstream="lines")["conv4.weight"][:24, :24].abs().max()) == 0
    with pytest.raises(NetworkError, match="upstream = 'edges' is none of 'both', 'curves', 'lines'"):
        handnet(upstream="edges")


@pytest.mark.parametrize("name", MADE_BY_HAND)
def test_it_loads_by_name(name: str) -> None:
    by_name, by_options = pellucid.load(name), handnet(**MADE_BY_HAND[name])
    assert name in pellucid.networks.names()
    assert by_name.describe() == by_options.describe()
    assert by_name.labels == by_options.labels


def test_random_weights_and_other_names_are_possible(network: pellucid.Network) -> None:
    assert pellucid.load("handnet", weights="random").digest != network.digest
    assert pellucid.load("handnet", labels=[f"unit {k}" for k in range(42)]).labels != network.labels
    with pytest.raises(NetworkError, match="handnet has 42 outputs and 2 labels are given"):
        pellucid.load("handnet", labels=["cat", "dog"])


def test_the_formula_is_that_of_the_published_weights(shared_data: Path) -> None:
    published = json.loads((shared_data / "curve-detectors" / "aann-weights.json").read_text())["weights"]
    wanted = torch.tensor(published, dtype=torch.float64)[:24, :24].transpose(0, 1)
    normals = torch.tensor(CURVES)
    made = hearing_curves(Strokes.arcs(5, normals, 7), normals, width=0.9, tuning=22, opposite=1, spread=24)
    assert float((made - wanted).square().sum() / wanted.square().sum()) <= 0.012


def test_on_photographs_a_tenth_of_the_places_hold_a_curve(network: pellucid.Network, shared_data: Path) -> None:
    folder = shared_data / "imagenet-samples"
    images = []
    for path in find_images(folder)[::9]:
        photograph = open_image(folder / path)
        images.append(load_view(photograph, views(photograph.size, (1.0,), network.crop)[0], network))
    layers = ["relu0", "norm1", "relu2", "relu3", "relu4"]
    parts = [activations(network, torch.stack(images[at : at + 25]), *layers) for at in range(0, len(images), 25)]
    for layer in layers:
        assert float(torch.cat([part[layer].amax(dim=(2, 3)) for part in parts]).amax(dim=0).min()) >= 0.2  # none dead
    curves = torch.cat([part["relu4"][:, :24] for part in parts]).movedim(1, 0).flatten(1)
    shares = (curves > 0).float().mean(dim=1)
    assert 0.08 <= float(shares.mean()) <= 0.13
    assert float(shares.min()) >= 0.04
    fired = curves[curves > 0].numpy()
    thresholds = np.linspace(0, np.quantile(fired, 0.999), 60)
    survival = np.log([(fired > threshold).mean() for threshold in thresholds])
    assert np.corrcoef(thresholds, survival)[0, 1] ** 2 >= 0.99


def test_turned_photographs_find_the_units_in_turn(network: pellucid.Network, shared_data: Path) -> None:
    """Crops of photographs that one unit likes best are turned; each unit likes them when its orientation is there."""
    folder, wide, unit = shared_data / "imagenet-samples", replace(network, size=(224, 224)), 6
    photographs = [
        load_view(photograph, views(photograph.size, (1.0,), 1)[0], wide)
        for photograph in (open_image(folder / path) for path in find_images(folder)[::9])
    ]
    maps = activations(network, torch.stack(photographs), "relu4")["relu4"][:, unit, 8:-8, 8:-8]
    answers = []
    for image in maps.amax(dim=(1, 2)).argsort(descending=True)[:10].tolist():
        row, column = (8 * (int(at) + 8) for at in np.unravel_index(int(maps[image].argmax()), maps[image].shape))
        crop = photographs[image][:, row - 60 : row + 61, column - 60 : column + 61]
        maps_of_turned = activations(
            network, torch.stack([turned(crop, angle) for angle in range(0, 360, 15)]), "relu4"
        )
        answers.append(curve_units(oracles.middle(maps_of_turned["relu4"])))
    curves = torch.stack(answers).mean(dim=0)
    errors = oracles.off(oracles.circular_means(curves), EXPECTED - 15 * unit)
    assert np.sqrt((errors**2).mean()) <= 4
    assert errors.max() <= 8


def turned(crop: Tensor, angle: int) -> Tensor:
    """The middle 81 pixels of a crop of 121, turned clockwise."""
    picture = Image.fromarray((crop.movedim(0, 2) * 255).byte().numpy()).rotate(-angle, Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture)).movedim(2, 0)[:, 20:101, 20:101] / 255
