"""Drawing an atlas of any activations that have a place in the plane."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations import Samples
from pellucid.atlas import tables
from pellucid.atlas.config import AtlasConfig
from pellucid.atlas.grid import make_grid
from pellucid.atlas.icon_engines import IconEngine
from pellucid.atlas.leftovers import forget_leftovers
from pellucid.atlas.levels import Levels
from pellucid.atlas.points import write_points
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.study import AtlasRecord, Study, digest


def draw_atlas(
    network: Network,
    study: Study,
    samples: Samples,
    points: NDArray[np.float32],
    attributions: Iterable[NDArray],
    folder: Path,
    *,
    layer: str,
    config: AtlasConfig | None = None,
    kind: str = "layer",
    title: str = "",
    about: Mapping[str, Any] | None = None,
    aligned: str = "",
    chosen: NDArray[np.int64] | None = None,
    made: Any = None,
    engine: IconEngine | None = None,
    progress: bool = False,
) -> AtlasRecord:
    """Average activations that have a place over grids, draw an icon for each cell, and write the atlas to a folder.

    `samples` (N) are activations of `layer` of the network at positions of the study's photographs, `points` (N, 2)
    their places in the unit square, x first. `attributions` are shards (n, K) in the same order; they are read once,
    and only where a level must be drawn. `kind`, `title`, `about` and `aligned` go to the record. `chosen` (N,) says
    which rows of the layer's harvest the samples are, if not all.

    What is there already from the same samples, places and configuration is kept, so that a run that was stopped goes
    on. `made` is a JSON value for whatever else decides over activations and attributions, such as how they were
    harvested. Raises `AtlasError` if a grid has no cell, or samples and points are not as many.
    """
    config = config or AtlasConfig()
    config.check()
    network.spatial_layer(layer)
    if points.shape != (len(samples), 2):
        raise AtlasError(f"{len(samples)} activations need places ({len(samples)}, 2), not {points.shape}")
    grids = [make_grid(points, size, config.min_count) for size in config.grids]
    stamp = _stamp(network, layer, samples, points, made)
    _keep_layout(folder / "layout.parquet", points, chosen, stamp)
    drawing = Levels(network, study, samples, layer, folder, config, grids, stamp, engine)
    with progress_bar("drawing icons", sum(map(len, grids)), shown=progress) as advance:
        levels = drawing.drawn(attributions, advance)
    record = AtlasRecord(
        network.name,
        layer,
        len(samples),
        len(np.unique(samples.image)),
        network.class_names,
        tuple(levels),
        {**asdict(config), "grids": list(config.grids), "layout": stamp, "placed": config.layout},
        kind,
        title,
        dict(about or {}),
        aligned,
        write_points(folder, points, seed=config.seed),
    )
    record.write(folder)
    forget_leftovers(folder, record)
    return record


def _stamp(network: Network, layer: str, samples: Samples, points: NDArray[np.float32], made: Any) -> str:
    """Network, layer and where a sample was taken decide over its activation: the activations need not be read."""
    content = hashlib.sha256()
    for values in (points, samples.image, samples.box, samples.place):
        content.update(np.ascontiguousarray(values).tobytes())
    return digest({"network": network.describe(), "layer": layer, "samples": content.hexdigest(), "made": made})


def _keep_layout(path: Path, points: NDArray[np.float32], chosen: NDArray[np.int64] | None, stamp: str) -> None:
    if tables.stamp_of(path):
        rows = np.arange(len(points)) if chosen is None else chosen
        if np.array_equal(tables.read_layout(path), points) and np.array_equal(tables.read_chosen(path), rows):
            return
    tables.write_layout(path, points, stamp, chosen)
