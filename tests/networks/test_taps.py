"""Activations on both sides of a rectifier."""

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from pellucid.errors import LayerError
from pellucid.networks import Network, wrap
from pellucid.networks.taps import tapped, tapping, taps_of
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


@pytest.mark.parametrize("layers", [["relu1", "head"], ["conv2", "relu2"]])
def test_a_network_that_is_held_ready_gives_for_each_pass_what_a_pass_alone_gives(layers: list[str]) -> None:
    network = small_network()
    network.module.train()
    found: dict[tuple[str, str], Tensor] = {}
    with tapping(network, layers) as run:
        assert not network.module.training
        for seed in range(3):
            images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
            run(images, lambda layer, side, values: found.update({(layer, side): values.clone()}))
            alone = tapped(network, images, layers)
            assert found.keys() == alone.keys()
            for key, values in alone.items():
                torch.testing.assert_close(found[key], values, rtol=0, atol=0)
    assert network.module.training
    assert all(parameter.requires_grad for parameter in network.module.parameters())


class Failing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.mean() > 0.5:
            raise ValueError("too bright")
        return x.relu()


def test_a_pass_that_ends_within_a_layer_leaves_nothing_behind() -> None:
    conv = nn.Conv2d(3, 3, 1)
    nn.init.dirac_(conv.weight)
    nn.init.zeros_(cast("Tensor", conv.bias))
    inner = nn.Sequential(conv, nn.ReLU())
    module = nn.Sequential(nn.Sequential(inner, Failing()), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = wrapped(module)
    network.layers()
    dark, bright = torch.rand(1, 3, 8, 8) / 4, torch.rand(1, 3, 8, 8) / 4 + 0.75
    expected = {key: values.clone() for key, values in tapped(network, dark, ["0", "0.0"]).items()}
    assert set(expected) == {("0", "post"), ("0", "pre"), ("0.0", "post"), ("0.0", "pre")}
    with tapping(network, ["0", "0.0"]) as run:
        for _ in range(2):
            with pytest.raises(ValueError, match="too bright"):
                run(bright, lambda *_: None)
            assert torch.overrides._get_current_function_mode_stack() == []
            found: dict[tuple[str, str], Tensor] = {}
            run(dark, lambda layer, side, values, kept=found: kept.update({(layer, side): values.clone()}))
            assert torch.overrides._get_current_function_mode_stack() == []
            for key, values in expected.items():
                torch.testing.assert_close(found[key], values, rtol=0, atol=0)


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
