"""`pellucid atlas compare`: the activations that matter to either of two classes, between the two."""

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
    Most,
    NetworkOption,
    Seed,
    Steps,
    icon_config,
    only_layer,
    tell,
)
from pellucid.cli.options import Device, Weights, network_of, parse_numbers


def compare(
    study: HarvestedStudy,
    left: Annotated[str, typer.Argument(metavar="LEFT", help="A class: its index, its name, or a part of that.")],
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="Another class.")],
    layer: LayerName = None,
    filter: Filter = "both",
    most: Most = None,
    grids: Grids = "10",
    min_count: MinCount = 4,
    layout: Annotated[
        str | None, typer.Option(help="What places activations downwards: tsne where it is installed, else umap; pca.")
    ] = None,
    icon_size: IconSize = None,
    steps: Steps = None,
    batch: Batch = None,
    seed: Seed = 0,
    network: NetworkOption = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Draw the atlas of two classes: from LEFT to RIGHT by what activations say for them, downwards by likeness."""
    from pellucid.atlas.class_atlas import ClassFilter, class_config, class_count
    from pellucid.atlas.class_names import find_class
    from pellucid.atlas.comparison import comparison_atlas, comparison_folder
    from pellucid.study import Study

    opened = Study.open(study)
    layer = only_layer(opened, layer)
    found = network_of(opened, network, weights, device)
    names, count = found.class_names, class_count(opened, layer)
    first, second = (find_class(names, text, count=count) for text in (left, right))
    config = class_config(
        grids=parse_numbers(grids, int, "grids"),
        min_count=min_count,
        seed=seed,
        icons=icon_config(icon_size, steps, batch, seed),
        **({} if layout is None else {"layout": layout}),
    )
    wanted = ClassFilter(filter, most)
    record = comparison_atlas(found, opened, layer, first, second, wanted=wanted, config=config, progress=True)
    tell(opened, comparison_folder(layer, first, second, wanted), record)
