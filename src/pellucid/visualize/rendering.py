"""What a run gives: pictures and how they came about."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pellucid import pictures
from pellucid.errors import ObjectiveError


@dataclass(frozen=True)
class Rendering:
    """Pictures and how they came about.

    `images` (N, C, H, W) in [0, 1] on the CPU; `values` (N,) the objectives on the finished pictures, unmoved; `trace`
    (steps, N) the objectives at every step on the moved pictures, NaN after a callback's stop; `snapshots` the pictures
    after so many steps. `strength` (N, H, W) is how much of the objectives' gradient each pixel received over all steps
    and channels, in absolute numbers. `silent` are the indices of pictures to which no gradient came at the end: they
    show nothing of their objective; `ceiling` of those to which none came since the objective cannot rise: the start
    is at its ceiling, as that of a ReLU6, which any picture like it reaches.
    """

    images: Tensor
    values: Tensor
    trace: Tensor
    objectives: tuple[str, ...]
    snapshots: Mapping[int, Tensor] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    strength: Tensor = field(default_factory=lambda: torch.zeros(0, 0, 0))
    silent: tuple[int, ...] = ()
    ceiling: tuple[int, ...] = ()

    def opacity(self, *, low: float = 0.1, high: float = 0.9) -> Tensor:
        """The pictures' opacity from where gradient went, as MACO shows it (Fel et al. 2023): (N, H, W) in [0, 1].

        `strength` between its quantiles `low` and `high` in each picture, linearly. For display only.
        """
        flat = self.strength.flatten(1)
        bottom, top = (torch.quantile(flat, share, dim=1)[:, None, None] for share in (low, high))
        return ((self.strength - bottom) / (top - bottom).clamp_min(1e-12)).clamp(0, 1)

    def save(self, path: Path | str, *, columns: int | None = None, opacity: bool = False) -> None:
        """Write the pictures to a `.png`, `.webp` or `.jpg` file, several as one sheet; a PNG also holds `about`.

        `opacity` adds that of `opacity()` to PNG and WebP. Snapshots go beside the file. Pictures of other than one to
        four channels are written as an array, `.npy`. Raises `PellucidError` if the file cannot be written.
        """
        path = Path(path)
        images = self.images
        if opacity:
            if images.shape[1] not in (1, 3):
                raise ObjectiveError(f"opacity goes with one or three channels; these have {images.shape[1]}")
            images = torch.cat([images.expand(-1, 3, -1, -1), self.opacity()[:, None]], dim=1)
        about = {**self.about, "values": [round(value, 6) for value in self.values.tolist()]}
        across = columns or math.ceil(math.sqrt(len(images)))
        pictures.save_sheet(path, images, across, about)
        for step, before in self.snapshots.items():
            pictures.save_sheet(path.with_stem(f"{path.stem}-step{step}"), before, across, {**about, "step": step})
