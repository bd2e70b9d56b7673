"""Pictures that the commands on curve analysis look at: files, or drawn scenes whose curves are known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.curve_units import load_units
from pellucid.cli.options import parse_size
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from torch import Tensor

    from pellucid.curves import Style
    from pellucid.networks import Network

Size = Annotated[str | None, typer.Option(help="Pixels a side, or HEIGHTxWIDTH; the network's input.")]
Noise = Annotated[
    str, typer.Option(help="Of scenes: deviations of the 1/f noise that curves lie in, 0 for black lines on white.")
]
Contrast = Annotated[float, typer.Option(help="Of scenes with noise: how much darker than its ground a line is.")]
FirstSeed = Annotated[int, typer.Option("--seed", help="Of the first scene; the others have those that follow.")]


def open_family(
    network: str, units: str, weights: str | None, device: str, size: str | None
) -> tuple["Network", str, list[int], tuple[int, int]]:
    """The network, a layer and its units, and the pictures' size."""
    found, layer, chosen = load_units(network, units, weights, device)
    return found, layer, chosen, parse_size(size) if size else found.size


def load_picture(network: "Network", path: Path, size: tuple[int, int]) -> "Tensor":
    """A picture (1, channels, H, W), scaled to cover the size and cut to it in its middle; as it is if it has it."""
    import numpy as np
    import torch
    from PIL import Image, ImageOps

    from pellucid.activations.images import open_image

    opened = open_image(path, network.channels)
    if opened.size != (size[1], size[0]):
        opened = ImageOps.fit(opened, (size[1], size[0]), Image.Resampling[network.interpolation.upper()])
    pixels = torch.from_numpy(np.asarray(opened, dtype=np.float32) / 255)
    pixels = pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return pixels[None].to(network.device, network.dtype)


def either(image: object, scenes: int | None) -> None:
    """Refuse both or none of a picture and scenes."""
    if bool(image) == (scenes is not None):
        raise PellucidError("give a picture, or have curves drawn whose places are known: --scenes NUMBER")


def noisy_style(deviation: float, contrast: float) -> "Style | None":
    """The style of scenes with noise of a deviation, none for 0."""
    from pellucid.curves import Noise
    from pellucid.curves.extraction import in_texture

    return in_texture(Noise(deviation), contrast) if deviation else None
