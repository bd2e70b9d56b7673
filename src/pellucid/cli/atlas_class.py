"""`pellucid atlas class`: the atlas of the activations that matter to one class."""

from typing import Annotated

import typer

from pellucid.cli.atlas_drawing import (
    Batch,
    Filter,
    Grids,
    HarvestedStudy,
    IconSize,
    LayerName,
    MinCount,
    MinDist,
    Most,
    Neighbors,
    NetworkOption,
    Seed,
    Steps,
    icon_config,
    only_layer,
    tell,
)
from pellucid.cli.options import Device, Weights, network_of, parse_numbers


def class_(
    study: HarvestedStudy,
    name: Annotated[str, typer.Argument(metavar="CLASS", help="A class: its index, its name, or a part of that.")],
    layer: LayerName = None,
    filter: Filter = "both",
    most: Most = None,
    grids: Grids = "8",
    min_count: MinCount = 4,
    layout: Annotated[
        str | None, typer.Option(help="How activations are placed: tsne where it is installed, else umap; pacmap, pca.")
    ] = None,
    neighbors: Neighbors = 20,
    min_dist: MinDist = 0.02,
    icon_size: IconSize = None,
    steps: Steps = None,
    batch: Batch = None,
    seed: Seed = 0,
    network: NetworkOption = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Lay out those activations of a study that matter to a class, and draw their atlas beside the layer's own."""
    from pellucid.atlas.class_atlas import ClassFilter, class_atlas, class_config, class_count, class_folder
    from pellucid.atlas.class_names import find_class
    from pellucid.study import Study

    opened = Study.open(study)
    layer = only_layer(opened, layer)
    found = network_of(opened, network, weights, device)
    index = find_class(found.class_names, name, count=class_count(opened, layer))
    wanted = ClassFilter(filter, most)
    config = class_config(
        grids=parse_numbers(grids, int, "grids"),
        min_count=min_count,
        neighbors=neighbors,
        min_dist=min_dist,
        seed=seed,
        icons=icon_config(icon_size, steps, batch, seed),
        **({} if layout is None else {"layout": layout}),
    )
    record = class_atlas(found, opened, layer, index, wanted=wanted, config=config, progress=True)
    tell(opened, class_folder(layer, index, wanted), record)
