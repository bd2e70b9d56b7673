"""One canvas of each kind, what they are tried with, and a loop of its own to try them in."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from pellucid.networks import Network, wrap
from pellucid.visualize.canvases import (
    CPPN,
    MACO,
    Alpha,
    Between,
    Canvas,
    Fourier,
    Latent,
    Masked,
    Pixels,
    Pyramid,
    Shared,
    Texture,
)
from pellucid.visualize.meshes import RandomViews, sphere
from small import Small

SIZES = [(8, 8), (7, 10), (9, 5), (6, 11), (1, 4)]


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def random_images(count: int, channels: int, size: tuple[int, int], seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.05 + 0.9 * torch.rand(count, channels, *size, generator=generator, dtype=torch.float64)


def covered(channels: int, size: tuple[int, int]) -> Canvas:
    """A canvas that shows in the left half of an image."""
    mask = torch.zeros(size)
    mask[:, : (size[1] + 1) // 2] = 1
    return Masked(Fourier(), random_images(1, channels, size, seed=9)[0], mask)


class Generator(nn.Module):
    """Three numbers become a picture of 8x8 pixels, in (-1, 1)."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4 * 4 * 4)
        self.norm = nn.BatchNorm2d(4)
        self.last = nn.ConvTranspose2d(4, channels, 4, stride=2, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        maps = self.norm(self.first(codes).unflatten(1, (4, 4, 4)))
        return self.last(maps.relu()).tanh()


def generator_of(channels: int) -> Generator:
    with torch.random.fork_rng(), torch.inference_mode(False):
        torch.manual_seed(3)
        generator = Generator(channels).double().train()
    with torch.no_grad():
        generator.last.weight *= 4  # the tanh bends
    return generator


NEAR = RandomViews(distances=(1.5, 2.0), field=80.0)

# Every kind, for pictures of so many channels and a size.
INVERTIBLE: dict[str, Callable[[int, tuple[int, int]], Canvas]] = {
    "pixels": lambda channels, size: Pixels(),
    "raw pixels": lambda channels, size: Pixels(bounded="clip"),
    "pixels of 0 to 255": lambda channels, size: Pixels(bounded=(0, 255), deviation=1.0),
    "decorrelated pixels": lambda channels, size: Pixels(colours="imagenet", bounded="clip"),
    "fourier": lambda channels, size: Fourier(),
    "fourier of own colours": lambda channels, size: Fourier(colours=torch.eye(channels) + 0.3),
    "pyramid": lambda channels, size: Pyramid(3),
    "shared": lambda channels, size: Shared(Fourier(), pictures=2, scales=(2, 4)),
    "between": lambda channels, size: Between(Fourier(), torch.ones(2, 1)),
    "texture": lambda channels, size: Texture(sphere(8, 12), Fourier(), views=NEAR),
}
KINDS = {
    **INVERTIBLE,
    "cppn": lambda channels, size: CPPN(width=6, depth=3),
    "maco": lambda channels, size: MACO(),
    "maco of images": lambda channels, size: MACO.of(random_images(8, channels, (8, 9))),
    "alpha": lambda channels, size: Alpha(Fourier()),
    "shared alpha": lambda channels, size: Alpha(Shared(Pixels(), pictures=2, scales=(3,))),
    "masked": covered,
    "latent": lambda channels, size: Latent(generator_of(channels), 3),
}


def network_of(channels: int, size: tuple[int, int] = (16, 12)) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = Small(channels=channels).eval()
    return wrap(module, mean=(0.5,) * channels, std=(0.5,) * channels, size=size)


def climb(
    network: Network, canvas: Canvas, seeds: Sequence[int], *, steps: int = 20, layer: str = "conv3", unit: int = 1
) -> tuple[Tensor, list[float]]:
    """The pictures after some steps towards a unit, and the sum of its means at every step."""
    parameters = canvas.start(network.size, network.channels, generators(*seeds), torch.float32).requires_grad_()
    optimizer = canvas.optimizer([parameters])
    sources = generators(*(seed + 100 for seed in seeds))
    history = []
    for _ in range(steps):
        seen = canvas.seen(canvas.pictures(parameters, network.size), sources)
        value = network.activations(seen, [layer])[layer][:, unit].mean(dim=(1, 2)).sum()
        (parameters.grad,) = torch.autograd.grad(-value, parameters)
        optimizer.step()
        history.append(float(value.detach()))
    return canvas.pictures(parameters, network.size).detach(), history
