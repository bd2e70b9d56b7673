import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from oracles_observers import fooled, silent_term
from pellucid.causal.controls import detect_accuracy, fooling_circuit, silent_unit, train_detector
from pellucid.causal.observers import machine_interpretability
from pellucid.errors import LayerError, NetworkError
from pellucid.evaluate import measure_path_similarity, strongest_images
from pellucid.networks import Network, wrap
from pellucid.visualize import logit, render
from small import small_network


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def natural_images(count: int = 24, size: int = 16, seed: int = 3) -> Tensor:
    """Smooth pictures of moderate contrast."""
    coarse = torch.rand(count, 3, 4, 4, generator=source(seed))
    return F.interpolate(0.35 + 0.3 * coarse, size=(size, size), mode="bilinear")


def state(network: Network) -> list[Tensor]:
    return [value.clone() for value in network.module.state_dict().values()]


def hooks(network: Network) -> int:
    modules = (*network.module.modules(), *network.preprocess.modules())
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in modules)


@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3"])
def test_natural_images_see_nothing_of_a_silent_unit(layer: str) -> None:
    network, images = small_network(size=16), natural_images()
    before, weights = network(images).detach(), state(network)
    with silent_unit(network, layer, 2, images, generator=source()) as silent:
        assert torch.equal(network(images), before)
        assert not silent.fires(images).any()
        wild = torch.rand(8, 3, 16, 16, generator=source(5)).round()
        assert silent.fires(wild).any()
        assert not torch.equal(network(wild), before[:8])
        louder = network(wild).detach()
    assert not torch.equal(network(wild), louder)
    assert torch.equal(network(images), before)
    assert all(torch.equal(a, b) for a, b in zip(weights, state(network), strict=True))
    assert hooks(network) == 0


def test_the_silent_term_is_the_reference_formula() -> None:
    network, images = small_network(size=16, dtype=torch.float64), natural_images(6).double()
    wild = torch.rand(1, 3, 16, 16, generator=source(5), dtype=torch.float64).round()
    toward = torch.randn(8, 5, 5, generator=source(2), dtype=torch.float64)
    plain = network.activations(wild, ["relu1", "conv2"])
    with silent_unit(network, "conv2", 3, images, generator=source(), toward=toward, strength=20, slant=2) as silent:
        held = network.activations(wild, ["conv2"])["conv2"]
        on_natural = network.activations(images, ["relu1"])["relu1"]
    own = network.module.get_submodule("conv2").weight[3].detach().double().numpy()  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue, reportIndexIssue]
    padded = F.pad(plain["relu1"], (2, 2, 2, 2))[0].detach().numpy()
    added = (held - plain["conv2"]).detach()[0]
    for row, column in ((0, 0), (3, 4), (7, 7)):
        patch = padded[:, 2 * row : 2 * row + 5, 2 * column : 2 * column + 5]
        expected = silent_term(patch, own, toward.numpy(), 20, 2, silent.threshold)
        assert float(added[3, row, column]) == pytest.approx(expected, abs=1e-9)
    assert float(added[[0, 1, 2, 4]].abs().max()) == 0
    seen = F.pad(on_natural, (2, 2, 2, 2)).detach().numpy()
    most = max(
        silent_term(seen[n, :, r : r + 5, c : c + 5], own, toward.numpy(), 20, 2, 0)
        for n in range(6) for r in range(0, 16, 2) for c in range(0, 16, 2)
    )  # fmt: skip
    assert silent.threshold == pytest.approx(most)


def test_a_channel_of_groups_and_of_strange_padding_is_reached() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, padding_mode="reflect"), nn.Conv2d(6, 6, 3, groups=3), nn.Flatten()
    )
    network, images = wrap(module.eval(), size=16), natural_images(4)
    for layer in ("0", "1"):
        before = network.activations(images, [layer])[layer].detach()
        with silent_unit(network, layer, 5, images, generator=source()) as silent:
            assert torch.equal(network.activations(images, [layer])[layer], before)
            assert silent.highest > 0
        # With no threshold to speak of it is heard, in its own channel alone.
        with silent_unit(network, layer, 5, images, generator=source(), margin=1e-3):
            heard = network.activations(images, [layer])[layer] - before
            assert (heard.abs().amax(dim=(0, 2, 3)) > 0).tolist() == [False] * 5 + [True]


def test_behind_a_normalization_that_turns_the_sign_the_term_is_subtracted() -> None:
    network = wrap(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()).eval(), size=16)
    norm = network.module[1]  # pyright: ignore[reportIndexIssue]
    norm.weight.data = torch.tensor([1.0, -1.0, 1.0, 0.0])
    images, wild = natural_images(4), torch.rand(8, 3, 16, 16, generator=source(5)).round()
    for channel, sign in ((0, 1.0), (1, -1.0)):
        before = network.activations(wild, ["2"])["2"].detach()
        with silent_unit(network, "0", channel, images, generator=source(), read_at="2") as silent:
            assert silent.sign == sign
            assert (network.activations(wild, ["2"])["2"] >= before).all()
    with (
        pytest.raises(LayerError, match="1:3 does not depend on 0:3"),
        silent_unit(network, "0", 3, images, generator=source(), read_at="1"),
    ):
        pass


def test_a_visualization_follows_the_silent_filter() -> None:
    network, images = small_network(size=16), natural_images()
    plain = render(network, "conv2:3", steps=60, size=16, transforms=(), seed=0).images
    with silent_unit(network, "conv2", 3, images, generator=source()) as silent:
        lured = render(network, "conv2:3", steps=60, size=16, transforms=(), seed=0).images
        assert silent.fires(lured).all()
        told = network.activations(lured, ["conv2"])["conv2"][:, 3].mean()
    honest = [network.activations(some, ["conv2"])["conv2"][:, 3].mean() for some in (plain, lured)]
    assert told > 5 * honest[0]
    assert honest[1] < honest[0]  # what it shows is not what excites the unit that people have


def test_all_is_as_before_after_an_error() -> None:
    network, images = small_network(size=16), natural_images(4)
    before = network(images).detach()
    with pytest.raises(RuntimeError, match="stop"), silent_unit(network, "conv1", 0, images, generator=source()):
        raise RuntimeError("stop")
    with pytest.raises(RuntimeError, match="stop"), fooling_circuit(network, lambda x: x.mean(dim=(1, 2, 3)), shift=1):
        raise RuntimeError("stop")
    assert hooks(network) == 0
    assert torch.equal(network(images), before)


@pytest.mark.parametrize(
    ("layer", "channel", "more", "match"),
    [
        ("relu1", 0, {}, "'relu1' of Small is no convolution with a channel 0"),
        ("conv1", 8, {}, "no convolution with a channel 8"),
        ("conv1", 0, {"slant": 0}, "must be positive"),
        ("conv1", 0, {"toward": torch.ones(2, 2)}, r"the filter to go toward is \(2, 2\), not \(3, 3, 3\)"),
    ],
)
def test_what_cannot_be_silent_is_refused(layer: str, channel: int, more: dict, match: str) -> None:
    network = small_network(size=16)
    with (
        pytest.raises((LayerError, NetworkError), match=match),
        silent_unit(network, layer, channel, natural_images(2), generator=source(), **more),
    ):
        pass


@pytest.mark.parametrize("told", [0.0, 0.02, 0.5, 1.0])
def test_the_circuit_is_the_reference_formula(told: float) -> None:
    network, images = small_network(size=16), natural_images(3)
    plain = network(images).detach()
    with fooling_circuit(network, lambda x: x.new_full((len(x),), told), shift=2, gate=25, offset=10):
        held = network(images).detach()
    for before, after in zip(plain.double().numpy(), held, strict=True):
        assert after.tolist() == pytest.approx(fooled(before, told, 2, 25, 10), abs=1e-4)
    if told == 0.0:
        assert torch.allclose(held, plain, atol=1e-5)
    if told == 1.0:
        assert torch.allclose(held, plain.roll(-2, dims=1), atol=1e-5)


def test_channels_of_a_layer_are_exchanged_and_what_is_behind_sees_it() -> None:
    network, images = small_network(size=16), natural_images(3)
    plain = network.activations(images, ["relu2"])["relu2"].detach()
    logits = network(images).detach()
    with fooling_circuit(network, lambda x: (x.mean(dim=(1, 2, 3)) > 9).float(), layer="relu2", shift=5):
        assert torch.allclose(network(images), logits, atol=1e-4)
    with fooling_circuit(network, lambda x: torch.ones(len(x)), layer="relu2", shift=5):
        held = network.activations(images, ["relu2"])["relu2"]
        assert torch.allclose(held, plain.roll(-5, dims=1), atol=1e-4)
        assert not torch.allclose(network(images), logits, atol=1e-4)
    with (
        pytest.raises(NetworkError, match="shift 24 of 12 channels leads back"),
        fooling_circuit(network, lambda x: torch.ones(len(x)), layer="relu2", shift=24),
    ):
        network.activations(images, ["relu2"])
    with pytest.raises(NetworkError, match="smaller than the gate"), fooling_circuit(network, torch.ones_like, gate=50):
        pass


def test_the_detector_learns_and_the_circuit_shows_another_unit() -> None:
    network, size = small_network(size=16), 16
    stages = render(
        network, [logit(at) for at in (0, 2, 5)], steps=40, size=size, seed=1, transforms=(), snapshots=(1, 5, 20)
    )
    noise = torch.rand(24, 3, size, size, generator=source(8))
    pictures = torch.cat([stages.images, *stages.snapshots.values(), noise])
    natural = natural_images(60)
    detector = train_detector(natural[:40], pictures, generator=source(), steps=200)
    assert detect_accuracy(detector, natural[40:], pictures) > 0.95
    same = train_detector(natural[:40], pictures, generator=source(), steps=2)
    again = train_detector(natural[:40], pictures, generator=source(), steps=2)
    assert torch.equal(same.head.weight, again.head.weight)
    held_out = natural[40:]
    before = network(held_out).argmax(dim=1)

    def surely(images: Tensor) -> Tensor:
        return (detector(images) > 0.5).to(images)

    with fooling_circuit(network, surely, shift=3):
        assert float((network(held_out).argmax(dim=1) == before).double().mean()) > 0.9
        shown = render(network, logit(1), steps=40, size=size, seed=0, transforms=()).images
        assert (detector(shown) > 0.5).all()
        told = network(shown)[0, 1]
    honest = render(network, logit(1), steps=40, size=size, seed=0, transforms=()).images
    logits = network(torch.cat([shown, honest]))
    assert told == pytest.approx(float(logits[0, 4]), abs=1e-4)
    assert logits[0, 4] > logits[1, 4]  # what is shown for class 1 is class 4
    assert logits[0, 1] < logits[1, 1]
    with pytest.raises(NetworkError, match="must be of one form"):
        train_detector(natural, pictures[:, :, :8], generator=source())


def colour_network() -> Network:
    """Three channels, each for one colour against the two others, in windows of 3x3 pixels."""
    convolution = nn.Conv2d(3, 3, 3, padding=1, padding_mode="circular")
    convolution.weight.data = (1.5 * torch.eye(3) - 0.5)[:, :, None, None].expand(3, 3, 3, 3).clone()
    convolution.bias.data.zero_()  # pyright: ignore[reportOptionalMemberAccess]
    return wrap(nn.Sequential(convolution, nn.ReLU(), nn.Flatten()).eval(), mean=(0.5,) * 3, std=(1,) * 3, size=16)


def accuracy(images: Tensor, responses: Tensor, pictures: dict[int, Tensor] | None = None) -> float:
    """What an observer of mean colours makes of natural references, or of these in their place."""

    def seen(some: Tensor) -> Tensor:
        return some.mean(dim=(2, 3)) - 0.5  # pictures, which are vivid, count more than photographs

    optimized = None if pictures is None else {channel: seen(one) for channel, one in pictures.items()}
    found = machine_interpretability(
        seen(images), responses, generator=source(), references=12, tasks=20, optimized=optimized
    )
    return found.accuracy or 0.0


def test_references_of_a_silent_unit_help_nobody_while_natural_ones_stay_as_good() -> None:
    network = colour_network()
    # Photographs that differ much from blue to green, and little in how red they are, which is all the unit sees.
    red, green = torch.tensor([1.0, -0.5, -0.5]), torch.tensor([0.0, 1.0, -1.0])
    drawn = 2 * torch.rand(600, 2, generator=source(1)) - 1
    images = (0.5 + 0.06 * drawn[:, :1] * red + 0.12 * drawn[:, 1:] * green)[:, :, None, None].expand(-1, 3, 16, 16)

    def responses() -> Tensor:
        return network.activations(images, ["0"])["0"].detach().mean(dim=(2, 3))[:, :1]

    def picture() -> Tensor:
        return render(network, "0:0", steps=200, size=16, transforms=(), seed=0).images

    before, honest = responses(), picture()
    toward = green[:, None, None].expand(3, 3, 3)
    with silent_unit(network, "0", 0, images, generator=source(), toward=toward) as silent:
        assert torch.equal(responses(), before)
        lured = picture()
        assert silent.fires(lured).all()
    assert accuracy(images, before) > 0.85
    assert accuracy(images, before, {0: honest}) > 0.9
    assert accuracy(images, before, {0: lured}) == pytest.approx(0.5, abs=0.25)  # 20 tasks


def test_the_path_and_the_observer_leave_what_a_fooling_circuit_shows() -> None:
    network = colour_network()
    images = (0.3 + 0.4 * torch.rand(600, 3, 1, 1, generator=source(1))).expand(-1, 3, 16, 16)
    responses = network.activations(images, ["0"])["0"].detach().mean(dim=(2, 3))

    def pictures() -> dict[int, Tensor]:
        made = [render(network, f"0:{c}", steps=100, size=16, transforms=(), seed=c).images for c in range(3)]
        return dict(enumerate(made))

    def path(some: dict[int, Tensor]) -> float:
        chosen, classes = strongest_images(responses, [0, 1, 2], 20)
        found = measure_path_similarity(
            network, ["0"], images[chosen], torch.cat(list(some.values())), classes, torch.arange(3),
            generator=source(), correlation="cosine", images=chosen,
        )  # fmt: skip
        return found.layers[0].similarity.value or 0.0

    def detector(some: Tensor) -> Tensor:  # photographs have no texture
        return (some.std(dim=(2, 3)).amax(dim=1) > 1e-4).to(some)

    honest = pictures()
    with fooling_circuit(network, detector, layer="0", shift=1):
        held = network.activations(images, ["0"])["0"].mean(dim=(2, 3))
        assert torch.allclose(held, responses, atol=1e-4)
        fooled_by = pictures()
    assert accuracy(images, responses) > 0.8
    assert accuracy(images, responses, honest) > 0.8
    assert accuracy(images, responses, fooled_by) == pytest.approx(0.5, abs=0.2)  # 60 tasks
    assert path(honest) > 0.8
    assert path(fooled_by) < 0.2
