"""A quicker copy of a network for many passes."""

from copy import deepcopy

import pytest
import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn

from pellucid.networks import Network, wrap
from pellucid.networks.hastened import hastened
from pellucid.networks.taps import tapped


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False), BatchNormAct2d(8, act_layer=nn.ReLU6), nn.Conv2d(8, 8, 3, groups=8),
        nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(),
    )  # fmt: skip
    for part in module:
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 2)
            nn.init.normal_(part.bias)
            part.running_mean, part.running_var = torch.randn(8), torch.rand(8) + 0.5
    return wrap(module.eval(), size=(12, 12))


@pytest.fixture
def images() -> Tensor:
    return torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(1))


def test_the_copy_says_the_same_up_to_rounding(network: Network, images: Tensor) -> None:
    expected = tapped(network, images, ["1", "4"])
    with hastened(network, ["1", "4"]) as quick:
        found = tapped(quick, images, ["1", "4"])
    assert quick.module is not network.module
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        torch.testing.assert_close(found[key], values, rtol=1e-5, atol=1e-5)


def test_the_copy_is_folded_and_the_network_as_before(network: Network, images: Tensor) -> None:
    before = deepcopy(network.module.state_dict())
    with hastened(network, ["4"]) as quick:
        assert not torch.equal(quick.module[0].weight, network.module[0].weight)  # pyright: ignore[reportIndexIssue]
        assert network.digest != quick.digest
    assert all(torch.equal(value, before[name]) for name, value in network.module.state_dict().items())
    assert "forward" not in vars(network.module[1])  # pyright: ignore[reportIndexIssue]


def test_a_copy_of_the_copy_has_parts_of_its_own(network: Network, images: Tensor) -> None:
    with hastened(network, ["1", "4"]) as quick:
        again = deepcopy(quick.module)
    seen: list[str] = []
    again[1].act.register_forward_hook(lambda *_: seen.append("act"))  # pyright: ignore
    with torch.no_grad():
        torch.testing.assert_close(again(images - 0.1), again(images - 0.1))
    assert seen == ["act", "act"]


def test_a_network_that_cannot_be_copied_is_given_itself(network: Network) -> None:
    class Stubborn(nn.Sequential):
        def __deepcopy__(self, memo: object) -> "Stubborn":
            raise RuntimeError("cannot be copied")

    stubborn = wrap(Stubborn(nn.Conv2d(3, 4, 3), nn.Flatten()), size=(8, 8))
    with hastened(stubborn, ["0"]) as quick:
        assert quick is stubborn
