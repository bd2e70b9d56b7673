"""The loop: a picture is optimized until a network responds to it as the objective says."""

import functools
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam, Optimizer

from pellucid import pictures
from pellucid.errors import ObjectiveError
from pellucid.networks import Network, frozen
from pellucid.progress import progress_bar
from pellucid.visualize import transforms as moves
from pellucid.visualize.canvases import Canvas, Fourier
from pellucid.visualize.objectives import Activations, Objective, parse
from pellucid.visualize.transforms import Transform

OptimizerFactory = Callable[[list[Tensor]], Optimizer]


@dataclass(frozen=True)
class Rendering:
    """Pictures and how they came about.

    `images` (N, C, H, W) in [0, 1] on the CPU; `values` (N,) the objectives on the finished pictures, unmoved; `trace`
    (steps, N) the objectives at every step on the moved pictures; `snapshots` the pictures after so many steps.
    """

    images: Tensor
    values: Tensor
    trace: Tensor
    objectives: tuple[str, ...]
    snapshots: Mapping[int, Tensor] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def save(self, path: Path | str, *, columns: int | None = None) -> None:
        """Write the pictures to a `.png`, `.webp` or `.jpg` file, several as one sheet; a PNG also holds `about`."""
        path = Path(path)
        pixels = pictures.to_pixels(self.images)
        across = columns or math.ceil(math.sqrt(len(pixels)))
        about = {**self.about, "values": [round(value, 6) for value in self.values.tolist()]}
        pictures.save(path, pictures.sheet(pixels, across, gap=4 if len(pixels) > 1 else 0, background=255), about)
        for step, images in self.snapshots.items():
            image = pictures.sheet(pictures.to_pixels(images), across, gap=4 if len(pixels) > 1 else 0, background=255)
            pictures.save(path.with_stem(f"{path.stem}-step{step}"), image, {**about, "step": step})


def render(
    network: Network,
    objectives: Objective | str | Sequence[Objective | str],
    *,
    steps: int = 256,
    size: int | tuple[int, int] | None = None,
    seed: int | Sequence[int] = 0,
    canvas: Canvas | None = None,
    transforms: Sequence[Transform] | None = None,
    optimizer: OptimizerFactory | None = None,
    snapshots: Sequence[int] = (),
    batch: int = 16,
    progress: bool = False,
) -> Rendering:
    """Optimize a picture for each objective.

    `objectives` is one objective or several, as text (`"blocks.3.1.bn2:17"`) or built from `channel`, `neuron`,
    `direction` and `cosine`; several are rendered together, `batch` at a time. `size` is the picture's side or
    (height, width) in pixels, default the network's input. `canvas` is `Fourier()`, `transforms` are Lucid's (none:
    `()`), and `optimizer` makes an optimizer from a list of parameters, Adam at a rate of 0.05. `snapshots` keeps the
    pictures after the given numbers of steps.

    The start and the movements of a picture are drawn from its own `seed` (one for all, or one for each) and its
    objective: it comes out the same alone and in any batch, up to the rounding of floating-point sums.

    The method is that of Olah, Mordvintsev and Schubert, Feature Visualization (Distill 2017). Raises
    `ObjectiveError` or `LayerError` for an objective that the network cannot serve; an error of the network itself
    comes through as it is.
    """
    given = [objectives] if isinstance(objectives, Objective | str) else list(objectives)
    items = [parse(item) if isinstance(item, str) else item for item in given]
    if not items:
        raise ObjectiveError("nothing to render: give at least one objective")
    if steps < 0 or batch < 1:
        raise ObjectiveError(f"steps = {steps} must not be negative and batch = {batch} must be positive")
    for item in items:
        item.check(network)
    shape = network.size if size is None else (size, size) if isinstance(size, int) else (size[0], size[1])
    if min(shape) < 1:
        raise ObjectiveError(f"a picture of {shape[0]}x{shape[1]} pixels cannot be rendered")
    seeds = [seed] * len(items) if isinstance(seed, int) else list(seed)
    if len(seeds) != len(items):
        raise ObjectiveError(f"{len(seeds)} seeds are given for {len(items)} objectives; give one, or one for each")
    run = _Run(
        network,
        shape,
        steps,
        canvas if canvas is not None else Fourier(),
        moves.standard(shape) if transforms is None else tuple(transforms),
        optimizer if optimizer is not None else functools.partial(Adam, lr=0.05),
        frozenset(snapshots),
    )
    chunks = []
    with progress_bar("rendering", steps * len(items), shown=progress) as advance, frozen(network.module):
        for at in range(0, len(items), batch):
            chunks.append(run.chunk(items[at : at + batch], seeds[at : at + batch], advance))
    names = tuple(str(item) for item in items)
    about = {
        "network": network.name,
        "objectives": list(names),
        "seed": seed if isinstance(seed, int) else seeds,
        "steps": steps,
        "size": list(shape),
        "canvas": repr(run.canvas),
        "transforms": [repr(transform) for transform in run.transforms],
    }
    kept = {step: torch.cat([chunk[3][step] for chunk in chunks]) for step in chunks[0][3]}
    images, values = (torch.cat([chunk[part] for chunk in chunks]) for part in (0, 1))
    return Rendering(images, values, torch.cat([chunk[2] for chunk in chunks], dim=1), names, kept, about)


@dataclass(frozen=True)
class _Run:
    """What is the same for every chunk."""

    network: Network
    size: tuple[int, int]
    steps: int
    canvas: Canvas
    transforms: tuple[Transform, ...]
    optimizer: OptimizerFactory
    snapshots: frozenset[int]

    def chunk(
        self, objectives: list[Objective], seeds: list[int], advance: Callable[[int], None]
    ) -> tuple[Tensor, Tensor, Tensor, dict[int, Tensor]]:
        """Render some objectives as one batch: pictures, values, trace and snapshots."""
        starts, movements = zip(*(_generators(*item) for item in zip(seeds, objectives, strict=True)), strict=True)
        dtype = torch.promote_types(self.network.dtype, torch.float32)
        parameters = self.canvas.start(self.size, self.network.channels, starts, dtype).to(self.network.device)
        parameters.requires_grad_()
        optimizer = self.optimizer([parameters])
        values_of = _together(objectives)
        layers = frozenset().union(*(objective.layers for objective in objectives))
        kept: dict[int, Tensor] = {}
        trace: list[Tensor] = []
        with torch.inference_mode(False), torch.enable_grad():
            for step in range(self.steps):
                images = self.canvas.pictures(parameters, self.size)
                if step in self.snapshots:
                    kept[step] = images.detach().cpu()
                seen = images
                if self.transforms:
                    seen = moves.view(images, moves.draw(self.transforms, movements), self.transforms)
                values = values_of(self._activations(seen, layers))
                if not values.requires_grad:
                    raise ObjectiveError(f"{objectives[0]} does not depend on the picture: no gradient reaches it")
                (parameters.grad,) = torch.autograd.grad(-values.sum(), parameters)
                optimizer.step()
                trace.append(values.detach())
                advance(len(objectives))
        with torch.no_grad():
            images = self.canvas.pictures(parameters, self.size)
            values = values_of(self._activations(images, layers)).cpu()
        if self.steps in self.snapshots:
            kept[self.steps] = images.cpu()
        history = torch.stack(trace).cpu() if trace else values.new_zeros(0, len(objectives))
        _refuse_nan(objectives, history, values)
        return images.cpu(), values, history, kept

    def _activations(self, images: Tensor, layers: frozenset[str]) -> Activations:
        images = images.to(self.network.dtype).contiguous(memory_format=torch.channels_last)
        outputs = self.network.activations(images, sorted(layers))
        return {name: self.network.layer(name).maps(output) for name, output in outputs.items()}


def _generators(seed: int, objective: Objective) -> tuple[torch.Generator, torch.Generator]:
    """The sources of an item's start and of its movements, from its seed and what it is for."""
    sources = []
    for purpose in ("start", "transforms"):
        hashed = hashlib.sha256(f"{seed}|{objective}|{purpose}".encode()).digest()
        sources.append(torch.Generator().manual_seed(int.from_bytes(hashed[:8], "big") >> 1))
    return sources[0], sources[1]


def _together(objectives: list[Objective]) -> Callable[[Activations], Tensor]:
    """One function that gives picture i the value of objective i."""
    stacked = objectives[0].stack(objectives)
    if stacked is not None:
        return stacked

    def values(activations: Activations) -> Tensor:
        own = [
            objective({name: maps[index : index + 1] for name, maps in activations.items()})
            for index, objective in enumerate(objectives)
        ]
        return torch.cat(own)

    return values


def _refuse_nan(objectives: list[Objective], trace: Tensor, values: Tensor) -> None:
    for index, objective in enumerate(objectives):
        history = torch.cat([trace[:, index], values[index : index + 1]])
        if not bool(history.isfinite().all()):
            step = int((~history.isfinite()).nonzero()[0])
            raise ObjectiveError(
                f"{objective} became {float(history[step])} at step {step}: the network gave no number"
            )
