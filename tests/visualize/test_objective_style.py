import pytest
import torch

from painters import random_images
from pellucid.errors import ObjectiveError
from pellucid.visualize import Pixels, likeness, render, style
from pellucid.visualize.objectives import Style
from small import Small, small_network

NETWORK = small_network(dtype=torch.float64)


def test_style_is_the_formula() -> None:
    image, pictures = random_images(1, 3, (20, 28), seed=1)[0], random_images(2, 3, (32, 32))
    shares = {"conv1": 2.0, "conv2": 0.5}
    objective = style(NETWORK, image, shares)
    found = objective(NETWORK.activations(pictures, list(shares)))

    def gram(maps) -> list[list[float]]:
        flat = maps.flatten(1).tolist()
        count = len(flat[0])
        return [[sum(x * y for x, y in zip(a, b, strict=True)) / count for b in flat] for a in flat]

    for index in range(2):
        total = 0.0
        for name, share in shares.items():
            own = gram(NETWORK.activations(pictures[index : index + 1], [name])[name][0])
            wanted = gram(NETWORK.activations(image[None], [name])[name][0])
            size = range(len(own))
            distance = sum((own[i][j] - wanted[i][j]) ** 2 for i in size for j in size)
            total -= share * distance / sum(wanted[i][j] ** 2 for i in size for j in size)
        assert float(found[index]) == pytest.approx(total)


def test_an_image_has_its_own_style_and_so_has_its_mirror_image_nearly() -> None:
    image = random_images(1, 3, (32, 32))[0]
    objective = style(NETWORK, image, ["conv1", "conv2"])
    same, shifted, other = objective(
        NETWORK.activations(
            torch.stack([image, image.roll(8, dims=2), random_images(1, 3, (32, 32), seed=5)[0] ** 4]),
            sorted(objective.layers),
        )
    )
    assert float(same) == pytest.approx(0, abs=1e-12)
    assert float(shifted) > 20 * float(other)  # where things are does not matter, but at the border


def test_a_picture_takes_on_a_style_and_keeps_its_content() -> None:
    content, painting = random_images(1, 3, (32, 32), seed=2)[0], torch.zeros(3, 24, 24, dtype=torch.float64)
    painting[:, :, ::3] = 1
    wanted = style(NETWORK, painting, ["conv1", "conv2"])
    options = {"canvas": Pixels(), "init": content, "transforms": ()}
    before = render(NETWORK, wanted, steps=0, **options).values
    plain = render(NETWORK, wanted, steps=40, **options)
    held = render(NETWORK, wanted + likeness(NETWORK, content, "conv3"), steps=40, **options)
    assert float(plain.values) > 0.5 * float(before)  # both are negative
    kept = likeness(NETWORK, content, "conv3")
    near, far = (float(kept(NETWORK.activations(run.images, ["conv3"]))) for run in (held, plain))
    assert near > far


def test_what_has_no_style_is_refused() -> None:
    image = random_images(1, 3, (32, 32))[0]
    with pytest.raises(ObjectiveError, match="no layer is given in which to take the style"):
        style(NETWORK, image, [])
    with pytest.raises(ObjectiveError, match="the style has 5 channels, and conv2 has 12"):
        Style("conv2", torch.eye(5), "").check(NETWORK)
    with pytest.raises(ObjectiveError, match="relu1 is zero for this image: it has no style there"):
        style(silenced(), image, ["relu1"])


def silenced():
    network = small_network(inplace=False)
    assert isinstance(network.module, Small)
    torch.nn.init.constant_(network.module.conv1.weight, 0.0)
    bias = network.module.conv1.bias
    assert bias is not None
    torch.nn.init.constant_(bias, -1.0)
    return network
