"""`pellucid render`: pictures of units."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.options import Device, NetworkName, Weights, load_network, parse_numbers, parse_size
from pellucid.pictures import check_suffix


def render(
    network: NetworkName,
    units: Annotated[
        list[str],
        typer.Argument(metavar="UNIT...", help="Objectives: 'layer:unit', 'layer:unit@row,column', or sums of them."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write: .png, .webp or .jpg.")],
    steps: Annotated[int, typer.Option(min=0, help="Steps of the optimization.")] = 256,
    size: Annotated[
        str | None, typer.Option(help="Pixels a side, or HEIGHTxWIDTH; the network's input by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the start and the movements.")] = 0,
    batch: Annotated[int, typer.Option(min=1, help="Pictures rendered together.")] = 16,
    snapshots: Annotated[str, typer.Option(help="Also write the pictures after these steps, such as 0,64.")] = "",
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Optimize a picture for each unit and write them to one file, several as a sheet."""
    from pellucid.visualize import parse
    from pellucid.visualize import render as optimize

    objectives = [parse(unit) for unit in units]
    shape = parse_size(size) if size else None
    check_suffix(output)
    found = load_network(network, weights, device)
    rendering = optimize(
        found,
        objectives,
        steps=steps,
        size=shape,
        seed=seed,
        batch=batch,
        snapshots=parse_numbers(snapshots, int, "snapshots"),
        progress=True,
    )
    rendering.save(output)
    for name, value in zip(rendering.objectives, rendering.values.tolist(), strict=True):
        typer.echo(f"{name}  {value:.4f}")
    typer.echo(f"wrote {output}")
