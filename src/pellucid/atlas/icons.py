"""Drawing the icon of every cell: a picture whose centre gives the cell's mean activation."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.networks import Network
from pellucid.pictures import to_pixels
from pellucid.study import writing
from pellucid.visualize import Jitter, Objective, Rotate, Scale, Transform, direction, render


@dataclass(frozen=True)
class IconConfig:
    """How icons are drawn: `size` pixels a side, `steps` steps, dot product times the cosine to `power`.

    `whiten` measures both in the space in which the harvested activations have unit covariance, with a ridge of
    `ridge` times the mean variance. Defaults follow measurements on a rectified layer of EfficientNet-Lite0 (docs).
    """

    size: int = 96
    steps: int = 192
    power: float = 4.0
    whiten: bool = False
    ridge: float = 1e-2
    batch: int = 16
    seed: int = 0


def icon_transforms() -> tuple[Transform, ...]:
    """The movements of the Activation Atlas's icons: small shifts, little scaling, up to 20 degrees (Lucid)."""
    scales = [0.995**n for n in range(-5, 80)] + 2 * [0.998**n for n in range(20, 40)]
    angles = [*range(-20, 20), *range(-10, 10), *range(-5, 5), 0, 0, 0, 0, 0]
    return (Jitter(4), Jitter(4), Jitter(8), Jitter(8), Jitter(8), Scale(scales), Rotate(angles), Jitter(2))


def draw_icons(
    network: Network,
    layer: str,
    means: NDArray[np.float32],
    config: IconConfig,
    folder: Path,
    advance: Callable[[int], None],
    metric: Tensor | None = None,
) -> NDArray[np.uint8]:
    """The icons of cells with mean activations (M, C): (M, size, size, 3).

    Finished batches lie in `folder` until all are drawn, so that a run that is stopped goes on from there.
    """
    parts = []
    for number, at in enumerate(range(0, len(means), config.batch)):
        path = folder / f"{number:05d}.npy"
        some = means[at : at + config.batch]
        if not path.exists():
            objectives: list[Objective] = [
                direction(layer, torch.from_numpy(mean), power=config.power, position="center", metric=metric)
                for mean in some
            ]
            drawn = render(
                network,
                objectives,
                steps=config.steps,
                size=config.size,
                seed=config.seed,
                transforms=icon_transforms(),
                batch=config.batch,
            )
            with writing(path) as temporary, temporary.open("wb") as file:
                np.save(file, to_pixels(drawn.images))
        parts.append(np.load(path))
        advance(len(some))
    return np.concatenate(parts)


def forget_parts(folder: Path) -> None:
    """Remove the finished batches of a level whose sheet is written."""
    shutil.rmtree(folder, ignore_errors=True)


def whitening(activations: NDArray, ridge: float) -> Tensor:
    """C^-1/2 of the activations' uncentred covariance C = XᵀX/N + ridge·tr(C)/d·I, in float64: (C, C)."""
    total = np.zeros((activations.shape[1], activations.shape[1]))
    for at in range(0, len(activations), 8192):
        part = activations[at : at + 8192].astype(np.float64)
        total += part.T @ part
    covariance = torch.from_numpy(total / len(activations))
    covariance += ridge * covariance.trace() / len(covariance) * torch.eye(len(covariance), dtype=torch.float64)
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp_min(1e-12).rsqrt()) @ vectors.T


def describe(config: IconConfig) -> dict[str, Any]:
    """What of the configuration decides what icons look like."""
    return {
        "size": config.size,
        "steps": config.steps,
        "power": config.power,
        "whiten": config.ridge if config.whiten else None,
        "batch": config.batch,
        "seed": config.seed,
    }
