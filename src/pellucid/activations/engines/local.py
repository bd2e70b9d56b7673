"""The engine of a single machine: images are read by processes, the network runs in this one."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from pellucid.activations.batches import Decoded, decoded
from pellucid.activations.engines.engine import Engine, Job
from pellucid.activations.parts import Node, Part, merge_ready
from pellucid.errors import ImagesError
from pellucid.progress import progress_bar


@dataclass(frozen=True)
class LocalEngine(Engine):
    """One shard after the other; `workers` processes open and resize images ahead, by default one for each core.

    With 0 workers images are read in this process, between the passes.
    """

    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 0:
            raise ImagesError(f"workers = {self.workers} must not be negative; 0 reads images in this process")

    def run(self, job: Job, shards: list[int], *, progress: bool) -> None:
        """Write the parts of these shards, and join those whose neighbours are there."""
        workers = (os.cpu_count() or 1) if self.workers is None else self.workers
        images = list(chain.from_iterable(job.images(number) for number in shards))
        with progress_bar("harvesting", len(job.decoder), shown=progress) as advance:
            advance(len(job.decoder) - len(images))
            stream = decoded(job.decoder, images, workers=min(workers, len(images)))
            with ThreadPoolExecutor(1) as writer:  # while the next shard is at work
                last: Future[None] | None = None
                for number in shards:
                    part = job.work(_counted(stream, len(job.images(number)), advance))
                    if last is not None:
                        last.result()
                    last = writer.submit(_keep, job, Node(0, number), part)
                if last is not None:
                    last.result()


def _keep(job: Job, node: Node, part: Part) -> None:
    job.store.write(node, part)
    merge_ready(job.store, job.tree, node)


def _counted(stream: Iterator[Decoded], count: int, advance: Callable[[int], None]) -> Iterator[Decoded]:
    for _ in range(count):
        yield next(stream)
        advance(1)
