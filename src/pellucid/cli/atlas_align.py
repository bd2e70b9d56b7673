"""`pellucid atlas align`: atlases of several layers, checkpoints or networks in which like lies in the same place."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pellucid.cli.atlas_drawing import (
    Batch,
    Grids,
    HarvestedStudy,
    IconSize,
    MinCount,
    MinDist,
    Neighbors,
    NetworkOption,
    Seed,
    Steps,
    icon_config,
    tell,
)
from pellucid.cli.options import Device, Weights, network_of, parse_numbers, print_table
from pellucid.errors import PellucidError


def align(
    study: HarvestedStudy,
    layers: Annotated[list[str], typer.Argument(metavar="LAYER...", help="Layers, from first to last.")],
    other: Annotated[
        list[Path] | None,
        typer.Option(metavar="STUDY", help="A study of another network or checkpoint with the same layers, in order."),
    ] = None,
    other_layer: Annotated[
        list[str] | None, typer.Option(help="Layers of the other studies, if they are called otherwise there.")
    ] = None,
    other_weights: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="The weights of each other study's network, in order.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the atlases have in common, at the end of their names.")] = "aligned",
    regularisation: Annotated[
        float, typer.Option(min=0, help="How strongly the same places are held together; 0 not at all.")
    ] = 0.1,
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
    device: Device = "cpu",
) -> None:
    """Lay out harvests of the same places together (pellucid harvest --aligned), and draw an atlas of each.

    Printed are the share of places that lie within a cell of each other in neighbouring maps, on a grid of 10 x 10,
    and their median distance, both beside places that are paired at random.
    """
    from pellucid.atlas import AtlasConfig
    from pellucid.atlas.align import Slice
    from pellucid.atlas.align import align as make
    from pellucid.study import Study

    opened = Study.open(study)
    found = network_of(opened, network, weights, device)
    slices = [Slice(found, opened, layer, f"{layer}@{name}") for layer in layers]
    files = other_weights or []
    if len(files) > len(other or []):
        raise PellucidError(f"{len(files)} files of weights are given for {len(other or [])} other studies")
    for number, path in enumerate(other or []):
        theirs = Study.open(path)
        file = files[number] if number < len(files) else None
        guest = network_of(theirs, None, file, device)
        called = f"{name}-{theirs.path.resolve().name}"
        slices += [Slice(guest, theirs, layer, f"{layer}@{called}") for layer in other_layer or layers]
    config = AtlasConfig(
        grids=parse_numbers(grids, int, "grids"),
        min_count=min_count,
        neighbors=neighbors,
        min_dist=min_dist,
        seed=seed,
        icons=icon_config(icon_size, steps, batch, seed),
    )
    records, measured = make(slices, name=name, config=config, regularisation=regularisation, progress=True)
    print_alignment(measured)
    for slice, record in zip(slices, records, strict=True):
        tell(opened, slice.atlas, record)


def print_alignment(measured) -> None:
    """Print what an alignment was measured to be."""
    table = Table("maps", "within a cell", "at random", "median shift", "at random", box=None, pad_edge=False)
    for number, pair in enumerate(measured.pairs):
        table.add_row(
            " - ".join(measured.names[number : number + 2]),
            f"{100 * pair.within:.1f} %",
            f"{100 * pair.within_random:.1f} %",
            f"{pair.shift:.3f}",
            f"{pair.shift_random:.3f}",
        )
    print_table(table)
    for name, value in zip(measured.names, measured.trust, strict=True):
        typer.echo(f"trustworthiness (cosine, k = 15) of {name}: {value:.3f}")
