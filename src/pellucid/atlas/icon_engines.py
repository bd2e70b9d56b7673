"""Where icons are drawn: in this process, or on a Ray cluster."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.networks import Network
from pellucid.networks.lanes import in_lanes


@dataclass(frozen=True, eq=False)
class IconBatch:
    """Cells whose icons are drawn together: their numbers, their means (n, C), the pictures to start from or none."""

    cells: NDArray[np.int64]
    means: NDArray[np.float32]
    starts: NDArray[np.uint8] | None = None


Draws = Callable[[Network, IconBatch], NDArray[np.uint8]]  # (n, size, size, 3)
Keep = Callable[[IconBatch, NDArray[np.uint8]], None]


class IconEngine(ABC):
    """Draws batches of icons; how many at once, and on which machines, is its own affair."""

    @abstractmethod
    def run(self, network: Network, work: Draws, batches: Sequence[IconBatch], keep: Keep) -> None:
        """Draw all batches, and give each to `keep` in this process as soon as it is there, in whatever order."""


@dataclass(frozen=True)
class LocalIcons(IconEngine):
    """On this machine: as many batches at once as torch has threads, with one thread each; elsewhere one by one."""

    def run(self, network: Network, work: Draws, batches: Sequence[IconBatch], keep: Keep) -> None:
        """Draw all batches in their order."""
        for batch, pixels in zip(batches, in_lanes(network, work, batches), strict=True):
            keep(batch, pixels)


@dataclass(frozen=True)
class RayIcons(IconEngine):
    """On a Ray cluster, by `workers` processes that have a network each.

    `address` is that of the cluster, to which this machine has to belong: `auto`, or `host:port`; or `local` for a Ray
    of this machine alone, which ends with the run. By default it is the Ray that this process is connected to, or else
    a local one. Pellucid must be installed on all machines, or be brought there by Ray's own `runtime_env`.

    Each worker has `cpus` processors, of which it uses one, and `gpus` GPUs; by default one processor, one GPU where
    the cluster has some, and as many workers as there is room for. Icons come back to this process, which keeps them:
    no shared folder is needed. They are those of `LocalIcons`, if the processors are of the same kind.
    """

    address: str | None = None
    workers: int | None = None
    cpus: float = 1
    gpus: float | None = None
    runtime_env: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise PellucidError(f"workers = {self.workers} must be positive: the networks run on them")
        if self.cpus <= 0 or (self.gpus or 0) < 0:
            raise PellucidError(f"cpus = {self.cpus} must be positive, and gpus = {self.gpus} must not be negative")
        if find_spec("ray") is None:
            raise PellucidError("icons on a cluster need Ray: pip install 'pellucid[ray]'")

    def run(self, network: Network, work: Draws, batches: Sequence[IconBatch], keep: Keep) -> None:
        """Draw all batches, whichever is finished first.

        Batches that were lost with a process or a machine are drawn again. Raises `StudyError` if some are lost again
        and again, an error of the network as it was raised, and `PellucidError` for a cluster that cannot be reached or
        is too small.
        """
        from pellucid.activations.engines.cluster import connected
        from pellucid.atlas.icon_workers import Workers

        with connected(self.address, self.runtime_env):
            workers = Workers.hire(network.in_main_memory(), work, self.workers, self.cpus, self.gpus)
            try:
                workers.draw(batches, keep)
            finally:
                workers.dismiss()
