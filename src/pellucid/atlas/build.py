"""From a harvested layer to an atlas on disk."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.activations import Samples
from pellucid.activations.store import layer_folder, read_shards
from pellucid.atlas import tables
from pellucid.atlas.config import AtlasConfig as AtlasConfig
from pellucid.atlas.drawing import draw_atlas
from pellucid.atlas.gathered import open_samples
from pellucid.atlas.icon_engines import IconEngine
from pellucid.atlas.layout import lay_out
from pellucid.atlas.next_cells import link_next
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.study import AtlasRecord, Study, digest
from pellucid.study.files import read_json


def build(
    network: Network,
    study: Study,
    layer: str,
    *,
    config: AtlasConfig | None = None,
    engine: IconEngine | None = None,
    progress: bool = False,
) -> AtlasRecord:
    """Lay out a harvested layer of a study, average it over grids, draw an icon for each cell, and write the atlas.

    Everything lies in `atlas/LAYER` of the study. What is there already from the same configuration is kept, so that a
    run that was stopped goes on. `engine` is where icons are drawn, by default this process. Where the study has an
    atlas of a layer before or after this one, their cells are linked. Raises `StudyError` if the layer is not harvested
    or the study is of another network, `AtlasError` if a grid has no cell.
    """
    config = config or AtlasConfig()
    study.refuse_other_weights(network.name, network.digest)
    network.spatial_layer(layer)
    config.check()
    samples = open_samples(study, layer)
    folder = study.path / "atlas" / layer
    harvest = read_json(layer_folder(study, layer) / "config.json")
    points = _laid_out(study, layer, samples, config, folder, progress)
    record = draw_atlas(
        network,
        study,
        samples,
        points,
        (shard.attribution for shard in read_shards(study, layer)),
        folder,
        layer=layer,
        config=config,
        made={"images": study.manifest.images, "harvest": harvest},
        engine=engine,
        progress=progress,
    )
    link_next(network, study, layer)
    return record


def _laid_out(
    study: Study, layer: str, samples: Samples, config: AtlasConfig, folder: Path, progress: bool
) -> NDArray[np.float32]:
    """The activations' places in the unit square, computed once."""
    layout = config.chosen_layout()
    said = {
        "network": study.manifest.network,
        "images": study.manifest.images,
        "harvest": read_json(layer_folder(study, layer) / "config.json"),
        "layer": layer,
        "layout": [config.layout, *asdict(layout).values()],
    }
    if len(samples) > config.most:
        said["most"] = [config.most, config.seed]
    path, stamp = folder / "layout.parquet", digest(said)
    if tables.stamp_of(path) != stamp:
        with progress_bar("laying out", len(samples), shown=progress) as advance:
            points = lay_out(layout, samples.activation, most=config.most, seed=config.seed, advance=advance)
            tables.write_layout(path, points, stamp)
    return tables.read_layout(path)
