"""How long does the atlas of a million activations take, and how much memory, without the drawing of its icons?

A harvest of a few photographs stands for one of many: each activation is a mixture of a real one and one of its
neighbours, with its attribution mixed alike. Layout, placement, averages, classes, cards, patches and all files are
made as for any atlas; the icons are grey, for how long they take is a matter of cells and steps. Of every stage it
prints seconds by the clock, seconds of the processors, and the peak of the memory so far, mapped files included.

    python benchmarks/atlas_scale.py --study my-study [--layer LAYER] [--count 1000000] [--most 100000]
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import pellucid.activations.store as store
from pellucid.activations import Samples, read_samples
from pellucid.atlas.icon_engines import Draws, IconBatch, IconEngine, Keep
from pellucid.networks import Network
from pellucid.study import Study, write_json

_SHARD = 20_000


class GreyIcons(IconEngine):
    """Draws nothing."""

    def run(self, network: Network, work: Draws, batches: Sequence[IconBatch], keep: Keep) -> None:
        size = getattr(work, "config").size  # noqa: B009 - not every engine's work has one
        for batch in batches:
            keep(batch, np.full((len(batch.cells), size, size, 3), 128, dtype=np.uint8))


def drawn_harvest(real: Study, layer: str, count: int, folder: Path) -> Study:
    """A study of `count` activations that are like those of a real one, written shard by shard."""
    samples = read_samples(real, layer, attribution=True)
    neighbors = _neighbors(samples.activation.astype(np.float32), 8)
    random = np.random.default_rng(0)
    target = folder / "activations" / layer
    target.mkdir(parents=True)
    for name in ("study.json", "images.parquet"):
        shutil.copy(real.path / name, folder / name)
    write_json(target / "config.json", {"drawn": count})
    study = Study.open(folder)
    shards = range(0, count, _SHARD)
    for number, at in enumerate(shards):
        first = np.sort(random.integers(0, len(samples), min(_SHARD, count - at)))
        second = neighbors[first, random.integers(0, neighbors.shape[1], len(first))]
        share = random.uniform(0, 1, (len(first), 1)).astype(np.float32)
        length = random.lognormal(0, 0.1, (len(first), 1)).astype(np.float32)
        mixed = [
            ((1 - share) * values[first].astype(np.float32) + share * values[second].astype(np.float32)) * length
            for values in (samples.activation, samples.attribution)
        ]
        part = Samples(samples.image[first], samples.box[first], samples.place[first], *map(store.half, mixed))
        store.write_shard(store.shard_path(target, number), part)
    write_json(target / "harvest.json", {"shards": len(shards), "images": len(np.unique(samples.image))})
    return study


def _neighbors(values: np.ndarray, count: int) -> np.ndarray:
    units = values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-12)
    found = []
    for at in range(0, len(units), 2000):
        cosines = units[at : at + 2000] @ units.T
        found.append(np.argpartition(-cosines, count, axis=1)[:, 1 : count + 1])
    return np.concatenate(found)


def timed(module: Any, name: str, spent: dict[str, list[float]]) -> None:
    """Let a function of a module say how long it took, all its calls together."""
    inner: Callable = getattr(module, name)

    def outer(*args: Any, **kwargs: Any) -> Any:
        clock, processors = time.perf_counter(), time.process_time()
        result = inner(*args, **kwargs)
        before = spent.get(name, [0.0, 0.0])
        spent[name] = [before[0] + time.perf_counter() - clock, before[1] + time.process_time() - processors]
        if before == [0.0, 0.0] or name != "__call__":
            print(f"{name}: {spent[name][0]:.0f} s, {spent[name][1]:.0f} s of processors, {peak():.2f} GB", flush=True)
        return result

    setattr(module, name, outer)


def peak() -> float:
    """The most memory so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def inside(given: argparse.Namespace) -> None:
    import pellucid
    from pellucid.atlas import AtlasConfig, levels
    from pellucid.atlas.layout import UMAP
    from pellucid.atlas.placement import Placement

    build = sys.modules["pellucid.atlas.build"]
    spent: dict[str, list[float]] = {}
    timed(UMAP, "place", spent)
    timed(Placement, "__call__", spent)
    for module, name in ((build, "open_samples"), (build, "lay_out"), (levels, "survey"), (levels, "cut_patches")):
        timed(module, name, spent)
    study = Study.open(given.inside)
    network = pellucid.load(study.manifest.network["name"])
    grids = tuple(int(size) for size in given.grids.split(","))
    clock, processors = time.perf_counter(), time.process_time()
    config = AtlasConfig(grids=grids, most=given.most)
    record = build.build(network, study, given.layer, config=config, engine=GreyIcons())
    folder = study.path / "atlas" / given.layer
    report = {
        "activations": record.samples,
        "cells": {level.grid: level.cells for level in record.levels},
        "files": len(record.files()),
        "disk MB": round(sum((folder / name).stat().st_size for name in record.files()) / 2**20, 1),
        "seconds": round(time.perf_counter() - clock),
        "seconds of processors": round(time.process_time() - processors),
        "peak GB": round(peak(), 2),
        "stages": {name: [round(value, 1) for value in values] for name, values in spent.items()},
    }
    print(json.dumps(report))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, help="a harvested study of a network that pellucid loads by name")
    parser.add_argument("--layer", default="blocks.4.2.bn2")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--grids", default="10,20,40,100")
    parser.add_argument("--draw", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        inside(given)
        return
    if not given.study:
        parser.error("give a harvested study with --study")
    if given.draw:
        drawn_harvest(Study.open(given.study), given.layer, given.count, given.draw)
        return
    with tempfile.TemporaryDirectory() as folder:
        # Processes of their own: the peak is to be the atlas's alone.
        drawn = Path(folder) / "study"
        options = ["--layer", given.layer, "--most", str(given.most), "--grids", given.grids]
        again = [sys.executable, __file__, "--study", str(given.study), "--count", str(given.count), *options]
        subprocess.run([*again, "--draw", str(drawn)], check=True)
        subprocess.run([*again, "--inside", str(drawn)], check=True)


if __name__ == "__main__":
    main()
