import numpy as np
import pytest
import torch

from oracles import fourier_picture
from pellucid.visualize import Fourier


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (9, 5), (6, 11), (1, 4)])
@pytest.mark.parametrize("decay", [1.0, 1.5])
def test_fourier_is_the_formula(size: tuple[int, int], decay: float) -> None:
    canvas = Fourier(deviation=0.3, decay=decay)
    parameters = canvas.start(size, 3, generators(1, 2), torch.float64)
    pictures = canvas.pictures(parameters, size)
    assert pictures.shape == (2, 3, *size)
    for item in range(2):
        truth = fourier_picture(parameters[item].numpy(), *size, decay)
        np.testing.assert_allclose(pictures[item].numpy(), truth, atol=1e-12)


def test_every_frequency_starts_with_the_energy_that_photographs_give_it() -> None:
    size = (128, 128)
    canvas = Fourier(deviation=0.001)  # small: the sigmoid is a straight line
    pictures = canvas.pictures(canvas.start(size, 3, generators(*range(8)), torch.float64), size)
    power = torch.fft.fft2(pictures.mean(dim=1)).abs().pow(2).mean(dim=0)
    frequency = torch.fft.fftfreq(128, dtype=torch.float64).square()[:, None] + torch.fft.fftfreq(128).square()[None]
    rings = [(0.02, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.4)]
    mean = [power[(frequency.sqrt() > low) & (frequency.sqrt() <= high)].mean().log() for low, high in rings]
    center = [torch.tensor((low + high) / 2).log() for low, high in rings]
    slope = (mean[-1] - mean[0]) / (center[-1] - center[0])
    assert -2.3 < float(slope) < -1.7  # amplitude 1/f is power 1/f^2


def test_each_item_has_its_own_start() -> None:
    canvas = Fourier()
    together = canvas.start((16, 12), 3, generators(5, 6, 7), torch.float64)
    for item, seed in enumerate((5, 6, 7)):
        assert torch.equal(canvas.start((16, 12), 3, generators(seed), torch.float64)[0], together[item])
    assert not torch.equal(together[0], together[1])


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_numbers_of_channels(channels: int) -> None:
    canvas = Fourier()
    pictures = canvas.pictures(canvas.start((6, 8), channels, generators(0), torch.float32), (6, 8))
    assert pictures.shape == (1, channels, 6, 8)
    assert float(pictures.min()) > 0
    assert float(pictures.max()) < 1
