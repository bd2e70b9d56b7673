"""Linear attribution written a second time: a network of plain loops with its masks listed, probed neuron by neuron."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Branching(nn.Module):
    """A stem, then a bottleneck with a ceiling, a pooled branch and a projected skip connection, rectified together."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.narrow = nn.Conv2d(4, 3, 1)
        self.norm = nn.BatchNorm2d(3)
        self.bounded = nn.ReLU6(inplace=True)
        self.wide = nn.Conv2d(3, 2, 3, padding=1)
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.pooled = nn.Conv2d(4, 2, 1)
        self.skip = nn.Conv2d(4, 4, 1, bias=False)
        self.out = nn.ReLU(inplace=True)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x)
        a = self.wide(self.bounded(self.norm(self.narrow(h))))
        b = self.pooled(self.pool(h))
        y = torch.cat([a, b], dim=1) + self.skip(h)
        return self.head(self.out(y).mean(dim=(2, 3)))


def branching(seed: int = 0) -> Branching:
    """The same with random weights, normalizations with statistics of their own, and a ceiling that is reached."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = Branching().double().eval().requires_grad_(False)
        for norm in (module.stem[1], module.norm):
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            nn.init.normal_(norm.running_mean)
            nn.init.uniform_(norm.running_var, 0.2, 2)
            nn.init.normal_(norm.weight, 2, 1)
            nn.init.normal_(norm.bias, 1, 2)
        with torch.no_grad():
            module.narrow.weight *= 6
    return module


def frozen_branching(module: Branching, h0: Tensor, unit: int, row: int, column: int) -> Callable[[Tensor], float]:
    """The unit before its rectifier as a function of the stem's output (4, h, w), all masks as they are at h0."""
    height, width = h0.shape[1:]
    mean, scale, shift = (value.tolist() for value in _affine(module.norm))
    narrow, bias = module.narrow.weight[:, :, 0, 0].tolist(), module.narrow.bias.tolist()  # pyright: ignore

    def squeezed(h: Tensor, k: int, y: int, x: int) -> float:
        total = bias[k] + sum(narrow[k][c] * float(h[c, y, x]) for c in range(4))
        return (total - mean[k]) * scale[k] + shift[k]

    state = {
        (k, y, x): "low" if (z := squeezed(h0, k, y, x)) <= 0 else "high" if z >= 6 else "between"
        for k in range(3)
        for y in range(height)
        for x in range(width)
    }
    largest = {
        (c, y, x): max(
            ((float(h0[c, i, j]), -i, -j) for i, j in _window(y, x, height, width)),
        )
        for c in range(4)
        for y in range(height)
        for x in range(width)
    }

    def value(h: Tensor) -> float:
        total = sum(float(module.skip.weight[unit, c, 0, 0]) * float(h[c, row, column]) for c in range(4))
        if unit < 2:
            total += float(module.wide.bias[unit])  # pyright: ignore
            for i, j in _window(row, column, height, width):
                for k in range(3):
                    kind = state[k, i, j]
                    held = {"low": 0.0, "high": 6.0}.get(kind)
                    passed = squeezed(h, k, i, j) if held is None else held
                    total += float(module.wide.weight[unit, k, i - row + 1, j - column + 1]) * passed
            return total
        total += float(module.pooled.bias[unit - 2])  # pyright: ignore
        for c in range(4):
            _, i, j = largest[c, row, column]
            total += float(module.pooled.weight[unit - 2, c, 0, 0]) * float(h[c, -i, -j])
        return total

    return value


def probed(value: Callable[[Tensor], float], like: Tensor) -> tuple[Tensor, float]:
    """The weights and the constant of an affine function, one neuron after the other."""
    constant = value(torch.zeros_like(like))
    weights = torch.zeros(like.numel(), dtype=like.dtype)
    for index in range(like.numel()):
        one = torch.zeros(like.numel(), dtype=like.dtype)
        one[index] = 1
        weights[index] = value(one.reshape(like.shape)) - constant
    return weights.reshape(like.shape), constant


def window_weights(kernel: Tensor, maps: Tensor, row: int, column: int) -> Tensor:
    """W · h of a convolution (C, k, k) padded by k // 2 at one position of maps (C, h, w), written into a map."""
    reach = kernel.shape[1] // 2
    result = torch.zeros_like(maps)
    for i in range(kernel.shape[1]):
        for j in range(kernel.shape[2]):
            y, x = row + i - reach, column + j - reach
            if 0 <= y < maps.shape[1] and 0 <= x < maps.shape[2]:
                result[:, y, x] = kernel[:, i, j] * maps[:, y, x]
    return result


def tent(maps: list[list[float]], stride: int, y: int, x: int) -> float:
    """A map at a pixel, linear between the middles of its cells: the first at pixel 0, the others a stride apart."""
    total = 0.0
    for i, row in enumerate(maps):
        for j, value in enumerate(row):
            total += value * max(0.0, 1 - abs(y / stride - i)) * max(0.0, 1 - abs(x / stride - j))
    return total


def frozen_pass(module: Branching, images: Tensor) -> Tensor:
    """The stem's output."""
    return F.relu(module.stem[1](module.stem[0](images)))


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor, Tensor]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean, norm.weight / (norm.running_var + norm.eps).sqrt(), norm.bias


def _window(y: int, x: int, height: int, width: int) -> list[tuple[int, int]]:
    places = [(i, j) for i in (y - 1, y, y + 1) for j in (x - 1, x, x + 1)]
    return [(i, j) for i, j in places if 0 <= i < height and 0 <= j < width]
