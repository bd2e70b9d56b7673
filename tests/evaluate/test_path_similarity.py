import pytest
import torch

import oracles_observers as oracles
from pellucid.errors import NetworkError
from pellucid.evaluate import measure_path_similarity, path_similarity, strongest_images
from small import small_network

KINDS = ("spearman", "pearson", "cosine")


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=source(seed), dtype=torch.float64)


def images_of_classes(classes: torch.Tensor, size: int = 30, seed: int = 1) -> torch.Tensor:
    return normal(int(classes.max()) + 1, size, seed=seed)[classes] + 0.8 * normal(len(classes), size, seed=seed + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_reference_formula(kind) -> None:
    classes, owner = torch.tensor([0, 0, 0, 1, 1, 2, 2]), torch.tensor([0, 0, 1, 2])
    natural, pictures = images_of_classes(classes, 9), normal(4, 9, seed=5)
    found = path_similarity(
        {"layer": natural.view(7, 1, 3, 3)}, {"layer": pictures.view(4, 1, 3, 3)}, classes, owner,
        generator=source(), correlation=kind,
    )  # fmt: skip
    expected = oracles.path_similarity(natural.numpy(), pictures.numpy(), classes.tolist(), owner.tolist(), kind)
    (layer,) = found.layers
    assert (layer.similarity.value, layer.pictures, layer.same, layer.different) == pytest.approx(expected)
    assert (found.classes, found.correlation, layer.layer) == (3, kind, "layer")


@pytest.mark.parametrize("kind", KINDS)
def test_natural_images_of_the_class_are_at_1_and_those_of_others_at_0(kind) -> None:
    classes = torch.arange(4).repeat_interleave(5)
    natural = {"layer": images_of_classes(classes)}
    itself = torch.arange(20)
    same = path_similarity(
        natural, natural, classes, classes, generator=source(), correlation=kind, images=itself, picture_images=itself
    ).layers[0]
    assert same.similarity.value == pytest.approx(1, abs=1e-12)
    assert (same.similarity.low, same.similarity.high) == (pytest.approx(1), pytest.approx(1))
    # All images of other classes, as if each were a visualization of the class.
    pairs = [(image, c) for c in range(4) for image in range(20) if int(classes[image]) != c]
    shown = torch.tensor([image for image, _ in pairs])
    other = path_similarity(
        natural, {"layer": natural["layer"][shown]}, classes, torch.tensor([c for _, c in pairs]),
        generator=source(), correlation=kind,
    ).layers[0]  # fmt: skip
    assert other.similarity.value == pytest.approx(0, abs=1e-12)
    assert other.similarity.low == pytest.approx(0, abs=1e-12)


def test_held_out_images_of_the_class_are_near_1_and_noise_is_near_0() -> None:
    classes = torch.arange(12).repeat_interleave(8)
    everything = images_of_classes(classes, 200)
    held = torch.arange(96) % 4 == 0
    natural = {"layer": everything[~held]}
    same = path_similarity(
        natural, {"layer": everything[held]}, classes[~held], classes[held], generator=source()
    ).layers[0].similarity  # fmt: skip
    assert same.value == pytest.approx(1, abs=0.08)
    assert same.low is not None
    assert same.high is not None
    assert same.low < 1 < same.high
    noise = path_similarity(
        natural, {"layer": normal(24, 200, seed=9)}, classes[~held], classes[held], generator=source()
    ).layers[0].similarity  # fmt: skip
    assert noise.value == pytest.approx(0, abs=0.08)
    assert noise.low is not None
    assert noise.high is not None
    assert noise.low < 0 < noise.high


def test_an_image_is_not_compared_with_itself_where_two_units_share_it() -> None:
    classes, images = torch.tensor([0, 0, 0, 1, 1, 1]), torch.tensor([3, 1, 4, 3, 5, 9])
    natural = images_of_classes(classes)
    natural[3] = natural[0]
    given = {"layer": natural}, {"layer": normal(2, 30, seed=3)}, classes, torch.tensor([0, 1])
    with_itself = path_similarity(*given, generator=source()).layers[0]
    without = path_similarity(*given, generator=source(), images=images).layers[0]
    # For each of the two classes one of nine pairs falls away, and its correlation is 1.
    assert without.different == pytest.approx((9 * with_itself.different - 1) / 8)
    assert without.same == pytest.approx(with_itself.same)


def test_each_layer_has_its_own_number_from_one_reading_of_the_network() -> None:
    network, classes = small_network(size=16), torch.arange(3).repeat_interleave(3)
    natural = torch.rand(9, 3, 16, 16, generator=source())
    pictures = torch.rand(3, 3, 16, 16, generator=source(1))
    found = measure_path_similarity(
        network, ["relu1", "act3"], natural, pictures, classes, torch.arange(3), generator=source(), batch=4
    )
    assert [one.layer for one in found.layers] == ["relu1", "act3"]
    maps = [
        network.activations(some, ["relu1"])["relu1"].detach().flatten(1).double().numpy()
        for some in (natural, pictures)
    ]
    expected = oracles.path_similarity(maps[0][:, :300], maps[1][:, :300], classes.tolist(), [0, 1, 2], "pearson")
    part = path_similarity(
        {"part": torch.from_numpy(maps[0][:, :300])}, {"part": torch.from_numpy(maps[1][:, :300])}, classes,
        torch.arange(3), generator=source(), correlation="pearson",
    )  # fmt: skip
    assert part.layers[0].similarity.value == pytest.approx(expected[0])


def test_strongest_images_are_those_of_each_unit() -> None:
    responses = torch.tensor([[0.0, 5.0], [3.0, 1.0], [2.0, 4.0], [9.0, 0.0]])
    images, owner = strongest_images(responses, [1, 0], 2)
    assert images.tolist() == [0, 2, 3, 1]
    assert owner.tolist() == [1, 1, 0, 0]
    with pytest.raises(NetworkError, match="5 images of each unit are wanted, and there are 4"):
        strongest_images(responses, [0], 5)


def test_anchors_that_are_the_same_give_no_number() -> None:
    flat = {"layer": torch.zeros(4, 6)}
    found = path_similarity(flat, flat, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1]), generator=source())
    assert found.layers[0].similarity.value is None


def test_what_cannot_be_compared_is_refused() -> None:
    classes = torch.tensor([0, 0, 1])
    with pytest.raises(NetworkError, match="1 classes have visualizations and two natural images, in 1 layers"):
        path_similarity({"a": normal(3, 4)}, {"a": normal(2, 4)}, classes, torch.tensor([0, 1]), generator=source())
    classes = torch.tensor([0, 0, 1, 1])
    with pytest.raises(NetworkError, match="activations of 3 natural images and 2 visualizations"):
        path_similarity({"a": normal(3, 4)}, {"a": normal(2, 4)}, classes, torch.tensor([0, 1]), generator=source())


def test_the_same_seed_gives_the_same_interval() -> None:
    classes = torch.arange(5).repeat_interleave(4)
    given = {"a": images_of_classes(classes)}, {"a": normal(5, 30, seed=8)}, classes, torch.arange(5)
    first, second, other = (path_similarity(*given, generator=source(seed)).layers[0] for seed in (1, 1, 2))
    assert first == second != other
