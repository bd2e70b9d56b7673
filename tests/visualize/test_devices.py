import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from painters import generator_of
from pellucid.errors import ObjectiveError
from pellucid.networks import Network, ParameterNoise, wrap
from pellucid.networks.rectifiers import guided
from pellucid.visualize import EarlyStop, Jitter, Latent, Pixels, Rendering, channel, diversity, render
from pellucid.visualize.devices import render_on
from small import Small, small_network

UNITS = [f"conv3:{unit}" for unit in range(7)]


def network() -> Network:
    return small_network(dtype=torch.float64, size=(10, 12))


def same(found: Rendering, truth: Rendering) -> None:
    for part in ("images", "values", "trace", "strength"):
        one, other = getattr(found, part), getattr(truth, part)
        # Up to rounding: sums may be taken in another order where memory lies otherwise.
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6, equal_nan=True)
    assert found.objectives == truth.objectives
    assert found.silent == truth.silent
    assert sorted(found.snapshots) == sorted(truth.snapshots)
    for step, images in truth.snapshots.items():
        torch.testing.assert_close(found.snapshots[step], images, atol=1e-6, rtol=0)
    about = dict(found.about)
    about.pop("devices")
    assert about == truth.about


@pytest.mark.parametrize("devices", [["cpu"], ["cpu", "cpu"], [torch.device("cpu")] * 9], ids=len)
@pytest.mark.parametrize("batch", [2, 16])
def test_pictures_are_the_same_on_one_device_and_on_many(devices: Sequence[Any], batch: int) -> None:
    truth = render(network(), UNITS, steps=4, batch=batch, snapshots=[1, 4])
    found = render_on(devices, network(), UNITS, steps=4, batch=batch, snapshots=[1, 4])
    same(found, truth)
    assert found.about["devices"] == ["cpu"] * min(len(devices), len(UNITS))


def test_copies_lie_on_their_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    of = network()
    devices: list[set[str]] = []

    def noted(copied: Network, *args: Any, **options: Any) -> Rendering:
        devices.append({part.device.type for part in (*copied.module.parameters(), *copied.preprocess.buffers())})
        return render(of, *args, **options)

    monkeypatch.setattr("pellucid.visualize.devices.render", noted)
    assert render_on("meta", of, UNITS, steps=1).about["devices"] == ["meta"]
    assert devices == [{"meta"}]
    assert of.device.type == "cpu"


def test_what_belongs_to_a_picture_goes_with_it() -> None:
    init = torch.rand(4, 3, 10, 12, dtype=torch.float64)
    objectives = [channel("conv2", 1), channel("conv3", 2).copies(2) + diversity("conv2", 2), "conv1:3"]
    options: dict[str, Any] = {"steps": 3, "seed": [5, 6, 7], "init": init, "canvas": Pixels()}
    same(render_on(["cpu"] * 3, network(), objectives, **options), render(network(), objectives, **options))
    options["init"] = init[0]
    same(render_on("cpu", network(), objectives, **options), render(network(), objectives, **options))


def test_what_holds_the_network_holds_the_copy() -> None:
    of = network()
    options: dict[str, Any] = {"steps": 3, "within": [ParameterNoise(of, 0.3), guided], "transforms": [Jitter(1)]}
    truth = render(of, UNITS, **options)
    same(render_on(["cpu", "cpu"], of, UNITS, **options), truth)
    plain = render(of, UNITS, steps=3, transforms=[Jitter(1)])
    assert not torch.allclose(truth.images, plain.images, atol=1e-3)


def test_what_holds_a_generator_holds_one_of_its_own() -> None:
    canvas = Latent(generator_of(3), 3)
    same(
        render_on(["cpu", "cpu"], network(), UNITS, steps=3, canvas=canvas),
        render(network(), UNITS, steps=3, canvas=canvas),
    )


def test_the_network_is_not_touched() -> None:
    of = network()
    of.module.train()
    before = copy.deepcopy(of.module.state_dict())
    render_on(["cpu", "cpu"], of, UNITS, steps=2)
    assert of.module.training
    assert all(torch.equal(value, before[name]) for name, value in of.module.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in of.module.parameters())
    assert all(not part._forward_hooks for part in of.module.modules())


class Meeting(nn.Module):
    """Goes on when as many networks are at work at once as are expected."""

    def __init__(self, barrier: threading.Barrier) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.barrier = [barrier]
        self.waits = False

    def __deepcopy__(self, memo: dict[int, Any]) -> "Meeting":
        other = Meeting(self.barrier[0])
        other.load_state_dict(self.state_dict())
        other.waits = True
        return other

    def forward(self, x: Tensor) -> Tensor:
        if self.waits and torch.is_grad_enabled():
            self.barrier[0].wait(timeout=30)
            self.waits = False
        return self.conv(x).mean(dim=(2, 3))


def test_devices_work_at_the_same_time() -> None:
    of = wrap(Meeting(threading.Barrier(2)), size=8)
    found = render_on(["cpu", "cpu"], of, ["conv:1", "conv:2"], steps=2)
    assert found.images.shape == (2, 3, 8, 8)


class Faulty(nn.Module):
    """Fails when a picture has become bright."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        if bool(x.max() > 40):
            raise RuntimeError("the model's own fault")
        return self.conv(x)


def test_an_error_of_one_device_ends_the_work_and_comes_through() -> None:
    of = wrap(Faulty(), mean=(0.0,) * 3, std=(0.02,) * 3, size=6)
    init = torch.full((8, 3, 6, 6), 0.3)
    init[1] = 0.9
    with pytest.raises(RuntimeError, match="the model's own fault"):
        render_on(["cpu", "cpu"], of, ["conv:1"] * 8, init=init, steps=10**6, batch=1, transforms=(), canvas=Pixels())


def test_objectives_are_refused_as_by_render() -> None:
    with pytest.raises(ObjectiveError, match="there is no unit 99"):
        render_on(["cpu", "cpu"], network(), ["conv3:1", "conv3:99"], steps=1)
    with pytest.raises(ObjectiveError, match="nothing to render"):
        render_on(["cpu"], network(), [])
    with pytest.raises(ObjectiveError, match="one device"):
        render_on([], network(), UNITS)
    with pytest.raises(ObjectiveError, match="2 seeds are given for 7 objectives"):
        render_on(["cpu"], network(), UNITS, seed=[1, 2])
    with pytest.raises(ObjectiveError, match="2 images to start from are given for 7 pictures"):
        render_on(["cpu"], network(), UNITS, init=torch.rand(2, 3, 10, 12))
    with pytest.raises(ObjectiveError, match="callbacks watch a single run"):
        render_on(["cpu"], network(), UNITS, callbacks=[EarlyStop()])


def silenced() -> Network:
    """A network whose first rectifier lets nothing through."""
    of = network()
    assert isinstance(of.module, Small)
    bias = of.module.conv1.bias
    assert bias is not None
    nn.init.constant_(bias, -100.0)
    return of


@pytest.mark.filterwarnings("ignore:no gradient came")
def test_silent_pictures_are_named_by_their_place() -> None:
    of = silenced()
    objectives = ["conv1:1", "relu1:3", "conv1:2", "relu1:5"]
    found = render_on(["cpu", "cpu"], of, objectives, steps=2, batch=1, redirect=False)
    truth = render(of, objectives, steps=2, batch=1, redirect=False)
    assert found.silent == truth.silent == (1, 3)


@pytest.mark.filterwarnings("ignore:no gradient came")
def test_the_bar_shows_every_step_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[int] = []
    totals: list[int] = []

    @contextmanager
    def bar(_description: str, total: int, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
        totals.append(total if shown else 0)
        yield moved.append

    monkeypatch.setattr("pellucid.visualize.devices.progress_bar", bar)
    # The second starts again, in vain.
    objectives = ["conv1:1", "relu1:3", "conv1:2"]
    render_on(["cpu", "cpu"], silenced(), objectives, steps=5, batch=2, redirect=False, progress=True)
    assert totals == [15]
    assert sum(moved) == 15


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore:no gradient came")
def test_compiled_networks_run_as_compiled_again_after_blocks_in_several_threads() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    counted: list[int] = []

    def backend(graph: torch.fx.GraphModule, _examples: list[torch.Tensor]):
        def run(*args: torch.Tensor):
            counted.append(1)
            return graph.forward(*args)

        return run

    compiled = torch.compile(module, backend=backend)
    images = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        compiled(images)
    assert len(counted) == 1
    first, second = threading.Event(), threading.Event()

    def one() -> None:
        with guided():
            first.set()
            assert second.wait(10)
        with torch.no_grad():
            compiled(images)  # the other block lasts

    def other() -> None:
        assert first.wait(10)
        with guided():
            second.set()
            thread.join()

    thread = threading.Thread(target=one)
    thread.start()
    other()
    assert len(counted) == 1
    with torch.no_grad():
        compiled(images)
    assert len(counted) == 2
