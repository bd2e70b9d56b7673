"""What one's own images say of colours and frequencies."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pellucid.errors import ImagesError
from pellucid.shapes import Matrix, Vector
from pellucid.visualize.canvases.colours import Colours
from pellucid.visualize.responses import ImageSource, batches

_AT_ONCE = 64  # images
_NONE = 1e-10  # of the largest variance: a colour that varies less does not occur


def _parts(images: ImageSource) -> Iterator[Tensor]:
    """Batches (n, C, H, W) of images of as many channels, in float64 on the CPU."""
    channels = None
    for batch in batches(images, _AT_ONCE):
        if batch.shape[1] != (channels := channels or batch.shape[1]):
            raise ImagesError(f"images of {channels} and of {batch.shape[1]} channels have no statistics in common")
        yield batch.detach().double().cpu()


def colour_moments(images: ImageSource) -> tuple[Vector, Matrix]:
    """The mean (C,) and the covariance (C, C) of the colours of all pixels."""
    count, total, square = 0, torch.zeros(()).double(), torch.zeros(()).double()
    for batch in _parts(images):
        pixels = batch.transpose(0, 1).flatten(1)
        count += pixels.shape[1]
        total = total + pixels.sum(dim=1)
        square = square + pixels @ pixels.T
    mean = total / count
    return mean, square / count - torch.outer(mean, mean)


def colour_square_root(images: ImageSource) -> Matrix:
    """A square root S (C, C) of the centred covariance of the images' colours, S·Sᵀ, for `colours=`.

    `images` is (N, C, H, W) in [0, 1], or an iterable of such batches, of any number of channels. Column i is principal
    axis i, the widest first, times its standard deviation; its largest entry is positive. Colours that never occur have
    columns of zeros. Raises `ImagesError` if there are no images, or if they do not vary.
    """
    return square_root(colour_moments(images)[1])


def square_root(covariance: Matrix) -> Matrix:
    """The principal axes of a covariance as columns, each of the length of its standard deviation, the widest first."""
    variances, axes = torch.linalg.eigh(covariance)
    variances, axes = variances.flip(0), axes.flip(1)
    if float(variances[0]) <= 1e-12:
        raise ImagesError("the images are of one even colour; there are no colours to decorrelate")
    variances = torch.where(variances > _NONE * variances[0], variances, 0.0)
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
    return axes * largest.sign() * variances.sqrt()


def mean_magnitude(images: ImageSource, mean: Vector, colours: Colours) -> tuple[Tensor, tuple[int, int]]:
    """The mean of |spectrum| over images, less their mean colour and decorrelated: (C, H, W//2 + 1), and (H, W)."""
    count, total, size = 0, torch.zeros(()).double(), None
    for batch in _parts(images):
        if tuple(batch.shape[2:]) != (size := size or (batch.shape[2], batch.shape[3])):
            raise ImagesError(
                f"images of {size[0]}x{size[1]} and {batch.shape[2]}x{batch.shape[3]} pixels have no mean spectrum; "
                "cut all of them to one size"
            )
        spectrum = torch.fft.rfft2(colours.decorrelate(batch - mean[:, None, None]))
        count += len(batch)
        total = total + spectrum.abs().sum(dim=0)
    assert size is not None
    return total / count, size
