"""Smooth colour noise to stand behind what is not opaque."""

from collections.abc import Sequence

import torch

from pellucid.shapes import Images
from pellucid.visualize.canvases.colours import Colours
from pellucid.visualize.canvases.fourier import spectrum_scale
from pellucid.visualize.canvases.noise import normal


def backgrounds(like: Images, generators: Sequence[torch.Generator], colours: Colours, contrast: float) -> Images:
    """Noise of the form of given pictures in [0, 1], item i from generator i alone.

    Its coefficient at frequency f is scaled by 1/max(f, 1/max(W, H))^1.5; it is divided by its root mean square over
    all channels, times `contrast`, and correlated by `colours`, and a sigmoid bounds it.
    """
    size = (like.shape[2], like.shape[3])
    # At every step anew: drawn in float32, which takes a seventh of the time.
    drawn = normal((like.shape[1], size[0], size[1] // 2 + 1, 2), generators, dtype=torch.float32)
    noise = torch.fft.irfft2(torch.view_as_complex(drawn) * spectrum_scale(size, 1.5).to(drawn), s=size)
    noise = noise / noise.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return colours.correlate((contrast * noise).to(like)).sigmoid()
