"""Grey pictures with an opacity, for networks of any number of colours."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pellucid.errors import ObjectiveError
from pellucid.shapes import AnyTensor, Images
from pellucid.visualize.canvases import Alpha, Canvas, Fourier


class GrayAlpha(Alpha):
    """One grey for all colours, and the opacity: the network sees it on another random background at every step.

    `Alpha` (Differentiable Image Parameterizations, Distill 2018, "Semi-Transparent Patterns") of a canvas of two
    channels, the grey and the opacity, by default `Fourier(colours="none")`. `pictures` are (N, channels + 1, H, W)
    for a network that takes so many `channels`, all of them the same grey; backgrounds have colours of their own.
    Inverts from images of that form, whose grey is the mean of their channels.
    """

    def __init__(self, channels: int = 3, canvas: Canvas | None = None, *, contrast: float = 2.0) -> None:
        super().__init__(canvas or Fourier(colours="none"), contrast=contrast)
        self.channels = channels

    def __repr__(self) -> str:
        return f"GrayAlpha({self.channels}, {self.canvas!r}, contrast={self.contrast:g})"

    def start(
        self, size: tuple[int, int], channels: int, generators: Sequence[torch.Generator], dtype: torch.dtype
    ) -> AnyTensor:
        """Parameters of the grey and the opacity, which begins near one half."""
        if channels != self.channels:
            raise ObjectiveError(f"{self!r} is for {self.channels} channels, and the network takes {channels}")
        return self.canvas.start(size, 2, generators, dtype)

    def pictures(self, parameters: AnyTensor, size: tuple[int, int]) -> Images:
        """The grey in each channel, and the opacity: (N, channels + 1, H, W)."""
        bound = self.canvas.finish.bound(self.canvas.values(parameters, size))
        return torch.cat([bound[:, :1].expand(-1, self.channels, -1, -1), bound[:, 1:]], dim=1)

    def invert(self, images: Images) -> AnyTensor:
        """Parameters of images (N, channels + 1, H, W), the opacity last."""
        grey: Tensor = images[:, :-1].mean(dim=1, keepdim=True)
        return self.canvas.parameters(self.canvas.finish.unbound(torch.cat([grey, images[:, -1:]], dim=1)))
