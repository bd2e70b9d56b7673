"""What is optimized: parameters that become a picture."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from pellucid.shapes import Images

# Square root of the covariance of ImageNet's colours (Lucid), each column's scale kept, the largest column norm made 1.
_COLOUR_SQUARE_ROOT = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], dtype=torch.float64)
_COLOURS = _COLOUR_SQUARE_ROOT / _COLOUR_SQUARE_ROOT.norm(dim=0).max()


class Canvas(ABC):
    """A way to write pictures as parameters: `start` gives them for some items, `pictures` turns them into images."""

    @abstractmethod
    def start(
        self, size: tuple[int, int], channels: int, generators: Sequence[torch.Generator], dtype: torch.dtype
    ) -> Tensor:
        """Parameters (N, ...) on the CPU, item i drawn from generator i alone."""

    @abstractmethod
    def pictures(self, parameters: Tensor, size: tuple[int, int]) -> Images:
        """The pictures (N, C, H, W) in [0, 1] that the parameters stand for."""


class Fourier(Canvas):
    """The spectrum of a picture with decorrelated colours (Feature Visualization, "Preconditioning").

    Parameters are the real and imaginary parts of the half spectrum, drawn from N(0, `deviation`). A coefficient at
    frequency f (cycles per pixel) is scaled by sqrt(W·H) / max(f, 1/max(W, H))^`decay`, so that every frequency has the
    energy that it has in photographs; the inverse transform over 4 gives decorrelated colours, which the square root of
    ImageNet's colour covariance and a sigmoid turn into RGB. With other than three channels colours stay as they are.
    """

    def __init__(self, *, deviation: float = 0.01, decay: float = 1.0) -> None:
        self.deviation = deviation
        self.decay = decay
        self._scales: dict[tuple[tuple[int, int], torch.device, torch.dtype], Tensor] = {}

    def __repr__(self) -> str:
        return f"Fourier(deviation={self.deviation:g}, decay={self.decay:g})"

    def start(
        self, size: tuple[int, int], channels: int, generators: Sequence[torch.Generator], dtype: torch.dtype
    ) -> Tensor:
        """Random spectra (N, C, H, W//2 + 1, 2)."""
        shape = (channels, size[0], size[1] // 2 + 1, 2)
        spectra = [torch.randn(shape, generator=generator, dtype=torch.float64) for generator in generators]
        return (torch.stack(spectra) * self.deviation).to(dtype)

    def pictures(self, parameters: Tensor, size: tuple[int, int]) -> Images:
        """The pictures of the spectra."""
        spectrum = torch.view_as_complex(parameters) * self._scale(size, parameters)
        values = torch.fft.irfft2(spectrum, s=size) / 4.0
        if values.shape[1] == 3:
            values = torch.einsum("oc,nchw->nohw", _COLOURS.to(values), values)
        return values.sigmoid()

    def _scale(self, size: tuple[int, int], like: Tensor) -> Tensor:
        key = (size, like.device, like.dtype)
        if key not in self._scales:
            self._scales[key] = spectrum_scale(size, self.decay).to(like)
        return self._scales[key]


def spectrum_scale(size: tuple[int, int], decay: float) -> Tensor:
    """The scale of every coefficient of a half spectrum: (H, W//2 + 1)."""
    height, width = size
    rows = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    columns = torch.fft.rfftfreq(width, dtype=torch.float64)[None, :]
    frequency = (rows**2 + columns**2).sqrt().clamp_min(1.0 / max(height, width))
    return math.sqrt(height * width) / frequency**decay
