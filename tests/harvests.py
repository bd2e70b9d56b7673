"""Small harvests for tests: drawn photographs and activations that were made up, summarized as those of a network."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pellucid.activations.items import item_of
from pellucid.activations.sources import open_source
from pellucid.activations.summary import Bins, Covariance, Summary
from pellucid.activations.summary.store import LayerRecord, summary_folder, write_summary
from pellucid.activations.tally import Tally
from pellucid.activations.views import ViewPlan
from pellucid.study import Manifest, Study

LAYER = "made.up"
UNITS, MAP, INPUT = 5, (3, 4), (24, 32)
FIELD: dict[str, Any] = {"size": (10, 12), "offset": (-2, -3), "stride": (8, 9), "whole": (False, False)}
PLAN = ViewPlan(crops=(1.0, 0.6), center=0.8)


def photographs(folder: Path, count: int, seed: int = 0) -> Path:
    """Pictures of coloured blots, of several sizes, in folders named as their classes."""
    random = np.random.default_rng(seed)
    for index in range(count):
        rough = Image.fromarray(random.integers(0, 256, (5, 6, 3), dtype=np.uint8))
        size = ((64, 48), (48, 64), (56, 56))[index % 3]
        path = folder / ("cats", "dogs")[index % 2] / f"{index:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        rough.resize(size, Image.Resampling.BICUBIC).save(path)
    return folder


def harvested(folder: Path, images: Path, *, seed: int = 0, rectified: bool = True, examples: int = 8) -> Study:
    """A study of a folder of photographs with a layer whose activations are made up: `pre`, and `post` max(pre, 0)."""
    source = open_source(images)
    items, pre = activations(images, seed)
    manifest = Manifest(
        {"name": "made_up", "weights_sha256": "0", "crop": PLAN.center}, {**source.describe(), **PLAN.describe()}
    )
    study = Study.create(folder, manifest)
    taps = ("post", "pre") if rectified else ("post",)
    maps = {"pre": pre, "post": np.maximum(pre, 0) if rectified else pre}
    for tap in taps:
        write_summary(study, LAYER, tap, summarized(maps[tap], items, examples, seed))
    record = LayerRecord(
        LAYER, UNITS, *MAP, taps, INPUT, FIELD, len(source), len(items), source.classes, {"seed": seed}
    )
    record.write(summary_folder(study, LAYER))
    return study


def activations(images: Path, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The items of a folder of photographs (N,) and what the layer gives for them (N, U, P)."""
    source = open_source(images)
    items = []
    for index in range(len(source)):
        views = PLAN.boxes(source.open(index).size, source.name(index))
        items += [item_of(index, view) for view in range(len(views))]
    random = np.random.default_rng(seed)
    return np.array(items), random.normal(-0.5, 1, (len(items), UNITS, MAP[0] * MAP[1])).astype(np.float32)


def summarized(maps: np.ndarray, items: np.ndarray, examples: int, seed: int) -> Summary:
    """The summary of maps (N, U, P)."""
    bins = Bins.fixed(maps.shape[1], -4.5, 4.5, count=72, groups=18)
    tally = Tally(bins, examples=examples, samples=7, seed=seed)
    tally.add(maps, items, np.full(len(items), -1))
    return tally.finish(Covariance.empty(maps.shape[1]))


def renewed(study: Study, **changes: Any) -> None:
    """Change the record of the layer."""
    folder = summary_folder(study, LAYER)
    LayerRecord(**{**asdict(LayerRecord.read(folder)), **changes}).write(folder)
