"""Where the work of a harvest is done."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from pellucid.activations.batches import Decoder
from pellucid.activations.parts import PartStore, Tree
from pellucid.activations.shards import ShardWork


@dataclass(frozen=True, eq=False)
class Job:
    """A harvest: what to do with the images of a shard, how they are opened, and where the parts go."""

    work: ShardWork
    decoder: Decoder
    store: PartStore
    tree: Tree
    shard: int

    def images(self, number: int) -> range:
        """The images of a shard, by their numbers in the source."""
        return range(number * self.shard, min((number + 1) * self.shard, len(self.decoder)))


class Engine(ABC):
    """Does the work of a harvest shard by shard; how many at once, and on which machines, is its own affair."""

    def store(self, folder: Path) -> PartStore:
        """Where the parts of a run go, that has this folder of the study for itself."""
        return PartStore(str(folder.resolve()))

    @abstractmethod
    def run(self, job: Job, shards: list[int], *, progress: bool) -> None:
        """Write the parts of these shards, and join those whose neighbours are there."""
