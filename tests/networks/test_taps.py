"""Activations on both sides of a rectifier."""

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from pellucid.errors import LayerError
from pellucid.networks import Network, wrap
from pellucid.networks.taps import tapped, taps_of
from small import Broken, small_network


def wrapped(module: nn.Module, size: int = 8) -> Network:
    return wrap(module.eval(), mean=(0.0,) * 3, std=(1.0,) * 3, size=size)


class Block(nn.Module):
    """A layer whose output comes out of a rectifier that it calls itself, and one inside it whose output does not."""

    def __init__(self, rectify) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 1)
        self.rectify = rectify

    def forward(self, x: Tensor) -> Tensor:
        return self.rectify(self.second(self.conv(x)))


class Holder(nn.Module):
    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block(x).add_(1).mean(dim=(2, 3)))  # in place on what the block gave


@pytest.mark.parametrize(
    "rectify",
    [
        torch.relu,
        torch.relu_,
        nn.functional.relu6,
        lambda x: nn.functional.hardtanh_(x, 0, 6),
        lambda x: x.clamp_(min=0),
        nn.functional.gelu,
        lambda x: nn.functional.silu(x, inplace=True),
    ],
)
def test_before_and_after_any_rectifier(rectify) -> None:
    network = wrapped(Holder(Block(rectify)))
    images = torch.rand(3, 3, 8, 8)
    found = tapped(network, images, ["block", "block.second"])
    assert set(found) == {("block", "post"), ("block", "pre"), ("block.second", "post")}
    with torch.no_grad():
        block = cast("Block", cast("Holder", network.module).block)
        before = block.second(block.conv(images))
        after = rectify(before.clone())
    torch.testing.assert_close(found["block", "pre"], before.flatten(2))
    torch.testing.assert_close(found["block.second", "post"], before.flatten(2))
    torch.testing.assert_close(found["block", "post"], after.flatten(2))


def test_a_layer_asked_for_alone_gives_the_same_as_among_others() -> None:
    network = small_network()
    images = torch.rand(2, 3, 32, 32)
    together = tapped(network, images, ["relu1", "conv2", "relu2", "act3", "head"])
    for layer, tap in together:
        torch.testing.assert_close(tapped(network, images, [layer])[layer, tap], together[layer, tap], rtol=0, atol=0)
    assert taps_of(network, ["relu1", "conv2", "act3", "head"]) == {
        "relu1": ("post", "pre"), "conv2": ("post",), "act3": ("post", "pre"), "head": ("post",),
    }  # fmt: skip
    assert together["head", "post"].shape == (2, 7, 1)


def test_a_sum_after_a_rectifier_has_no_pre() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.conv(x).relu()

    network = wrapped(nn.Sequential(Residual(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    assert taps_of(network, ["0"]) == {"0": ("post",)}


def test_what_the_layer_before_rectified_is_not_the_layers_own() -> None:
    network = wrapped(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Dropout(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    assert taps_of(network, ["2"]) == {"2": ("post",)}


def test_arithmetic_may_be_of_half_precision_and_answers_are_single() -> None:
    network = small_network()
    images = torch.rand(2, 3, 32, 32)
    half = tapped(network, images, ["conv2"], precision=torch.bfloat16)["conv2", "post"]
    whole = tapped(network, images, ["conv2"])["conv2", "post"]
    assert half.dtype == torch.float32
    assert not torch.equal(half, whole)
    torch.testing.assert_close(half, whole, rtol=0.05, atol=0.05)


def test_nothing_is_left_on_the_network_and_its_errors_come_through() -> None:
    network = wrapped(Broken())
    with pytest.raises(LayerError, match="no layer 'third'"):
        tapped(network, torch.rand(1, 3, 8, 8), ["third"])
    names = taps_of(network, ["first"])
    assert names == {"first": ("post",)}
    cast("Broken", network.module).armed = True
    with pytest.raises(RuntimeError, match="the model's own fault"):
        tapped(network, torch.rand(1, 3, 8, 8), ["first", "second"])
    for part in network.module.modules():
        assert not part._forward_hooks
        assert not part._forward_pre_hooks
