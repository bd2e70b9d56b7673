import pytest
import torch

from oracles_objectives import spatial_value
from pellucid.errors import NetworkError, ObjectiveError
from pellucid.networks import Network, read
from pellucid.visualize.objectives import (
    PICTURE,
    Objective,
    accentuation,
    attribution,
    caricature,
    channel,
    inversion,
    likeness,
    logit,
    near,
    neuron,
)
from pellucid.visualize.objectives.places import fingerprint
from small import small_network

NETWORK = small_network(dtype=torch.float64)
IMAGE = torch.rand(3, 12, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
OTHERS = torch.rand(4, 3, 12, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def activations(images: torch.Tensor, *layers: str, network: Network = NETWORK) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return {**read(network, images, layers), PICTURE: images}


@pytest.mark.parametrize("power", [0.0, 1.0, 3.0])
def test_a_caricature_is_the_direction_of_the_images_activations(power: float) -> None:
    maps, wanted = activations(OTHERS, "conv2")["conv2"], activations(IMAGE[None], "conv2")["conv2"][0]
    truth = [spatial_value(h, wanted, power) for h in maps]
    values = caricature(NETWORK, IMAGE, "conv2", power=power)({"conv2": maps})
    torch.testing.assert_close(values, torch.tensor(truth, dtype=torch.float64))


def test_the_cosine_of_a_caricature_is_true_at_any_scale() -> None:
    wanted = activations(IMAGE[None], "conv2")["conv2"]
    objective = caricature(NETWORK, IMAGE, "conv2", power=4)
    torch.testing.assert_close(objective({"conv2": 2 * wanted}), 2 * objective({"conv2": wanted}))


def test_a_caricature_of_numbers_is_a_direction() -> None:
    logits, wanted = activations(OTHERS, "head")["head"], activations(IMAGE[None], "head")["head"][0]
    values = caricature(NETWORK, IMAGE, "head", power=0)({"head": logits})
    torch.testing.assert_close(values, logits @ wanted / wanted.norm())


def test_inversion_is_the_relative_squared_distance() -> None:
    wanted = activations(IMAGE[None], "conv2")["conv2"][0]
    seen = activations(OTHERS, "conv2")
    truth = torch.tensor([-float(((h - wanted) ** 2).sum() / (wanted**2).sum()) for h in seen["conv2"]])
    torch.testing.assert_close(inversion(NETWORK, IMAGE, "conv2")(seen), truth.double(), rtol=1e-6, atol=0)
    torch.testing.assert_close(
        likeness(NETWORK, IMAGE[None], "conv2")(seen), -(-truth.double()).sqrt(), rtol=1e-6, atol=0
    )
    assert float(inversion(NETWORK, IMAGE, "conv2")({"conv2": wanted[None]})) == 0.0


def test_accentuation_is_the_objective_less_the_distance() -> None:
    seen = activations(OTHERS, "conv1", "conv3")
    expected = channel("conv3", 2)(seen) + 0.5 * likeness(NETWORK, IMAGE, "conv1")(seen)
    objective = accentuation(channel("conv3", 2), NETWORK, IMAGE, "conv1", weight=0.5)
    torch.testing.assert_close(objective(seen), expected)
    assert objective.layers == {"conv1", "conv3"}


def test_accentuation_has_a_gradient_at_the_image_itself() -> None:
    images = IMAGE[None].clone().requires_grad_()
    objective = accentuation(channel("conv3", 2), NETWORK, IMAGE, "conv1")
    total = objective(read(NETWORK, images, objective.layers)).sum()
    (gradient,) = torch.autograd.grad(total, images)
    assert gradient.isfinite().all()
    assert gradient.any()


def test_what_is_moved_with_the_picture_counts_if_it_is_given() -> None:
    objective = inversion(NETWORK, IMAGE, "conv2")
    key = fingerprint(IMAGE)
    assert set(objective.references) == {key}
    torch.testing.assert_close(objective.references[key], IMAGE)
    seen = activations(OTHERS.flip(3), "conv2")
    moved = activations(IMAGE.flip(2)[None].expand(4, -1, -1, -1), "conv2")["conv2"]
    own = {**seen, f"conv2[{key}]": moved}
    assert not torch.allclose(objective(own), objective(seen))
    each = [inversion(NETWORK, IMAGE.flip(2), "conv2")({"conv2": h[None]}) for h in seen["conv2"]]
    torch.testing.assert_close(objective(own), torch.cat(each))
    total = 2 * objective + caricature(NETWORK, OTHERS[0], "conv1") * channel("conv1", 1)
    assert set(total.references) == {key, fingerprint(OTHERS[0])}
    assert total.copies(2).references.keys() == total.references.keys()


def test_maps_of_another_size_are_compared_in_the_middle() -> None:
    larger = activations(torch.rand(1, 3, 16, 24, dtype=torch.float64), "conv1")
    cut = {"conv1": larger["conv1"][:, :, 2:14, 2:22]}
    for objective in (inversion(NETWORK, IMAGE, "conv1"), caricature(NETWORK, IMAGE, "conv1")):
        torch.testing.assert_close(objective(larger), objective(cut))


def test_near_is_the_root_mean_square_difference() -> None:
    truth = -(OTHERS - IMAGE).square().mean(dim=(1, 2, 3)).sqrt()
    torch.testing.assert_close(near(IMAGE, 3.0)({PICTURE: OTHERS}), 3 * truth)
    with_alpha = torch.cat([OTHERS, torch.rand(4, 1, 12, 20, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(near(IMAGE[None])({PICTURE: with_alpha}), truth)
    with pytest.raises(
        ObjectiveError, match=r"near\(\) has an image \(3, 12, 20\) for pictures \(3, 8, 8\); resize it"
    ):
        near(IMAGE)({PICTURE: torch.zeros(1, 3, 8, 8)})


@pytest.mark.parametrize("inplace", [True, False])
@pytest.mark.parametrize(
    ("layer", "target"),
    [
        *((layer, neuron("conv3", 5, (2, 7))) for layer in ("conv1", "relu1", "conv2")),
        *((layer, logit(1) - 2 * channel("conv3", 1)) for layer in ("conv1", "relu1", "conv2", "conv3")),
        *((layer, logit(3)) for layer in ("conv1", "relu1", "conv2", "conv3", "act3")),
    ],
)
def test_attribution_weighs_features_by_gradient_times_activation(layer: str, target: Objective, inplace: bool) -> None:
    network = small_network(dtype=torch.float64, inplace=inplace)
    h, g = gradient_by_hand(network, layer, target)
    seen = activations(OTHERS, layer, network=network)
    for objective, weights in (
        (attribution(network, IMAGE, layer, target), (g * h).abs()),
        (attribution(network, IMAGE, layer, target, kind="positive"), (g * h).clamp_min(0)),
    ):
        values = objective(seen)
        truth = [spatial_value_or_zero(maps, weights * h.sign()) for maps in seen[layer]]
        torch.testing.assert_close(values, torch.stack(truth))


def gradient_by_hand(network: Network, layer: str, target: Objective) -> tuple[torch.Tensor, torch.Tensor]:
    """Activation and gradient by the rest of the network written out."""
    module = network.module
    steps = ["conv1", "relu1", "conv2", "relu2", "conv3", "act3"]
    with torch.no_grad():
        h = activations(IMAGE[None], layer, network=network)[layer]
    leaf = h.clone().requires_grad_()
    x, found = leaf, {layer: leaf}
    for name in steps[steps.index(layer) + 1 :]:
        x = getattr(module, name)(x.clone())
        found[name] = x.clone()
    found["<output>"] = module.head(x.mean(dim=(2, 3)))  # pyright: ignore[reportCallIssue]
    (g,) = torch.autograd.grad(target(found).sum(), leaf)
    return h[0], g[0]


def spatial_value_or_zero(h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    dot = (h * t).sum(dim=0)
    cosine = dot / (h.norm(dim=0).clamp_min(1e-8) * t.norm(dim=0).clamp_min(1e-12))
    return (dot / t.square().sum(dim=0).mean().sqrt() * cosine.clamp_min(0.1)).mean()


def test_attribution_leaves_the_network_as_it_is() -> None:
    network = small_network()
    network.module.train()
    attribution(network, IMAGE.float(), "conv1", logit("class 2"))
    assert network.module.training
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.module.parameters())
    assert not any(part._forward_hooks for part in network.module.modules())


@pytest.mark.parametrize(
    "make",
    [
        lambda: caricature(NETWORK, IMAGE, "conv2", power=2),
        lambda: inversion(NETWORK, IMAGE, "conv2"),
        lambda: likeness(NETWORK, IMAGE, "head"),
        lambda: attribution(NETWORK, IMAGE, "conv2", logit(1)),
        lambda: near(IMAGE),
    ],
)
def test_a_picture_has_its_value_alone(make) -> None:
    objective = make()
    seen = activations(OTHERS, *(objective.layers - {PICTURE}))
    alone = [objective({name: value[i : i + 1] for name, value in seen.items()}) for i in range(4)]
    torch.testing.assert_close(objective(seen), torch.cat(alone))
    assert str(objective) == str(make())
    assert len(str(objective)) < 100
    objective.check(NETWORK)


def test_names_tell_images_layers_and_kinds_apart() -> None:
    objectives = [
        caricature(NETWORK, IMAGE, "conv2"), caricature(NETWORK, IMAGE, "conv1"), inversion(NETWORK, IMAGE, "conv2"),
        caricature(NETWORK, OTHERS[0], "conv2"), caricature(NETWORK, IMAGE, "conv2", power=2),
        likeness(NETWORK, IMAGE, "conv2"), attribution(NETWORK, OTHERS[0], "conv2", logit(1)),
        attribution(NETWORK, IMAGE, "conv2", logit(1)), attribution(NETWORK, IMAGE, "conv2", logit(2)),
        attribution(NETWORK, IMAGE, "conv2", logit(1), kind="positive"),
    ]  # fmt: skip
    assert len({str(objective) for objective in objectives}) == len(objectives)
    assert attribution(NETWORK, IMAGE, "conv2", logit("class 1")) == attribution(NETWORK, IMAGE, "conv2", logit(1))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: caricature(NETWORK, OTHERS, "conv2"), ObjectiveError, "make an objective for each"),
        (lambda: caricature(NETWORK, IMAGE[:1], "conv2"), NetworkError, r"Small takes images \(N, 3, H, W\)"),
        (lambda: inversion(NETWORK, IMAGE, "conv9"), NetworkError, "no layer 'conv9'"),
        (lambda: near(OTHERS), ObjectiveError, r"takes one image \(C, H, W\)"),
        (lambda: attribution(NETWORK, IMAGE, "conv3", channel("conv2", 1)), ObjectiveError, "does not depend on conv3"),
        (lambda: attribution(NETWORK, IMAGE, "conv1", channel("conv3", 99)), ObjectiveError, "there is no unit 99"),
        (lambda: attribution(NETWORK, IMAGE, "relu1", 0 * logit(1)), ObjectiveError, "its gradient is zero"),
    ],
)
def test_what_cannot_be_taken_from_an_image_is_refused(make, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_another_network_is_refused() -> None:
    objective = caricature(NETWORK, IMAGE, "conv2")
    with pytest.raises(ObjectiveError, match="it was taken from another network"):
        type(objective)("conv3", IMAGE, objective.activation).check(NETWORK)  # pyright: ignore


def test_an_attribution_is_that_of_the_image_as_it_stands() -> None:
    objective = attribution(NETWORK, IMAGE, "conv2", logit(1))
    assert objective.references == {}
    given = activations(IMAGE[None], "conv2")
    moved = activations(IMAGE[None].roll(4, dims=3), "conv2")
    assert float(objective(given)) > float(objective(moved))
    # As wide of the mark whatever is said to be the moved image's activation.
    key = f"conv2[{fingerprint(IMAGE)}]"
    assert torch.equal(objective({**moved, key: moved["conv2"]}), objective(moved))
