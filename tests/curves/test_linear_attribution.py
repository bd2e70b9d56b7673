from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import oracles_attributions as oracle
from pellucid.curves import Curve, draw
from pellucid.curves.attributions import linear_attribution, previous_layer, remove
from pellucid.errors import LayerError, NetworkError
from pellucid.networks import Network, load, wrap
from small import small_network

HANDNET = load("handnet")
SIZE = (6, 7)
GENERATOR = torch.Generator().manual_seed(3)
IMAGES = torch.rand(3, 3, *SIZE, generator=GENERATOR, dtype=torch.float64)


def network_of(module: nn.Module, size: tuple[int, int] = SIZE) -> Network:
    return wrap(module.double().eval(), mean=(0.5,) * 3, std=(0.25,) * 3, size=size)


BRANCHING = oracle.branching()
NETWORK = network_of(BRANCHING)


def test_of_a_curve_unit_the_attribution_is_its_weights_times_what_it_hears() -> None:
    images = draw([Curve(270, 60), Curve(250, 60), Curve(90, 60)], 128)
    found = linear_attribution(HANDNET, "conv4", 6, images, position="center")
    assert (found.previous, found.through, found.bypassed) == ("relu3", (), False)
    assert found.positions == ((8, 8),) * 3
    maps = HANDNET.activations(images, ["relu3", "conv4"])
    weight, bias = HANDNET.module.conv4.weight.detach()[6], HANDNET.module.conv4.bias.detach()[6]  # pyright: ignore
    for index in range(3):
        truth = oracle.window_weights(weight, maps["relu3"][index], 8, 8)
        torch.testing.assert_close(found.attribution[index], truth)
    torch.testing.assert_close(found.constant, bias.expand(3))
    torch.testing.assert_close(found.preactivation, maps["conv4"][:, 6, 8, 8])
    assert found.exact
    assert float(found.remainder.abs().max()) <= 1e-4
    torch.testing.assert_close(found.total + found.constant, found.preactivation.double(), atol=1e-4, rtol=0)
    assert float(found.preactivation[0]) > 0.8
    assert float(found.preactivation[2]) < 0  # the opposite curve


def test_the_layer_of_a_rectifier_is_taken_before_it_rectifies() -> None:
    images = draw([Curve(90, 60)], 128)
    before, after = (linear_attribution(HANDNET, layer, 6, images, position=(8, 8)) for layer in ("conv4", "relu4"))
    assert float(after.preactivation) < 0
    torch.testing.assert_close(after.attribution, before.attribution)
    torch.testing.assert_close(after.preactivation, before.preactivation)


@pytest.mark.parametrize("unit", range(4))
def test_masks_are_held_as_the_image_puts_them(unit: int) -> None:
    found = linear_attribution(NETWORK, "out", unit, IMAGES, position=(2, 0))
    assert found.previous == "stem"
    stem = oracle.frozen_pass(BRANCHING, NETWORK.preprocess(IMAGES)).detach()
    torch.testing.assert_close(found.activations, stem)
    for index in range(3):
        value = oracle.frozen_branching(BRANCHING, stem[index], unit, 2, 0)
        weights, constant = oracle.probed(value, stem[index])
        torch.testing.assert_close(found.weights[index], weights)
        assert float(found.constant[index]) == pytest.approx(constant, abs=1e-10)
        assert float(found.preactivation[index]) == pytest.approx(value(stem[index]), abs=1e-10)
    assert found.exact
    assert float(found.remainder.abs().max()) < 1e-12
    assert found.through == (("hardtanh",) if unit < 2 else ("max_pool2d",))


def test_the_ceiling_of_a_rectifier_is_part_of_the_constant() -> None:
    stem = oracle.frozen_pass(BRANCHING, NETWORK.preprocess(IMAGES))
    assert bool((BRANCHING.norm(BRANCHING.narrow(stem)) > 6).any())  # or the test above would not tell
    found = linear_attribution(NETWORK, "out", 0, IMAGES, position=(2, 0))
    assert len(set(found.constant.tolist())) == 3


PIECEWISE: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu_": lambda x: x.relu_(),
    "relu in place": lambda x: F.relu(x, inplace=True),
    "in place and read again": lambda x: F.relu_(x) + x,
    "relu6": lambda x: F.relu6(4 * x),
    "hardtanh": lambda x: F.hardtanh(x, -0.3, 0.2),
    "threshold": lambda x: F.threshold(x, 0.1, -2.0),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "prelu": lambda x: F.prelu(x, torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=x.dtype)),
    "clamp": lambda x: x.clamp(min=-0.1, max=0.3),
    "abs": lambda x: x.abs(),
    "hardsigmoid": lambda x: F.hardsigmoid(8 * x),
    "hardshrink": lambda x: F.hardshrink(x, 0.2),
    "product with a comparison": lambda x: x * (x > 0),
    "product with a sign": lambda x: x * x.sign(),
    "where": lambda x: torch.where(x > 0.1, x, -x),
    "maximum": lambda x: torch.maximum(x, -0.5 * x),
    "max of two": lambda x: torch.max(x, other=x.flip(1)),
    "amax": lambda x: x.amax(dim=1, keepdim=True).expand_as(x),
    "max over an axis": lambda x: x.max(1)[0][:, None].expand_as(x),
    "min over an axis": lambda x: x.min(dim=1, keepdim=True).values.expand_as(x),
    "max_pool2d": lambda x: F.max_pool2d(x, 3, stride=1, padding=1),
    "strided max_pool2d": lambda x: F.max_pool2d(x, 2, ceil_mode=True).repeat_interleave(2, 2)[:, :, :6],
    "with indices": lambda x: F.max_pool2d(x, 3, 1, 1, return_indices=True)[0],
    "adaptive": lambda x: F.adaptive_max_pool2d(x, (2, 3)).repeat_interleave(3, 2),
}


class Between(nn.Module):
    """A layer, a function, and a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.act, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)
        self.last, self.function = nn.Conv2d(4, 5, 3, padding=1), function

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.function(self.second(self.act(self.first(x))))).mean(dim=(2, 3))


@pytest.mark.parametrize("name", PIECEWISE)
def test_whatever_is_made_of_straight_pieces_leaves_nothing_over(name: str) -> None:
    torch.manual_seed(1)
    network = network_of(Between(PIECEWISE[name]))
    found = linear_attribution(network, "last", 2, IMAGES, previous="act", position=(1, 1))
    assert found.exact
    assert float(found.remainder.abs().max()) < 1e-12
    # The masks are those of the image, and not of the zeros that the constant is taken at.
    assert float((found.constant - found.preactivation).abs().max()) > 1e-3


SMOOTH: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": F.silu,
    "gelu": F.gelu,
    "a gate": lambda x: x * x.mean(dim=(2, 3), keepdim=True).sigmoid(),
    "a hard gate": lambda x: x * F.hardsigmoid(x),
    "softmax": lambda x: x.softmax(1),
    "a norm": lambda x: x / (0.1 + x.square().sum(1, keepdim=True)).sqrt(),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_what_is_not_leaves_a_remainder_and_says_so(name: str) -> None:
    torch.manual_seed(1)
    network = network_of(Between(SMOOTH[name]))
    found = linear_attribution(network, "last", 2, IMAGES, previous="act", position=(1, 1))
    assert not found.exact
    sums = (found.weights * found.activations).sum(dim=(1, 2, 3)) + found.constant
    torch.testing.assert_close(found.remainder, found.preactivation - sums)
    assert float(found.remainder.abs().max()) > 1e-4


def test_a_normalization_by_contrast_is_not_exact() -> None:
    found = linear_attribution(HANDNET, "conv2", 2, draw([Curve(0, 60)], 128), previous="relu0")
    assert not found.exact


@pytest.mark.parametrize(
    ("layer", "previous", "through", "said"),
    [
        ("blocks.1.0.bn2", "blocks.1.0.bn1", 0, False),  # after a depthwise convolution
        ("blocks.1.0.bn3", "blocks.1.0.bn2", 0, False),  # after a pointwise one, without a rectifier
        ("blocks.3.2.bn1", "blocks.3.0.bn2", 2, False),  # nothing in the block between lies on all ways
        ("blocks.3.1.bn3", "blocks.3.1.bn1", 1, True),  # through the bottleneck's own rectifier
        ("blocks.3.1", "blocks.3.0", 2, True),
    ],
)
def test_on_a_real_network_sum_and_constant_are_the_preactivation(
    lite0: Network, layer: str, previous: str, through: int, said: bool
) -> None:
    images = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    found = linear_attribution(lite0, layer, 3, images, previous=previous if said else None)
    assert (found.previous, found.bypassed) == (previous, False)
    assert len(found.through) == through
    assert set(found.through) <= {"hardtanh", "relu6"}
    assert found.exact
    assert float(found.remainder.abs().max()) <= 1e-4


def test_what_comes_on_ways_around_the_earlier_layer_is_in_the_constant(lite0: Network) -> None:
    images = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    found = linear_attribution(lite0, "blocks.3.2.bn1", 0, images, previous="blocks.3.1.bn2")
    assert found.bypassed
    assert found.exact


class Raised(nn.Module):
    """A convolution that is rectified, then raised in place: its output is not that of a rectifier any more."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        rectified = F.relu6(self.convolution(x))  # whose gradient does not need its output
        rectified += 1
        return rectified


def test_what_is_changed_after_it_was_rectified_is_taken_as_it_is() -> None:
    torch.manual_seed(1)
    network = network_of(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), Raised(), nn.Conv2d(4, 2, 1)))
    found = linear_attribution(network, "2", 0, IMAGES, position=(1, 1))
    torch.testing.assert_close(found.preactivation, network.activations(IMAGES, ["2"])["2"][:, 0, 1, 1])
    assert (found.previous, found.exact) == ("1", True)
    assert previous_layer(network, "3", 0) == "1"


def test_in_an_inception_block_a_unit_hears_its_own_branch() -> None:
    network = load("inception_v1", weights="random")
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    # Channel 379 lies in the branch of 5x5, channel 470 in the pooled one.
    near = linear_attribution(network, "mixed3b", 379, images)
    assert (near.previous, near.through) == ("mixed3b_5x5_bottleneck", ())
    far = linear_attribution(network, "mixed3b", 379, images, previous="mixed3a", position=near.positions[0])
    assert (far.through, far.bypassed) == (("relu",), False)
    pooled = linear_attribution(network, "mixed3b", 470, images)
    assert (pooled.previous, pooled.through) == ("mixed3a", ("max_pool2d",))
    before = network.activations(images, ["mixed3b_pre_relu"])["mixed3b_pre_relu"]
    for unit, found in ((379, near), (379, far), (470, pooled)):
        row, column = found.positions[0]
        torch.testing.assert_close(found.preactivation, before[:, unit, row, column])
        assert float(found.remainder.abs().max()) <= 1e-4
    with pytest.raises(LayerError, match="mixed3b:379 does not depend on mixed3b_3x3_bottleneck; choose"):
        linear_attribution(network, "mixed3b", 379, images, previous="mixed3b_3x3_bottleneck")
    with pytest.raises(LayerError, match="mixed3b:379 does not depend on mixed3b_5x5; choose"):
        linear_attribution(network, "mixed3b", 379, images, previous="mixed3b_5x5")  # its own rectifier


def test_where_the_unit_is_taken() -> None:
    maps = NETWORK.activations(IMAGES, ["skip"])["skip"]
    places = [divmod(int(one.argmax()), SIZE[1]) for one in maps[:, 1]]
    for wanted in (None, "max"):
        assert linear_attribution(NETWORK, "skip", 1, IMAGES, position=wanted).positions == tuple(places)
    assert linear_attribution(NETWORK, "skip", 1, IMAGES, position="center").positions == ((3, 3),) * 3
    each = [(0, 0), (5, 6), (1, 2)]
    found = linear_attribution(NETWORK, "skip", 1, IMAGES, position=each, batch=2)
    values = [one[1, row, column] for one, (row, column) in zip(maps, each, strict=True)]
    torch.testing.assert_close(found.preactivation, torch.stack(values))


def test_an_image_has_the_same_attribution_alone() -> None:
    whole = linear_attribution(NETWORK, "out", 0, IMAGES)
    for index in range(3):
        alone = linear_attribution(NETWORK, "out", 0, IMAGES[index : index + 1])
        torch.testing.assert_close(alone.attribution, whole.attribution[index : index + 1])
        torch.testing.assert_close(alone.constant, whole.of(index).constant)


def test_images_are_resized_if_asked_for() -> None:
    small = linear_attribution(NETWORK, "out", 0, IMAGES, size=(4, 5), position=(0, 0))
    assert small.activations.shape[2:] == (4, 5)


def test_summaries_by_position_and_channel() -> None:
    found = linear_attribution(HANDNET, "conv4", 6, draw([Curve(270, 60)], 128), position="center")
    torch.testing.assert_close(found.by_position().sum(dim=(1, 2)).double(), found.total)
    torch.testing.assert_close(found.channels.sum(dim=1).double(), found.total)
    table = found.by_channel(3)
    assert table[0]["unit"] == "relu3:6"  # the early curve of the same direction
    assert table[-1]["unit"] == "relu3:18"  # the opposite one
    values = [row["attribution"] for row in table]
    assert values == sorted(values, reverse=True)
    assert values[2] > 0 > values[3]
    assert values[0] == pytest.approx(float(found.channels[0, 6]))
    everything = found.by_channel(99)
    assert sum(abs(row["share"]) for row in everything) == pytest.approx(1)
    row = found.rows()[0]
    assert row["sum"] + row["constant"] + row["difference"] == pytest.approx(row["pre"])
    assert row["position"] == "8,8"


@pytest.mark.parametrize("unit", [0, 3, 10, 17])
def test_without_the_tenth_of_the_neurons_that_attribute_most_a_curve_unit_falls_silent(unit: int) -> None:
    images = draw([Curve(15 * unit + 180, 60)], 128)
    found = linear_attribution(HANDNET, "conv4", unit, images, position="center")
    assert float(remove(HANDNET, images, found)) <= 0.2 * float(found.preactivation)
    torch.testing.assert_close(remove(HANDNET, images, found, share=0), found.preactivation)


def test_what_removal_takes_from_the_held_network_is_the_attribution_removed() -> None:
    images = draw([Curve(270, 60)], 128)
    found = linear_attribution(HANDNET, "conv4", 6, images, position="center", previous="relu2")
    assert "max_pool2d" in found.through
    flat = found.attribution.flatten()
    count = -(-int((flat != 0).sum()) // 20)
    most = flat[flat.abs().argsort(descending=True)[:count]]
    left = remove(HANDNET, images, found, share=0.05, held=True)
    assert float(left) == pytest.approx(float(found.preactivation) - float(most.sum()), abs=1e-5)
    real = remove(HANDNET, images, found, share=0.05)
    assert abs(float(real) - float(left)) > 0.01  # others take the place of a removed maximum
    everything = remove(HANDNET, images, found, share=1, held=True)
    torch.testing.assert_close(everything, found.constant, atol=1e-5, rtol=0)


def test_nothing_is_left_behind() -> None:
    network = small_network(size=8)
    network.module.train()
    found = linear_attribution(network, "conv3", 3, torch.rand(1, 3, 8, 8))
    assert found.previous == "relu2"
    assert network.module.training
    assert all(not part._forward_hooks for part in network.module.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.module.parameters())


def test_a_way_that_depends_on_the_activations_is_refused() -> None:
    def wavering(x: Tensor) -> Tensor:
        return F.relu(x) if float(x.detach().std()) > 1e-6 else F.hardtanh(x)

    torch.manual_seed(1)
    module = Between(wavering)
    with torch.no_grad():
        module.second.bias.zero_()  # pyright: ignore[reportOptionalMemberAccess]
    with pytest.raises(NetworkError, match="called hardtanh where it had called something else"):
        linear_attribution(network_of(module), "last", 2, IMAGES, previous="act", position=(1, 1))


def test_mistakes_are_told() -> None:
    with pytest.raises(LayerError, match=r"layer 'head' of .* has no spatial activations"):
        linear_attribution(NETWORK, "head", 0, IMAGES)
    with pytest.raises(LayerError, match="out has 4 units, 0 to 3; there is no unit 4"):
        linear_attribution(NETWORK, "out", 4, IMAGES)
    with pytest.raises(
        LayerError, match=r"layer 'out' of Branching has 6x7 positions for such images, none at \(6, 0\)"
    ):
        linear_attribution(NETWORK, "out", 0, IMAGES, position=(6, 0))
    with pytest.raises(LayerError, match="2 positions are given for 3 images"):
        linear_attribution(NETWORK, "out", 0, IMAGES, position=[(0, 0), (1, 1)])
    with pytest.raises(LayerError, match="narrow:0 does not depend on out; choose a layer before it, or none for stem"):
        linear_attribution(NETWORK, "narrow", 0, IMAGES, previous="out")
    with pytest.raises(LayerError, match="no rectified layer lies on all ways from the picture to gray:0 of handnet"):
        previous_layer(HANDNET, "gray", 0)
    found = linear_attribution(NETWORK, "out", 0, IMAGES)
    with pytest.raises(LayerError, match="2 images are given for attributions of 3"):
        remove(NETWORK, IMAGES[:2], found)
    with pytest.raises(LayerError, match="between 0 and 1, not at 2"):
        remove(NETWORK, IMAGES, found, share=2)
    with pytest.raises(LayerError, match="give the same images"):
        remove(NETWORK, IMAGES[:, :, :4], found)
