"""Textures of models: what the network sees of them, and where gradients go."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from oracles_meshes import cast, in_unit_ball, rays, texel
from painters import NEAR, generators, random_images
from pellucid.errors import ObjectiveError
from pellucid.networks import wrap
from pellucid.pictures import to_pixels
from pellucid.visualize import (
    Fourier,
    Jitter,
    Latent,
    Mesh,
    Pixels,
    RandomViews,
    Texture,
    View,
    channel,
    cube,
    diversity,
    layer,
    likeness,
    logit,
    neuron,
    render,
    save_movie,
    sphere,
    square,
    style,
    total_variation,
    turntable,
)
from pellucid.visualize.canvases import Alpha
from small import Small, small_network

# From here the square fills the picture.
FRONT = View(distance=3.0, field=2 * math.degrees(math.atan(1 / math.sqrt(2) / 3.0)))
STILL = RandomViews((20, 20), (30, 30), (0, 0), (2.0, 2.0), 50.0)


@pytest.mark.parametrize("size", [(8, 8), (9, 9)])
def test_a_square_seen_from_in_front_is_its_texture(size: tuple[int, int]) -> None:
    textures = random_images(2, 3, size)
    seen = Texture(square(), Pixels()).seen_from(textures, FRONT)
    torch.testing.assert_close(seen, textures, atol=1e-12, rtol=0)
    # And from behind, mirrored.
    behind = Texture(square(), Pixels()).seen_from(textures, View(180, 0, 0, FRONT.distance, FRONT.field))
    torch.testing.assert_close(behind, textures.flip(3), atol=1e-12, rtol=0)


@pytest.mark.parametrize("mesh", [cube(), sphere(5, 8)], ids=["cube", "sphere"])
def test_the_network_sees_the_texture_where_rays_meet_the_model(mesh: Mesh) -> None:
    textures = random_images(1, 3, (7, 6))
    canvas = Texture(mesh, Pixels(), shown=(11, 14), views=STILL, background=0.25)
    seen = canvas.seen(textures, generators(1))[0].numpy()
    eye, directions = rays(20, 30, 0, 2.0, 50, (11, 14))
    triangles = in_unit_ball(mesh.positions.numpy(), mesh.faces.numpy())
    right = 0
    for row in range(11):
        for column in range(14):
            _, face, b, c = cast(eye, directions[row, column], triangles)
            truth = np.full(3, 0.25)
            if face >= 0:
                u, v = np.array([1 - b - c, b, c]) @ mesh.coordinates[face].numpy()
                truth = texel(textures[0].numpy(), u, v)
            right += bool(np.abs(seen[:, row, column] - truth).max() < 1e-7)
    assert right >= 0.98 * 11 * 14  # on an edge of the model rounding decides


def test_the_gradient_in_the_texture_is_that_of_finite_differences() -> None:
    canvas = Texture(sphere(5, 8), Pixels(), shown=(5, 6), views=NEAR, background=0.5)
    texture = random_images(1, 1, (4, 5)).requires_grad_()
    assert torch.autograd.gradcheck(lambda textures: canvas.seen(textures, generators(4)), texture)


def test_every_step_has_another_view_and_another_background() -> None:
    canvas = Texture(cube(), Pixels(), shown=24)
    textures, sources = random_images(1, 3, (12, 12)), generators(7)
    first, second = canvas.seen(textures, sources), canvas.seen(textures, sources)
    assert not torch.allclose(first, second, atol=0.1)
    assert torch.equal(first, canvas.seen(textures, generators(7)))
    still = Texture(cube(), Pixels(), shown=24, views=STILL)
    pair = [still.seen(textures, sources) for _ in range(2)]
    apart = (pair[0] != pair[1]).any(dim=1)
    assert bool(apart[:, 0, 0].all())
    assert not bool(apart[:, 12, 12].any())


def test_a_unit_is_excited_by_the_model_from_all_around() -> None:
    network = small_network()
    canvas = Texture(sphere(8, 12), Fourier(), shown=32, views=NEAR, background=0.5)
    goal, seeds = channel("conv3", 1), range(6)
    before, after = (
        render(network, goal, canvas=canvas, size=24, steps=steps, transforms=(), views=2).images for steps in (0, 40)
    )
    looks = [NEAR.draw(generator) for generator in generators(*seeds)]
    values = [
        goal(network.activations(canvas.seen_from(images, looks, background=0.5), ["conv3"]))
        for images in (before, after)
    ]
    assert after.shape == (1, 3, 24, 24)
    assert bool((values[1] > values[0]).all())


@pytest.mark.parametrize(
    "objective",
    [neuron("conv2", 3), layer("conv2"), logit(2), channel("conv3", 2).copies(2) + diversity("conv2", 2)],
    ids=str,
)
def test_every_objective_paints_textures(objective) -> None:
    canvas = Texture(cube(), Pixels(), shown=(24, 20), views=NEAR)
    rendering = render(small_network(), objective, canvas=canvas, size=18, steps=3, regularizers=[total_variation()])
    assert rendering.images.shape == (objective.pictures, 3, 18, 18)
    assert bool(rendering.values.isfinite().all())


def test_a_texture_is_the_same_alone_and_in_a_batch() -> None:
    network = small_network(dtype=torch.float64)
    options = {"canvas": Texture(sphere(8, 12), shown=20), "size": 16, "steps": 4}
    both = render(network, ["conv3:1", "conv3:2"], seed=[3, 5], **options)
    alone = render(network, "conv3:2", seed=5, **options)
    torch.testing.assert_close(both.images[1], alone.images[0], atol=1e-9, rtol=0)
    assert torch.equal(alone.images, render(network, "conv3:2", seed=5, **options).images)
    assert not torch.allclose(alone.images, render(network, "conv3:2", seed=6, **options).images, atol=1e-3)


def test_several_views_of_a_step_are_of_several_sides() -> None:
    shown: list[Tensor] = []

    class Looks(Small):
        def forward(self, x: Tensor) -> Tensor:
            shown.append(x.detach())
            return super().forward(x)

    network = wrap(Looks().eval(), size=16)
    network.layers()
    for transforms in ((), [Jitter(1)]):
        shown.clear()
        canvas = Texture(cube(), shown=16, views=NEAR, background=0.0)
        render(network, "conv3:1", canvas=canvas, steps=1, views=3, transforms=transforms, fold=False)
        assert shown[0].shape == (3, 3, 16, 16)
        assert not torch.allclose(shown[0][0], shown[0][1], atol=0.05)


@pytest.mark.filterwarnings("ignore:no gradient came")  # it is as like as can be
def test_a_model_is_like_itself_from_every_side() -> None:
    network = small_network(dtype=torch.float64)
    textures = random_images(2, 3, (24, 24))
    canvas = Texture(cube(), Pixels(bounded="clip"), shown=32, views=NEAR)
    goals = [likeness(network, texture, "conv2") for texture in textures]
    for transforms, views in ((), 1), ([Jitter(4)], 2):
        rendering = render(
            network, goals, canvas=canvas, init=textures, size=24, steps=2, transforms=transforms, views=views
        )
        torch.testing.assert_close(rendering.trace[0], torch.zeros(2).double(), atol=1e-6, rtol=0)
        # Of the finished picture too: it has hardly been moved, and is compared from the same side.
        assert float(rendering.values.min()) > -0.1
    other = render(network, goals, canvas=canvas, init=textures.flip(0), size=24, steps=0)
    assert float(other.values.max()) < -0.2


def test_style_goes_over_to_a_model() -> None:
    network = small_network()
    content = random_images(1, 3, (24, 24))[0].float()
    red = 0.2 * random_images(1, 3, (40, 40), seed=1)[0].float()
    red[0] += 0.7
    wanted = style(network, red, ["conv1", "conv2"])
    canvas = Texture(sphere(8, 12), Pixels(), shown=32, views=NEAR, background=0.5)
    looks = [NEAR.draw(generator) for generator in generators(*range(4))]

    def value(images: Tensor) -> float:
        shown = canvas.seen_from(images, looks, background=0.5)
        return float(wanted(network.activations(shown, sorted(wanted.layers))).mean())

    goal = wanted + 0.1 * likeness(network, content, "conv3")
    rendering = render(network, goal, canvas=canvas, init=content, size=24, steps=60, transforms=())
    assert value(rendering.images) > 0.8 * value(content[None])  # both are negative


def test_a_model_turns_in_a_movie(tmp_path: Path) -> None:
    canvas = Texture(cube(), Pixels(), shown=20)
    frames = canvas.seen_from(random_images(2, 3, (12, 12)), turntable(6), (24, 30))
    assert frames.shape == (12, 3, 24, 30)
    torch.testing.assert_close(
        frames[6:7], canvas.seen_from(random_images(2, 3, (12, 12))[1:], turntable(6)[0], (24, 30))
    )
    assert float(frames[:, :, 0, 0].min()) == 1.0  # white behind the model
    save_movie(to_pixels(frames[:6]), tmp_path / "turning.gif")
    with Image.open(tmp_path / "turning.gif") as image:
        assert getattr(image, "n_frames", 1) == 6


def test_what_the_canvas_says_is_all_that_it_depends_on() -> None:
    name = repr(Texture(cube(), Pixels(), shown=20, background=0.5))
    assert name.startswith("Texture(Mesh(12 triangles, ")
    others = [
        Texture(sphere(), Pixels(), shown=20, background=0.5),
        Texture(cube(), Fourier(), shown=20, background=0.5),
        Texture(cube(), Pixels(), shown=21, background=0.5),
        Texture(cube(), Pixels(), shown=20, background=0.4),
        Texture(cube(), Pixels(), shown=20, background=0.5, views=NEAR),
        Texture(cube(), Pixels(), shown=20),
        Texture(cube(), Pixels(), shown=20, contrast=1.0),
    ]
    assert len({name, *map(repr, others)}) == 8


def test_what_paints_no_texture_is_refused() -> None:
    with pytest.raises(ObjectiveError, match=r"a texture is opaque and flat; Alpha\(.* cannot paint one"):
        Texture(cube(), Alpha(Fourier()))
    with pytest.raises(ObjectiveError, match="background = 'white' must be 'noise' or a grey"):
        Texture(cube(), background="white")
    with pytest.raises(ObjectiveError, match=r"background = 1.5 must be a grey in \[0, 1\]"):
        Texture(cube(), background=1.5)
    with pytest.raises(ObjectiveError, match="cannot be shown in 0x0 pixels"):
        Texture(cube(), shown=0)
    with pytest.raises(ObjectiveError, match="there is no view from which to show the model"):
        Texture(cube()).seen_from(random_images(1, 3, (4, 4)), [])
    with pytest.raises(ObjectiveError, match="has no inverse"):
        Texture(cube(), Latent(torch.nn.Identity(), 3)).invert(random_images(1, 3, (4, 4)))
