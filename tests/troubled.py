"""A small network that gets into trouble where it runs on a cluster, and images that are watched being read."""

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from pellucid.activations.sources import open_source
from pellucid.activations.sources.files import FileSource
from pellucid.networks import Network, wrap

LONGEST = 120  # seconds that a network stands still
FULL = 20_000  # bytes


class Troubled(nn.Module):
    """Two convolutions. Each process that it runs in leaves a file with its number in `folder`.

    `trouble` is one of: `stall`, when the first of its processes has done some images, it leaves the file `stalled` and
    stands still; `slow`; `raise`, it fails by its own fault; `exit`, its process ends at a white image; `full`, no file
    that its process writes may become large.
    """

    def __init__(self, folder: Path, trouble: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(8, 12, 5, stride=2, padding=2)
        self.relu2 = nn.ReLU()
        self.head = nn.Linear(12, 5)
        self.home = os.getpid()
        self.folder = folder
        self.trouble = trouble
        self.passes = 0

    def forward(self, x: Tensor) -> Tensor:
        if os.getpid() != self.home:
            self.passes += 1
            (self.folder / f"network-{os.getpid()}").touch()
            self._get_into_trouble(x)
        x = self.relu2(self.conv2(self.relu1(self.conv1(x))))
        return self.head(x.mean(dim=(2, 3)))

    def _get_into_trouble(self, x: Tensor) -> None:
        if self.trouble == "raise":
            raise RuntimeError("the model's own fault")
        if self.trouble == "exit" and bool((x.flatten(1).amin(1) == 1).any()):
            os._exit(1)
        if self.trouble == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        if self.trouble == "slow":
            time.sleep(0.2)
        if self.trouble == "stall" and self.passes == 4:
            try:
                (self.folder / "stalled").open("x").write(str(os.getpid()))
            except FileExistsError:
                return
            time.sleep(LONGEST)


def troubled_network(folder: Path, trouble: str = "") -> Network:
    """A `Troubled` with fixed random weights, wrapped."""
    folder.mkdir(exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Troubled(folder, trouble).eval()
    return wrap(module, mean=(0.5,) * 3, std=(0.5,) * 3, size=24, name="Troubled")


@dataclass(frozen=True, eq=False)
class Watched(FileSource):
    """Images of a folder. Each process that opens some names them in a file with its number in `watch`."""

    watch: Path = Path()

    def open(self, index: int, channels: int = 3) -> Image.Image:
        with (self.watch / f"reader-{os.getpid()}").open("a") as file:
            file.write(f"{index}\n")
        return super().open(index, channels)


def watched_source(images: Path, watch: Path) -> Watched:
    """The images of a folder as a `Watched`."""
    source = open_source(images)
    assert isinstance(source, FileSource)
    return Watched(**vars(source), watch=watch)
