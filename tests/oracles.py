"""The papers' formulas written a second time, slowly and plainly, in float64."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.networks import Network


def act_times_grad(network: Network, images: Tensor, layer: str, place: tuple[int, int], label: int) -> Tensor:
    """Attribution of one logit to one position by the reverse mode: (N,)."""
    seen: list[Tensor] = []

    def cut(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_()
        seen.append(leaf)
        return leaf.clone()  # an in-place successor may not write into a leaf

    handle = dict(network.module.named_modules())[layer].register_forward_hook(cut)
    try:
        logits = network.module(network.preprocess(images))
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(logits[:, label].sum(), seen[-1])
    return (gradient * seen[-1]).detach()[:, :, place[0], place[1]].sum(dim=1)


def direction_value(h: Tensor, v: Tensor, power: float) -> float:
    """Dot product times cosine^power, floor 0.1, mean over the positions of one map (C, h, w)."""
    total = 0.0
    for row in range(h.shape[1]):
        for column in range(h.shape[2]):
            x = h[:, row, column]
            dot = sum(float(a) * float(b) for a, b in zip(x, v, strict=True))
            length = math.sqrt(sum(float(a) ** 2 for a in x))
            unit = math.sqrt(sum(float(b) ** 2 for b in v))
            total += dot / unit * max(0.1, dot / (length * unit)) ** power
    return total / (h.shape[1] * h.shape[2])


def fourier_picture(parameters: np.ndarray, height: int, width: int, decay: float) -> np.ndarray:
    """A picture (3, H, W) from a half spectrum (3, H, W//2+1, 2) by the sum over all frequencies."""
    spectrum = parameters[..., 0] + 1j * parameters[..., 1]
    picture = np.zeros((3, height, width))
    for channel in range(3):
        scaled = np.zeros((height, width // 2 + 1), dtype=complex)
        for row in range(height):
            vertical = (row if row <= (height - 1) // 2 else row - height) / height
            for column in range(width // 2 + 1):
                frequency = max(math.hypot(vertical, column / width), 1 / max(height, width))
                scaled[row, column] = spectrum[channel, row, column] * math.sqrt(height * width) / frequency**decay
        picture[channel] = np.fft.irfft2(scaled, s=(height, width)) / 4
    colours = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
    longest = max(math.sqrt(sum(colours[row, column] ** 2 for row in range(3))) for column in range(3))
    mixed = np.zeros_like(picture)
    for to in range(3):
        for of in range(3):
            mixed[to] += colours[to, of] / longest * picture[of]
    return 1 / (1 + np.exp(-mixed))


def grid_means(points: np.ndarray, values: np.ndarray, size: int, min_count: int) -> dict[tuple[int, int], np.ndarray]:
    """Mean of the values of each cell (row, column) that holds enough points."""
    cells: dict[tuple[int, int], list[np.ndarray]] = {}
    for (x, y), value in zip(points, values, strict=True):
        cell = (min(int(y * size), size - 1), min(int(x * size), size - 1))
        cells.setdefault(cell, []).append(value)
    return {cell: np.mean(members, axis=0) for cell, members in cells.items() if len(members) >= min_count}
