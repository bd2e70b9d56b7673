import pytest
import torch

import pellucid
from oracles import act_times_grad
from pellucid.attribution import logit_attributions
from pellucid.networks import Network
from small import Small, small_network


def compare(network: Network, layer: str, labels: list[int]) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, *network.size, generator=generator, dtype=torch.float64)
    found = network.spatial_layer(layer)
    assert found.size is not None
    output = network.activations(images, [layer])[layer].detach()
    positions = torch.stack([torch.randint(side, (2, 5), generator=generator) for side in found.size], dim=2)
    result = logit_attributions(network, images, found, output, positions, at_once=3)
    assert result.shape == (2, 5, len(network.labels or ()))
    for label in labels:
        for item in range(2):
            for k in range(5):
                row, column = positions[item, k].tolist()
                truth = act_times_grad(network, images, layer, (row, column), label)[item]
                assert float((result[item, k, label] - truth).abs()) < 1e-10


@pytest.mark.parametrize("layer", ["conv1", "relu1", "conv2", "conv3", "act3"])
def test_forward_mode_is_gradient_times_activation(layer: str) -> None:
    compare(small_network(dtype=torch.float64, size=(12, 16)), layer, [0, 3, 6])


def test_on_a_real_network(lite0: Network) -> None:
    compare(pellucid.load("efficientnet_lite0").to(torch.float64), "blocks.4.2.bn2", [0, 7, 999])


def test_a_linear_head_is_explained_completely() -> None:
    network = small_network(dtype=torch.float64, size=8)
    images = torch.rand(3, 3, 8, 8, dtype=torch.float64)
    layer = network.spatial_layer("act3")
    output = network.activations(images, ["act3"])["act3"].detach()
    every = torch.cartesian_prod(torch.arange(4), torch.arange(4)).expand(3, 16, 2)
    total = logit_attributions(network, images, layer, output, every).sum(dim=1)
    assert isinstance(network.module, Small)
    torch.testing.assert_close(total + network.module.head.bias.detach(), network(images).detach())


def test_nothing_is_left_behind() -> None:
    network = small_network(size=8)
    network.module.train()
    layer = network.spatial_layer("conv2")
    images = torch.rand(1, 3, 8, 8)
    output = network.activations(images, ["conv2"])["conv2"].detach()
    logit_attributions(network, images, layer, output, torch.ones(1, 2, 2, dtype=torch.long))
    assert network.module.training
    assert all(not part._forward_hooks for part in network.module.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.module.parameters())
