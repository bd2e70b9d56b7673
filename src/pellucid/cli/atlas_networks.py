"""`pellucid atlas networks`: which regions of its map only one of two networks has."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.atlas_align import print_alignment
from pellucid.cli.atlas_drawing import (
    Batch,
    Grids,
    HarvestedStudy,
    IconSize,
    LayerName,
    MinCount,
    MinDist,
    Neighbors,
    NetworkOption,
    Seed,
    Steps,
    icon_config,
    only_layer,
)
from pellucid.cli.options import Device, Weights, network_of, parse_numbers


def networks(
    study: HarvestedStudy,
    other: Annotated[Path, typer.Argument(metavar="OTHER_STUDY", help="A study of another network or checkpoint.")],
    layer: LayerName = None,
    other_layer: Annotated[str | None, typer.Option(help="The other study's layer, if it has several.")] = None,
    grid: Annotated[int, typer.Option(min=1, help="Cells a side of the regions that are compared.")] = 10,
    most: Annotated[int, typer.Option(min=100, help="Activations whose neighbours are compared.")] = 8000,
    grids: Grids = "5,10,20",
    min_count: MinCount = 10,
    neighbors: Neighbors = 50,
    min_dist: MinDist = 0.05,
    icon_size: IconSize = None,
    steps: Steps = None,
    batch: Batch = None,
    seed: Seed = 0,
    network: NetworkOption = None,
    weights: Weights = None,
    other_weights: Annotated[str | None, typer.Option(metavar="FILE", help="The other network's weights.")] = None,
    device: Device = "cpu",
) -> None:
    """Compare two networks by two harvests of the same places (pellucid harvest --aligned): what has only one of them?

    Draws both atlases on one plane and writes a page. A region, the activations of a cell of one network's map, is
    lost in the other if there less of an activation's neighbours are of the region than half of what each random half
    of the first network's channels keeps, beyond chance (t-test over photographs, false discovery rate 5 %).
    """
    from pellucid.atlas import AtlasConfig
    from pellucid.atlas.networks import compare_networks
    from pellucid.study import Study

    opened, theirs = Study.open(study), Study.open(other)
    layer = only_layer(opened, layer)
    other_layer = other_layer or only_layer(theirs, None)
    found = network_of(opened, network, weights, device)
    guest = network_of(theirs, None, other_weights, device)
    config = AtlasConfig(
        grids=parse_numbers(grids, int, "grids"),
        min_count=min_count,
        neighbors=neighbors,
        min_dist=min_dist,
        seed=seed,
        icons=icon_config(icon_size, steps, batch, seed),
    )
    result = compare_networks(
        found, opened, layer, guest, theirs, other_layer, config=config, grid=grid, most=most, progress=True
    )
    print_alignment(result.alignment)
    said = result.page.content["measures"]
    typer.echo(
        f"of an activation's {said['neighbours']} nearest, {100 * said['overlap']:.1f} % are the same in both "
        f"networks; in two halves of one network's channels {100 * said['overlap_halves_own']:.1f} % and "
        f"{100 * said['overlap_halves_other']:.1f} %, by chance {100 * said['overlap_chance']:.1f} %; linear CKA "
        f"{said['cka']:.3f}"
    )
    for side, one in (("own", found), ("other", guest)):
        chance = said[f"only_{side}_by_chance"]
        falsely = "" if chance is None else f" ({100 * chance:.1f} % of them between halves of its channels)"
        typer.echo(f"{said[f'only_{side}']} of {said[f'regions_{side}']} regions only {one.name} has{falsely}")
    typer.echo(f"look at it: pellucid serve {opened.path}, #networks={result.name}")
