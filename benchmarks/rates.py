"""How fast the heavy parts run here: `python benchmarks/rates.py`, or `make bench`.

Prints rates and not times, so that runs of different length compare. Each part is run once before it is timed.
"""

import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

import pellucid
from pellucid.activations import HarvestConfig
from pellucid.activations.images import views
from pellucid.atlas.layout import UMAP

LAYER = "blocks.4.2.bn2"
STEPS = 32
POSITIONS = 20
CROPS = (1.0, 0.5)
ACTIVATIONS = 4000


def rate(work: Callable[[], object], amount: float) -> float:
    """Amount of work for each second."""
    work()
    start = time.perf_counter()
    work()
    return amount / (time.perf_counter() - start)


def report(what: str, value: float, unit: str) -> None:
    """One line of the result."""
    print(f"{what:<44} {value:>10.1f} {unit}", flush=True)


def rendering(network: pellucid.Network, size: int, batch: int) -> None:
    units = [f"{LAYER}:{unit}" for unit in range(batch)]

    def work() -> None:
        pellucid.render(network, units, size=size, steps=STEPS, batch=batch)

    report(f"render, {size} px, {batch} at a time", rate(work, STEPS * batch), "pictures x steps / s")


def harvesting(network: pellucid.Network) -> None:
    photographs = Path(str(files("sklearn") / "datasets/images"))

    def work() -> None:
        with TemporaryDirectory() as folder:
            config = HarvestConfig(positions=POSITIONS)
            pellucid.harvest(network, photographs, LAYER, Path(folder) / "study", config=config, crops=CROPS)

    count = 2 * len(views((640, 427), CROPS, network.crop))  # both photographs are of that size
    report(f"harvest, {POSITIONS} positions a view", rate(work, count), "views / s")


def layout() -> None:
    activations = np.random.default_rng(0).random((ACTIVATIONS, 672), dtype=np.float32)

    def work() -> None:
        UMAP()(activations)

    report(f"layout of {ACTIVATIONS} activations", rate(work, ACTIVATIONS), "activations / s")


def main() -> None:
    torch.set_flush_denormal(True)
    network = pellucid.load("efficientnet_lite0")
    for size, batch in ((224, 1), (224, 8), (96, 1), (96, 16)):
        rendering(network, size, batch)
    harvesting(network)
    layout()


if __name__ == "__main__":
    main()
