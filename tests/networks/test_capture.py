from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pellucid.errors import LayerError
from pellucid.networks import frozen, wrap
from pellucid.visualize import render
from small import Broken, Small, small_network


def hooks(module: nn.Module) -> int:
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules())


def test_outputs_stay_right_when_the_next_module_works_in_place() -> None:
    inplace, outofplace = small_network(inplace=True), small_network(inplace=False)
    images = torch.rand(2, 3, 32, 32)
    names = ["conv1", "conv2", "conv3", "act3"]
    got, truth = inplace.activations(images, names), outofplace.activations(images, names)
    for name in names:
        torch.testing.assert_close(got[name], truth[name])
    assert got["conv1"].min() < 0


def test_the_pass_ends_at_the_deepest_layer() -> None:
    network = small_network()
    ran: list[str] = []

    def noting(name: str) -> Callable[..., None]:
        return lambda _module, _args: ran.append(name)

    for name, part in network.module.named_children():
        part.register_forward_pre_hook(noting(name))
    network.layers()
    ran.clear()
    network.activations(torch.rand(1, 3, 32, 32), ["relu1", "conv2"])
    assert ran == ["conv1", "relu1", "conv2"]


def test_a_module_that_is_used_twice_is_read_where_it_is_used_last() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)
            self.relu = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(self.conv(self.relu(self.conv(x)) - 0.2)).mean(dim=(2, 3))

    module = Twice()
    network = wrap(module, size=8)
    images = torch.rand(1, 3, 8, 8)
    x = network.preprocess(images)
    truth = torch.relu(module.conv(torch.relu(module.conv(x)) - 0.2))
    assert network.layer("relu").calls == 2
    torch.testing.assert_close(network.activations(images, ["relu"])["relu"], truth)


def test_nothing_is_left_behind() -> None:
    module = Small()
    module.train()
    module.conv2.eval()
    module.conv1.weight.requires_grad_(False)
    module.head.weight.grad = torch.ones_like(module.head.weight)
    module.conv1.register_forward_hook(lambda *_: None)
    network = wrap(module, size=16)
    before = hooks(module)
    modes = [part.training for part in module.modules()]
    wants = [parameter.requires_grad for parameter in module.parameters()]
    for seed in range(5):
        render(network, ["conv3:1", "conv2:2"], steps=2, seed=seed)
    assert hooks(module) == before
    assert [part.training for part in module.modules()] == modes
    assert [parameter.requires_grad for parameter in module.parameters()] == wants
    assert torch.equal(module.head.weight.grad, torch.ones_like(module.head.weight))
    assert all(parameter.grad is None for name, parameter in module.named_parameters() if name != "head.weight")


def test_a_fault_of_the_model_comes_through_and_leaves_nothing_behind() -> None:
    module = Broken().train()
    network = wrap(module, size=16)
    network.layers()
    module.armed = True
    with pytest.raises(RuntimeError, match="the model's own fault"):
        render(network, "second:1", steps=2)
    assert hooks(module) == 0
    assert module.training
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_a_layer_that_the_pass_never_reaches_is_named() -> None:
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used = nn.Conv2d(3, 4, 1)
            self.idle = nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x).mean(dim=(2, 3))

    network = wrap(Idle(), size=8)
    with pytest.raises(LayerError, match="no layer 'idle' that gives a tensor of its own"):
        network.activations(torch.rand(1, 3, 8, 8), ["idle"])


def test_frozen_restores_after_an_exception() -> None:
    module = Small().train()

    def stop() -> None:
        with frozen(module):
            assert not module.training
            assert not any(parameter.requires_grad for parameter in module.parameters())
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        stop()
    assert module.training
    assert all(parameter.requires_grad for parameter in module.parameters())
