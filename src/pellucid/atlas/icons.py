"""Drawing the icon of every cell: a picture whose centre gives the cell's mean activation."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pellucid.atlas.gathered import blocks
from pellucid.atlas.icon_engines import IconBatch, IconEngine, LocalIcons
from pellucid.atlas.icon_objectives import check_objective, icon_objective, wants_metric
from pellucid.atlas.jittered import as_images, jittered_cosines
from pellucid.atlas.movements import check_movements, movements
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.pictures import to_pixels
from pellucid.study import writing
from pellucid.visualize import Objective, render

_AT_ONCE = 8  # pictures in a pass on a processor


@dataclass(frozen=True)
class IconConfig:
    """How icons are drawn: `size` pixels a side, `steps` steps.

    `objective` is one of `OBJECTIVES`: "cosine", the dot product times the true cosine to `power`, and times the cosine
    of what is left when the mean activation is taken away, to `apart` (0: without it); "dot", the dot product alone;
    "near", that less half the squared length, which is largest at the cell's mean itself; "whitened", dot product and
    cosine in the space in which the harvested activations have unit covariance; "lucid", whitened as Lucid wrote it,
    where the power has no effect. Covariances have a ridge of `ridge` times the mean variance.

    `movements` are those of the "article", of "lucid", or "none"; in the last steps, a share `settle` of all, nothing
    moves. Of `tries` pictures the one is kept that stays nearest to its cell while it is moved about. With
    `from_parent` a level finer than the coarsest starts from the icons of the coarser one and takes `child_steps`
    steps. Defaults follow measurements on a rectified layer of EfficientNet-Lite0 (docs). `batch` icons are drawn
    together; they do not depend on it.
    """

    size: int = 96
    steps: int = 96
    objective: str = "cosine"
    power: float = 4.0
    apart: float = 1.0
    movements: str = "article"
    settle: float = 0.3
    tries: int = 1
    from_parent: bool = False
    child_steps: int = 48
    ridge: float = 1e-2
    batch: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        check_objective(self.objective)
        check_movements(self.movements)
        for name in ("size", "steps", "tries", "child_steps", "batch"):
            if getattr(self, name) < 1:
                raise AtlasError(f"{name} = {getattr(self, name)} of the icons must be at least 1")
        if not 0 <= self.settle <= 1:
            raise AtlasError(f"settle = {self.settle} of the icons is a share of their steps, from 0 to 1")
        for name in ("power", "apart", "ridge"):
            if not getattr(self, name) >= 0:
                raise AtlasError(f"{name} = {getattr(self, name)} of the icons must not be negative")

    @property
    def whiten(self) -> bool:
        """Whether the objective needs the activations' covariance, as `whitening` gives it."""
        return wants_metric(self.objective)


@dataclass(frozen=True, eq=False)
class Parents:
    """The icons of a coarser level, (P, s, s, 3), and which of them each cell starts from, (M,); -1 for none."""

    icons: NDArray[np.uint8]
    of: NDArray[np.int64]


Cells = tuple[NDArray[np.int64], NDArray[np.int64], int]  # rows, columns, cells a side of the grid


def parent_cells(coarse: Cells, fine: Cells) -> NDArray[np.int64]:
    """The cell of a coarser grid that holds the centre of each cell of a finer one, -1 where none is drawn: (M,)."""
    rows, columns, size = coarse
    index = np.full((size, size), -1, dtype=np.int64)
    index[rows, columns] = np.arange(len(rows))
    return index[tuple(((2 * place + 1) * size) // (2 * fine[2]) for place in fine[:2])]


@dataclass(frozen=True, eq=False)
class IconWork:
    """Draws batches of icons with whatever network it is given; a value that may be sent to other machines."""

    layer: str
    config: IconConfig
    metric: Tensor | None = None
    center: Tensor | None = None

    def __call__(self, network: Network, batch: IconBatch) -> NDArray[np.uint8]:
        """The icons of a batch: (n, size, size, 3)."""
        # The thread is one that an engine made for this. Denormal numbers cost time, and are nothing to be seen.
        torch.set_flush_denormal(True)
        means = torch.from_numpy(batch.means)
        objectives = [self.objective(mean) for mean in means]
        tries = [self._drawn(network, objectives, batch.starts, number) for number in range(self.config.tries)]
        if len(tries) == 1:
            return tries[0]
        names = [f"{self.config.seed}|{objective}" for objective in objectives]
        metric = self.metric if self.config.whiten else None
        scores = [jittered_cosines(network, self.layer, pixels, means, names, metric) for pixels in tries]
        best = torch.stack(scores).argmax(dim=0)
        return np.stack([tries[int(number)][index] for index, number in enumerate(best)])

    def objective(self, mean: Tensor) -> Objective:
        """What the icon of a cell with this mean is drawn for."""
        config = self.config
        return icon_objective(config.objective, self.layer, mean, config.power, self.metric, config.apart, self.center)

    def _drawn(
        self, network: Network, objectives: list[Objective], starts: NDArray[np.uint8] | None, number: int
    ) -> NDArray[np.uint8]:
        config = self.config
        steps = config.steps if starts is None else config.child_steps
        drawn = render(
            network,
            objectives,
            steps=steps,
            size=config.size,
            seed=config.seed + number,
            init=None if starts is None else _as_start(starts, config.size, network.channels),
            transforms=movements(config.movements, config.size, config.settle),
            # A processor's convolutions of 16 pictures and more round in another way than those of fewer.
            batch=_AT_ONCE if network.device.type == "cpu" else len(objectives),
        )
        return to_pixels(drawn.images)


def draw_icons(
    network: Network,
    layer: str,
    means: NDArray[np.float32],
    config: IconConfig,
    folder: Path,
    advance: Callable[[int], None],
    metric: Tensor | None = None,
    *,
    center: NDArray[np.float32] | None = None,
    parents: Parents | None = None,
    engine: IconEngine | None = None,
) -> NDArray[np.uint8]:
    """The icons of cells with mean activations (M, C): (M, size, size, 3).

    Finished batches lie in `folder` until all are drawn, so that a run that is stopped goes on from there. `metric` is
    what `whitening` gives, for the objectives that want it, `center` the mean of all activations, (C,), by default that
    of the cells. `parents` are what `config.from_parent` starts from; `engine` is where the work is done, by default
    this process.
    """
    if config.whiten and metric is None:
        raise AtlasError(f"the objective {config.objective!r} needs the activations' whitening")
    parents = parents if config.from_parent else None
    icons = np.zeros((len(means), config.size, config.size, 3), dtype=np.uint8)
    done = _read_parts(folder, icons)
    advance(int(done.sum()))

    def keep(batch: IconBatch, pixels: NDArray[np.uint8]) -> None:
        icons[batch.cells] = pixels
        with (
            writing(folder / f"{batch.cells[0]:06d}-{len(batch.cells)}.npz") as temporary,
            temporary.open("wb") as file,
        ):
            np.savez(file, cells=batch.cells, icons=pixels)
        advance(len(batch.cells))

    batches = [_batch(cells, means, parents) for cells in _chunks(done, config.batch, parents)]
    if batches:
        common = means.astype(np.float64).mean(axis=0) if center is None else center
        work = IconWork(layer, config, metric, torch.from_numpy(common.astype(np.float32)))
        (engine or LocalIcons()).run(network, work, batches, keep)
    return icons


def _chunks(done: NDArray[np.bool_], batch: int, parents: Parents | None) -> list[NDArray[np.int64]]:
    """The cells that are left, in batches whose borders do not depend on what is there already."""
    groups = [np.arange(len(done))]
    if parents is not None:
        groups = [np.flatnonzero(parents.of >= 0), np.flatnonzero(parents.of < 0)]
    chunks = [group[at : at + batch] for group in groups for at in range(0, len(group), batch)]
    return [left for chunk in chunks if len(left := chunk[~done[chunk]])]


def _batch(cells: NDArray[np.int64], means: NDArray[np.float32], parents: Parents | None) -> IconBatch:
    started = parents is not None and bool(parents.of[cells[0]] >= 0)
    return IconBatch(cells, means[cells], parents.icons[parents.of[cells]] if parents and started else None)


def _read_parts(folder: Path, icons: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Put the finished batches in their places, and say which cells they are."""
    done = np.zeros(len(icons), dtype=bool)
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as part:
            icons[part["cells"]] = part["icons"]
            done[part["cells"]] = True
    return done


def _as_start(pixels: NDArray[np.uint8], size: int, channels: int) -> Tensor:
    if pixels.shape[1:3] != (size, size):
        resized = [Image.fromarray(one).resize((size, size), Image.Resampling.BICUBIC) for one in pixels]
        pixels = np.stack([np.asarray(one) for one in resized])
    return as_images(pixels, channels)


def forget_parts(folder: Path) -> None:
    """Remove the finished batches of a level whose sheet is written."""
    shutil.rmtree(folder, ignore_errors=True)


def whitening(activations: NDArray, ridge: float) -> Tensor:
    """C^-1/2 of the activations' uncentred covariance C = XᵀX/N + ridge·tr(C)/d·I, in float64: (C, C)."""
    total = np.zeros((activations.shape[1], activations.shape[1]))
    for part in blocks(activations):
        exact = part.astype(np.float64)
        total += exact.T @ exact
    covariance = torch.from_numpy(total / len(activations))
    covariance += ridge * covariance.trace() / len(covariance) * torch.eye(len(covariance), dtype=torch.float64)
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp_min(1e-12).rsqrt()) @ vectors.T


def mean_activation(activations: NDArray) -> NDArray[np.float32]:
    """The mean of activations (N, C), block by block in double precision: (C,)."""
    total = np.zeros(activations.shape[1])
    for part in blocks(activations):
        total += part.astype(np.float64).sum(axis=0)
    return (total / len(activations)).astype(np.float32)


def describe(config: IconConfig) -> dict[str, Any]:
    """What of the configuration decides what icons look like."""
    said = asdict(config)
    del said["batch"]
    if not config.whiten:
        del said["ridge"]
    if not config.from_parent:
        del said["child_steps"]
    return said
