import functools
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pellucid.errors import LayerError, NetworkError, ObjectiveError
from pellucid.networks import wrap
from pellucid.visualize import Callback, Pad, Pixels, channel, describe, direction, neuron, render
from small import small_network


def test_the_objective_rises() -> None:
    rendering = render(small_network(), ["conv2:3", "conv3:1", "head:2"], steps=40)
    assert rendering.images.shape == (3, 3, 32, 32)
    assert rendering.trace.shape == (40, 3)
    assert (rendering.trace[-1] > rendering.trace[0]).all()
    assert 0 <= float(rendering.images.min()) <= float(rendering.images.max()) <= 1


def test_a_negated_objective_falls() -> None:
    rendering = render(small_network(), -channel("conv3", 1), steps=40)
    plain = render(small_network(), channel("conv3", 1), steps=0)
    assert -rendering.values[0] < plain.values[0]


def test_alone_and_in_a_batch_of_sixteen() -> None:
    network = small_network(dtype=torch.float64)
    units = [f"conv3:{unit}" for unit in range(16)]
    together = render(network, units, steps=32, batch=16)
    alone = render(network, units[7], steps=32)
    chunks = render(network, units, steps=32, batch=5)
    torch.testing.assert_close(alone.images[0], together.images[7], atol=1e-6, rtol=0)
    torch.testing.assert_close(chunks.images, together.images, atol=1e-6, rtol=0)
    assert not torch.allclose(together.images[0], together.images[1], atol=1e-2)


def test_alone_and_among_other_kinds() -> None:
    network = small_network(dtype=torch.float64)
    vector = torch.arange(12, dtype=torch.float64)
    kinds = ["conv3:2", neuron("conv2", 4), direction("conv2", vector, power=4, position="center"), "head:1 - conv1:2"]
    together = render(network, kinds, steps=32)
    for index, objective in enumerate(kinds):
        alone = render(network, objective, steps=32)
        torch.testing.assert_close(alone.images[0], together.images[index], atol=1e-6, rtol=0)


def test_seeds() -> None:
    network = small_network()
    same = [render(network, "conv3:1", steps=8, seed=3).images for _ in range(2)]
    assert torch.equal(*same)
    other = render(network, ["conv3:1", "conv3:1"], steps=8, seed=[3, 4])
    torch.testing.assert_close(other.images[0], same[0][0], atol=1e-4, rtol=0)
    assert not torch.allclose(other.images[1], same[0][0], atol=1e-2)


def test_global_generators_are_not_touched() -> None:
    before = torch.random.get_rng_state()
    render(small_network(), "conv3:1", steps=3)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_in_place_rectifiers_change_nothing() -> None:
    first = render(small_network(inplace=True, dtype=torch.float64), ["conv2:1", "conv1:1"], steps=16)
    second = render(small_network(inplace=False, dtype=torch.float64), ["conv2:1", "conv1:1"], steps=16)
    torch.testing.assert_close(first.images, second.images)


@pytest.mark.parametrize("size", [20, (24, 40), (33, 17)])
def test_any_size_and_aspect(size: int | tuple[int, int]) -> None:
    shape = (size, size) if isinstance(size, int) else size
    rendering = render(small_network(), ["conv3:1", "conv3:2@3,1"], size=size, steps=3)
    assert rendering.images.shape == (2, 3, *shape)


def test_snapshots() -> None:
    network = small_network()
    rendering = render(network, ["conv3:1", "conv2:1"], steps=6, snapshots=[0, 3, 6], batch=1)
    assert sorted(rendering.snapshots) == [0, 3, 6]
    torch.testing.assert_close(rendering.snapshots[6], rendering.images)
    torch.testing.assert_close(rendering.snapshots[0], render(network, ["conv3:1", "conv2:1"], steps=0).images)
    three = render(network, ["conv3:1", "conv2:1"], steps=3).images
    torch.testing.assert_close(rendering.snapshots[3], three, atol=1e-4, rtol=0)


def test_parts_can_be_exchanged() -> None:
    network = small_network()
    plain = render(network, "conv3:1", steps=20, transforms=())
    torch.testing.assert_close(plain.trace[0], render(network, "conv3:1", steps=0).values)
    descent = render(network, "conv3:1", steps=20, optimizer=functools.partial(torch.optim.SGD, lr=10.0))
    assert descent.trace[-1] > descent.trace[0]
    assert render(network, "conv3:1", steps=2, transforms=[Pad(4)]).images.shape == (1, 3, 32, 32)


def test_inside_no_grad_and_inference_mode() -> None:
    with torch.no_grad():
        first = render(small_network(), "conv3:1", steps=4)
    torch.testing.assert_close(first.images, render(small_network(), "conv3:1", steps=4).images)


def test_the_picture_says_what_it_is(tmp_path: Path) -> None:
    rendering = render(small_network(), ["conv3:1", "conv3:2"], steps=2, snapshots=[1], seed=5)
    rendering.save(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.size == (32 * 2 + 4, 32)
        about = json.loads(image.text["pellucid"])  # pyright: ignore[reportAttributeAccessIssue]
    assert about["objectives"] == ["conv3:1", "conv3:2"]
    assert (about["seed"], about["steps"], about["network"]) == (5, 2, "Small")
    assert (tmp_path / "sheet-step1.png").is_file()


class Detached(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.detach()).mean(dim=(2, 3))


def test_a_run_is_described_without_being_made() -> None:
    network = small_network()
    told: list[str] = []

    class Tells(Callback):
        def begin(self, about) -> None:
            told.append("begun")

    options = {"steps": 3, "canvas": Pixels(), "seed": [1, 2], "size": (20, 24), "callbacks": [Tells()], "batch": 1}
    about = describe(network, ["conv3:1", "conv3:2"], **options)
    assert told == []
    assert about == render(network, ["conv3:1", "conv3:2"], **options).about
    assert describe(network, "conv3:1") == {**describe(network, "conv3:1", steps=256), "steps": 256}
    with pytest.raises(ObjectiveError, match="there is no unit 99"):
        describe(network, "conv3:99")
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'stepz'"):
        describe(network, "conv3:1", stepz=3)


def test_what_cannot_be_rendered_is_refused() -> None:
    network = small_network()
    with pytest.raises(LayerError, match="no layer 'conv7'"):
        render(network, ["conv3:1", "conv7:1"], steps=1)
    with pytest.raises(ObjectiveError, match="nothing to render"):
        render(network, [], steps=1)
    with pytest.raises(ObjectiveError, match="2 seeds are given for 1 objectives"):
        render(network, "conv3:1", steps=1, seed=[1, 2])
    with pytest.raises(ObjectiveError, match="0x5 pixels cannot be rendered"):
        render(network, "conv3:1", size=(0, 5))
    with pytest.raises(ObjectiveError, match="conv:1 does not depend on the picture"):
        render(wrap(Detached(), size=8), "conv:1", steps=1)


def test_numbers_that_are_none_are_reported() -> None:
    class Divides(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)
            self.log = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.log(torch.log(self.conv(x) - 100)).mean(dim=(2, 3))

    with pytest.raises(ObjectiveError, match="log:1 became nan at step 0"):
        render(wrap(Divides(), size=8), "log:1", steps=2)


def test_other_networks_do_not_take_the_pictures() -> None:
    with pytest.raises(NetworkError, match="takes images"):
        small_network().check(torch.zeros(3, 8, 8))


def test_a_real_network(lite0) -> None:
    rendering = render(lite0, ["blocks.3.1.bn2:100", "blocks.3.1.bn2:17"], steps=16, size=96)
    assert (rendering.values > 0).all()
