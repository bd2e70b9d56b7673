import functools
from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import oracles_alignment as plain
import oracles_gradients as oracle
from oracles import act_times_grad
from pellucid.attribution import logit_attributions
from pellucid.attribution.forward_pooling import ForwardPooling
from pellucid.errors import NetworkError
from pellucid.networks import Network, wrap
from pellucid.networks.pooling import smooth_pooling

Windows = Callable[[int, int], list[tuple[int, int]]]


class Pooled(nn.Module):
    """Two max-pools, one of which is adaptive, between convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.relu1 = nn.ReLU(inplace=True)
        self.pool1 = nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.pool2 = nn.AdaptiveMaxPool2d((2, 3))
        self.head = nn.Linear(48, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.conv1(x)))
        return self.head(self.pool2(self.conv2(x)).flatten(1))


def pooled_network() -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Pooled().double().eval()
    return wrap(module, mean=(0.5,) * 3, std=(0.5,) * 3, size=(12, 16), labels=[f"class {i}" for i in range(5)])


def maps(*shape: int) -> Tensor:
    torch.manual_seed(1)
    x = torch.randn(*shape, dtype=torch.float64)
    x[0, 0] = -x[0, 0].abs()  # a map without anything above zero
    return x


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation", "ceil_mode"),
    [
        ((2, 2), (2, 2), (0, 0), (1, 1), False),
        ((3, 3), (2, 2), (1, 1), (1, 1), False),
        ((3, 2), (2, 1), (1, 0), (1, 2), False),
        ((3, 3), (2, 2), (0, 0), (1, 1), True),
        ((2, 3), (3, 2), (1, 1), (2, 1), True),
    ],
)
def test_tangents_pass_by_shares_of_the_window(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    ceil_mode: bool,
) -> None:
    x, tangent = maps(2, 3, 7, 10), torch.randn(2, 3, 7, 10, dtype=torch.float64)
    pool = functools.partial(
        F.max_pool2d, kernel_size=kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    with ForwardPooling():
        output, moved, *_ = torch.func.jvp(pool, (x,), (tangent,))
    assert torch.equal(output, pool(x))
    windows = oracle.strided_windows((7, 10), kernel, stride, padding, dilation)
    for item, channel in [(0, 0), (0, 1), (1, 2)]:
        places = _listed(windows, output.shape[-2:])
        truth = plain.pooled_tangent(x[item, channel], tangent[item, channel], places)
        torch.testing.assert_close(moved[item, channel].flatten(), torch.tensor(truth, dtype=torch.float64))


def _listed(windows: Windows, count: Sequence[int]) -> list[list[tuple[int, int]]]:
    """The oracle's windows, row by row."""
    return [windows(row, column) for row in range(count[0]) for column in range(count[1])]


@pytest.mark.parametrize("layer", ["conv1", "relu1", "conv2"])
def test_it_is_the_gradient_of_the_smoothed_backward_pass_times_activation(layer: str) -> None:
    network = pooled_network()
    images = torch.rand(2, 3, 12, 16, dtype=torch.float64)
    found = network.spatial_layer(layer)
    output = network.activations(images, [layer])[layer].detach()
    positions = torch.tensor([[[0, 0], [2, 5], [5, 7]], [[1, 1], [3, 2], [4, 6]]])
    exact, smooth = (
        logit_attributions(network, images, found, output, positions, pooling=pooling, at_once=2)
        for pooling in ("exact", "smooth")
    )
    assert not torch.allclose(exact, smooth)
    for item in range(2):
        for k in range(3):
            place = (int(positions[item, k, 0]), int(positions[item, k, 1]))
            for label in (0, 4):
                with smooth_pooling():
                    truth = act_times_grad(network, images, layer, place, label)[item]
                assert float((smooth[item, k, label] - truth).abs()) < 1e-10
                truth = act_times_grad(network, images, layer, place, label)[item]
                assert float((exact[item, k, label] - truth).abs()) < 1e-10


def test_behind_the_last_pool_both_are_complete() -> None:
    network = pooled_network()
    images = torch.rand(1, 3, 12, 16, dtype=torch.float64)
    layer = network.spatial_layer("pool2")
    output = network.activations(images, ["pool2"])["pool2"].detach()
    every = torch.cartesian_prod(torch.arange(2), torch.arange(3))[None]
    for pooling in ("exact", "smooth"):
        total = logit_attributions(network, images, layer, output, every, pooling=pooling).sum(dim=1)
        assert isinstance(network.module, Pooled)
        torch.testing.assert_close(total + network.module.head.bias.detach(), network(images).detach())


def test_the_linear_head_of_a_real_network_is_explained_completely(lite0: Network) -> None:
    images = torch.rand(1, 3, *lite0.size, generator=torch.Generator().manual_seed(0))
    layer = lite0.spatial_layer("bn2")
    assert layer.size is not None
    output = lite0.activations(images, ["bn2"])["bn2"].detach()
    every = torch.cartesian_prod(*(torch.arange(side) for side in layer.size))[None]
    total = logit_attributions(lite0, images, layer, output, every, at_once=49).sum(dim=1)
    logits = lite0(images).detach()
    bias = lite0.module.get_parameter("classifier.bias").detach()
    assert float((total + bias - logits).abs().max() / logits.abs().max()) < 1e-4


def test_another_pooling_is_refused() -> None:
    network = pooled_network()
    images = torch.rand(1, 3, 12, 16, dtype=torch.float64)
    output = network.activations(images, ["conv1"])["conv1"].detach()
    with pytest.raises(NetworkError, match="pooling = 'soft' is none of exact, smooth"):
        logit_attributions(
            network, images, network.spatial_layer("conv1"), output, torch.ones(1, 1, 2).long(), pooling="soft"
        )
