"""A picture of which only the phase is free."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import NAdam, Optimizer

from pellucid.errors import ObjectiveError
from pellucid.shapes import Images
from pellucid.visualize.canvases.canvas import Canvas
from pellucid.visualize.canvases.constant import Constant
from pellucid.visualize.canvases.finish import Bounds, Finish
from pellucid.visualize.canvases.fourier import frequencies
from pellucid.visualize.canvases.noise import uniform
from pellucid.visualize.canvases.statistics import colour_moments, mean_magnitude, square_root
from pellucid.visualize.objectives.places import fingerprint
from pellucid.visualize.responses import ImageSource


class MACO(Canvas):
    """Magnitude-constrained optimization: a natural spectrum, of which only the phase is free (Fel et al. 2023, §3).

    Parameters are phases φ (N, C, H, W//2 + 1), drawn from U(-π, π). The inverse transform of magnitude·e^(iφ), divided
    by its root mean square over the picture, gives decorrelated channels of mean square 1, which `colours` correlate
    and `bounded` brings into [0, 1]: `"sigmoid"`, or values such as (-2.5, 2.5) that become 0 and 1.

    `magnitude` (C, H₀, W₀//2 + 1) is that of images of `size` (H₀, W₀) (by default W₀ is even), brought to the size of
    any picture by cycles per pixel; `MACO.of(images)` takes it and the colours from one's own images. Without it, it is
    f^-1.3 · e^(-5f²) at f ≥ 1/max(W, H) cycles per pixel, the mean slope of photographs with their roll-off: the local
    exponent is -1.3 at low frequencies, -1.7 at 0.2 and -3.8 at 0.5.

    The first and the last column of a half spectrum hold conjugate pairs, of which the transform takes the mean: there
    the magnitude is an upper bound. The optimizer is the paper's, NAdam; the rate is 0.3 instead of its 1, at which
    phases turn too far in a step for a picture that is seen whole (measured in the docs). `invert` keeps the phase of
    images; they come back as they were only if their magnitude is the canvas's, up to a factor.
    """

    rate = 0.3

    def __init__(
        self,
        magnitude: Tensor | None = None,
        *,
        size: tuple[int, int] | None = None,
        colours: str | Tensor = "imagenet",
        bounded: Bounds = "sigmoid",
    ) -> None:
        self.finish = Finish(colours, bounded)
        if self.finish.middle:
            raise ObjectiveError(f"bounded = {bounded} must be symmetric for MACO: its values are about zero")
        self.size = size
        if magnitude is not None:
            if magnitude.ndim != 3:
                raise ObjectiveError(f"a magnitude is (C, H, W//2 + 1), not of shape {tuple(magnitude.shape)}")
            self.size = size or (magnitude.shape[1], max(1, 2 * (magnitude.shape[2] - 1)))
            if magnitude.shape[1:] != (self.size[0], self.size[1] // 2 + 1):
                raise ObjectiveError(f"the magnitude {tuple(magnitude.shape)} is not one of {self.size} pixels")
            if not (bool((magnitude >= 0).all()) and 0 < float(magnitude.max()) < math.inf):
                raise ObjectiveError("a magnitude is finite, not negative, and not all zero")
        self._magnitude = None if magnitude is None else magnitude.detach().double().cpu()
        self._resampled: dict[tuple[int, int], Constant] = {}

    @classmethod
    def of(cls, images: ImageSource, *, colours: str | Tensor | None = None, bounded: Bounds = "sigmoid") -> "MACO":
        """The canvas with the mean magnitude and the colours of images.

        `images` is (N, C, H, W) in [0, 1], or an iterable of such batches (or of tuples that begin with one), all of
        one size; it is read twice. Channels are decorrelated before their spectra are taken, by `colours`, by default
        those of the images themselves. Raises `ImagesError` for images without such statistics.
        """
        if not isinstance(images, Tensor) and iter(images) is images:
            raise ObjectiveError("the images are read twice, and an iterator only once; give a list or a DataLoader")
        mean, covariance = colour_moments(images)
        own = square_root(covariance) if colours is None else colours
        magnitude, size = mean_magnitude(images, mean, Finish(own).colours)
        return cls(magnitude, size=size, colours=own, bounded=bounded)

    def __repr__(self) -> str:
        data = "None" if self._magnitude is None else fingerprint(self._magnitude)
        size = "" if self._magnitude is None else f", size={self.size}"
        return f"MACO(magnitude={data}{size}, {self.finish!r})"

    def start(
        self, size: tuple[int, int], channels: int, generators: Sequence[torch.Generator], dtype: torch.dtype
    ) -> Tensor:
        """Random phases (N, C, H, W//2 + 1)."""
        self._check(channels)
        return uniform((channels, size[0], size[1] // 2 + 1), generators, -math.pi, math.pi).to(dtype)

    def pictures(self, parameters: Tensor, size: tuple[int, int]) -> Images:
        """The pictures with these phases."""
        self._check(parameters.shape[1])
        magnitude = self.magnitude(size, parameters)
        values = torch.fft.irfft2(torch.complex(magnitude * parameters.cos(), magnitude * parameters.sin()), s=size)
        deviation = values.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return self.finish(values / deviation.clamp_min(torch.finfo(values.dtype).tiny))

    def invert(self, images: Images) -> Tensor:
        """The phases of images; with a sigmoid, pixels nearer than 1/512 to 0 or 1 are moved to that distance."""
        self._check(images.shape[1])
        return torch.fft.rfft2(self.finish.undo(images)).angle()

    def optimizer(self, parameters: list[Tensor]) -> Optimizer:
        """NAdam at a rate of 0.3."""
        return NAdam(parameters, lr=self.rate)

    def magnitude(self, size: tuple[int, int], like: Tensor) -> Tensor:
        """The magnitude for pictures of a size: (C, H, W//2 + 1), or (1, H, W//2 + 1) for any channels."""
        if size not in self._resampled:
            f = frequencies(size)
            natural = (f**-1.3 * torch.exp(-5 * f**2))[None]
            mean = natural if self._magnitude is None or self.size is None else self._at(size, self._magnitude)
            # Of a mean square near 1, which no type overflows.
            self._resampled[size] = Constant(mean / mean.square().mean().sqrt())
        return self._resampled[size].like(like)

    def _at(self, size: tuple[int, int], magnitude: Tensor) -> Tensor:
        return magnitude if size == self.size or self.size is None else resampled(magnitude, self.size, size)

    def _check(self, channels: int) -> None:
        if self._magnitude is not None and len(self._magnitude) != channels:
            raise ObjectiveError(
                f"the magnitude is of {len(self._magnitude)} channels and the picture has {channels}; make the canvas "
                "by MACO.of from images of the network's channels"
            )


def resampled(magnitude: Tensor, size: tuple[int, int], to: tuple[int, int]) -> Tensor:
    """The magnitude (C, H, W//2 + 1) of images of a size for pictures of another, at the same cycles per pixel.

    Linear between coefficients in both directions, after multiplication by the frequency: so that the steep slope
    towards low frequencies is not rounded off.
    """
    level = magnitude * frequencies(size)
    rows = torch.fft.fftfreq(to[0], dtype=torch.float64) * size[0]
    columns = (torch.fft.rfftfreq(to[1], dtype=torch.float64) * size[1]).clamp_max(magnitude.shape[2] - 1)
    above, left = rows.floor(), columns.floor()
    down, right = rows - above, columns - left
    total = torch.zeros(len(magnitude), to[0], len(columns), dtype=torch.float64)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = torch.outer(down if row else 1 - down, right if column else 1 - right)
        lines = (above + row).long() % size[0]  # rows are periodic
        places = (left + column).long().clamp_max(magnitude.shape[2] - 1)
        total += weight * level[:, lines][:, :, places]
    return total / frequencies(to)
