"""A small network that tells visualizations from natural images."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.errors import NetworkError


class Detector(nn.Module):
    """Says of images (N, C, H, W) in [0, 1] how surely each is a visualization: (N,) in [0, 1].

    Two strided convolutions, the mean and the deviation over places, and a linear reading of both.
    """

    def __init__(self, channels: int = 3, width: int = 16) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 5, stride=2, padding=2)
        self.second = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.head = nn.Linear(2 * width, 1)

    def forward(self, images: Tensor) -> Tensor:
        """The probabilities."""
        return torch.sigmoid(self.logits(images))

    def logits(self, images: Tensor) -> Tensor:
        """Before the sigmoid: (N,)."""
        maps = F.relu(self.second(F.relu(self.first(images - 0.5)))).flatten(2)
        return self.head(torch.cat([maps.mean(dim=2), maps.var(dim=2).add(1e-8).sqrt()], dim=1))[:, 0]


def train_detector(
    natural: Tensor,
    pictures: Tensor,
    *,
    generator: torch.Generator,
    steps: int = 300,
    batch: int = 16,
    learning_rate: float = 3e-3,
) -> Detector:
    """Train a detector on natural images (M, C, H, W) and visualizations (N, C, H, W) of the same form.

    The visualizations should be of all stages of an optimization, from its first noise on: the circuit that asks the
    detector is in the way from the start. Cross-entropy, as many of each in a step, Adam. All that is random comes of
    `generator`.
    """
    if len(natural) == 0 or len(pictures) == 0 or natural.shape[1:] != pictures.shape[1:]:
        raise NetworkError(
            f"natural images {tuple(natural.shape)} and visualizations {tuple(pictures.shape)} must be of one form"
        )
    detector = Detector(natural.shape[1])
    with torch.no_grad():
        for part in detector.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                fan = part.weight[0].numel()
                part.weight.copy_(torch.randn(part.weight.shape, generator=generator) * math.sqrt(2 / fan))
                assert part.bias is not None
                part.bias.zero_()
    detector = detector.to(natural.device, natural.dtype)
    optimizer = torch.optim.Adam(detector.parameters(), lr=learning_rate)
    truth = torch.cat([torch.zeros(batch), torch.ones(batch)]).to(natural)
    for _ in range(steps):
        chosen = [some[torch.randint(len(some), (batch,), generator=generator)] for some in (natural, pictures)]
        with torch.enable_grad():
            loss = F.binary_cross_entropy_with_logits(detector.logits(torch.cat(chosen)), truth)
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
    return detector.eval().requires_grad_(False)


def detect_accuracy(detector: nn.Module, natural: Tensor, pictures: Tensor, *, batch: int = 32) -> float:
    """The share of images that a detector is right about, natural ones and visualizations counting alike."""

    def share(images: Tensor, is_picture: bool) -> float:
        with torch.no_grad():
            said = torch.cat([detector(part) for part in images.split(batch)]) > 0.5
        return float((said == is_picture).double().mean())

    return (share(natural, False) + share(pictures, True)) / 2
