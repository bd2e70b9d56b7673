"""What is pasted beside the patches, to tell what they show from what covering a corner does."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from PIL import Image

from pellucid.errors import AtlasError

Control = Literal["noise", "grey", "self", "unrelated"]
CONTROLS: tuple[Control, ...] = ("noise", "grey", "self", "unrelated")
"""Uniform noise; even grey; the photograph itself, shrunk; another photograph, of another class, shrunk."""


def drawn_control(name: str, size: tuple[int, int], channels: int, seed: int) -> Image.Image:
    """The picture of a control that is the same for all photographs, "noise" or "grey", of `size` (H, W).

    Noise is drawn evenly for each value of each pixel, as large as the network's input, and shrunk as the patches are
    (Carter et al. 2019).
    """
    shape = (*size, channels)
    if name == "grey":
        values = np.full(shape, 128, dtype=np.uint8)
    else:
        values = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


def check_controls(controls: tuple[str, ...], patches: Mapping[str, object]) -> None:
    """Refuse controls that there are not, or that are called as a patch is."""
    for name in controls:
        if name not in CONTROLS:
            raise AtlasError(f"there is no control {name!r}; controls are {', '.join(CONTROLS)}")
        if name in patches:
            raise AtlasError(f"a patch is called {name!r}, as a control is; rename the patch")
    if len(set(controls)) < len(controls):
        raise AtlasError(f"controls = {', '.join(controls)}: give each once")
