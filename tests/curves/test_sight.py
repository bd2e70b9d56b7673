"""Where units look, and what they answer to a bank."""

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from torch import nn

import pellucid
from oracles_finder import spread
from pellucid.curves.responses import respond
from pellucid.curves.sight import Sight, effective_diameters, sights
from pellucid.curves.stimuli import Bank, Curve, draw
from pellucid.errors import LayerError, PellucidError
from pellucid.networks import Network, wrap

LAYERS = ["relu0", "conv1", "relu3", "relu4"]


@pytest.fixture(scope="module")
def handnet() -> Network:
    return pellucid.load("handnet")


def test_a_small_picture_gives_the_answer_of_a_large_one(handnet: Network) -> None:
    seen = sights(handnet, LAYERS)
    assert all(sight.size[0] < handnet.size[0] for sight in seen.values())
    bank = Bank.product(Curve, radius=(20, 40), orientation=range(0, 360, 60))
    small = respond(handnet, bank, seen)
    for layer, sight in seen.items():
        # The same unit of a picture twice as large as the network's own, with the curve where that one looks.
        large = replace(handnet, size=(256, 256))
        further = sights(large, [layer])[layer]
        field = large.receptive_fields([layer])[layer]
        position = (large.layer(layer).size or (0, 0))[0] // 2
        centre = field.center(position, position)
        pictures = draw(bank.stimuli, 256, centre=centre)
        maps = large.layer(layer).maps(large.activations(pictures, [layer])[layer])
        assert np.allclose(small[layer], maps[:, :, position, position].numpy(), atol=2e-5)
        assert further.diameter == pytest.approx(sight.diameter, rel=0.15)


def test_a_network_that_pads_by_its_size_is_shown_small_pictures_too() -> None:
    # "Same" padding, uneven where a side is not a multiple of the stride: 100 px are padded as 68 or 36 are, not as 64.
    torch.manual_seed(0)
    network = wrap(timm.create_model("tf_efficientnet_lite0", num_classes=4), size=(100, 100))
    layer = "blocks.1.1.bn2"
    sight = sights(network, [layer])[layer]
    assert sight.size == (36, 36)
    curve = Curve(radius=10, orientation=30)
    row, column = (side // 2 for side in network.layer(layer).size or (0, 0))
    centre = network.receptive_fields([layer])[layer].center(row, column)
    pictures = draw([curve], 100, centre=(centre[0], centre[1]))
    maps = network.layer(layer).maps(network.activations(pictures, [layer])[layer])
    small = respond(network, Bank.of([curve]), {layer: sight})[layer]
    assert np.allclose(small, maps[:, :, row, column].numpy(), rtol=1e-4, atol=1e-5)


def test_the_middle_of_a_sight_is_where_the_unit_looks(handnet: Network) -> None:
    for layer, sight in sights(handnet, LAYERS).items():
        stride = handnet.receptive_fields([layer])[layer].stride[0]
        assert sight.centre == (sight.position[0] * stride, sight.position[1] * stride)
        assert sight.place == sight.position[0] * sight.grid[1] + sight.position[1]


def test_the_diameter_is_that_of_the_gradients() -> None:
    convolution = nn.Conv2d(1, 2, 5, padding=2, bias=False)
    plain = nn.Sequential(convolution, nn.Flatten(), nn.Linear(2 * 32 * 32, 2))
    kernel = convolution.weight
    with torch.no_grad():
        kernel.copy_(torch.rand(kernel.shape, generator=torch.Generator().manual_seed(1)))
    network = wrap(plain, size=(32, 32), mean=[0.0], std=[1.0])
    found = effective_diameters(network, ["0"])["0"]
    # A linear layer has one gradient, whatever the picture: the kernel, mixed by the same directions.
    generator = torch.Generator().manual_seed(0)
    for shape in ((4, 1, 4, 4), (4, 1, 32, 32)):
        torch.rand(shape, generator=generator, dtype=torch.float64)
    directions = torch.randn((4, 2), generator=generator, dtype=torch.float64)
    gradient = torch.einsum("nc,cyx->nyx", directions, kernel.detach()[:, 0].double())[:, None]
    assert found == pytest.approx(spread(gradient), abs=0.006)  # it is given to a hundredth


def test_deeper_layers_see_further(handnet: Network) -> None:
    diameters = [sight.diameter for sight in sights(handnet, ["relu0", "relu2", "relu3", "relu4"]).values()]
    assert diameters == sorted(diameters)
    assert diameters[0] < 10
    assert diameters[-1] > 30


def test_the_side_before_the_rectifier_is_given_where_there_is_one(handnet: Network) -> None:
    bank = Bank.product(Curve, radius=40, orientation=range(0, 360, 90))
    after, before = respond(handnet, bank, ["relu4", "conv1"]), respond(handnet, bank, ["relu4", "conv1"], side="pre")
    assert (before["relu4"] < 0).any()
    assert np.array_equal(after["relu4"], np.maximum(before["relu4"], 0))
    assert np.array_equal(after["conv1"], before["conv1"])


def test_batches_do_not_matter(handnet: Network) -> None:
    bank = Bank.product(Curve, radius=(20, 40), orientation=range(0, 360, 45))
    whole, some = respond(handnet, bank, "relu4"), respond(handnet, bank, "relu4", batch=3)
    assert np.allclose(whole["relu4"], some["relu4"], atol=1e-6)


def test_a_network_of_one_size_keeps_it() -> None:
    fixed = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 48 * 48, 2))
    network = wrap(fixed, size=(48, 48))
    sight = sights(network, ["1"])["1"]
    assert sight.position == (sight.size[0] // 2, sight.size[1] // 2)
    assert sight.of(torch.arange(4.0 * sight.grid[0] * sight.grid[1]).view(1, 4, -1)).shape == (1, 4)


def test_what_has_no_map_is_refused(handnet: Network) -> None:
    with pytest.raises(LayerError, match="no spatial activations"):
        sights(handnet, ["logits"])


def test_a_layer_that_does_not_look_is_refused() -> None:
    class Blind(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images * 0

    network = wrap(nn.Sequential(Blind(), nn.Conv2d(3, 2, 3)), size=(32, 32))
    with pytest.raises(PellucidError, match="no gradient leads from the middle of layer '1'"):
        effective_diameters(network, ["1"])


def test_a_sight_says_what_it_is_of() -> None:
    sight = Sight("layer", (32, 32), (8, 6), (4, 3), (16.0, 16.0), 9.0)
    assert sight.place == 27
