"""A network whose answers are plain to see: the logits are an image's mean red, green and blue."""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor, nn

from pellucid.networks import Labels, Network, wrap

NAMES = ("red, ruby", "green, emerald", "blue", "violet")
WNIDS = ("n00000001", "n00000002", "n00000003", "n00000004")


class Colours(nn.Module):
    """The mean of each channel, ten times; nothing for violet."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.AvgPool2d(4)

    def forward(self, x: Tensor) -> Tensor:
        return 10 * nn.functional.pad(self.maps(x).mean(dim=(2, 3)), (0, 1), value=-1.0)


def colour_network(size: int | tuple[int, int] = 20) -> Network:
    """`Colours` for images in [0, 1]."""
    return wrap(Colours(), mean=(0, 0, 0), std=(1, 1, 1), size=size, labels=Labels(NAMES, WNIDS), name="colours")


def coloured_photographs(folder: Path, counts: dict[str, int], size: tuple[int, int] = (40, 30)) -> Path:
    """Pictures of mostly one colour, of several strengths, named after their class."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for colour, count in counts.items():
        channel = ("red", "green", "blue").index(colour)
        for number in range(count):
            pixels = random.integers(0, 60, (size[1], size[0], 3))
            pixels[..., channel] += 70 + 120 * number // max(count, 2)
            name = f"{WNIDS[channel]}_{colour}_{number:02d}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
    return folder


def flat(colour: tuple[int, int, int], size: tuple[int, int] = (8, 6)) -> Image.Image:
    """A picture of one colour."""
    return Image.new("RGB", size, colour)
