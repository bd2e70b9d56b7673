"""`pellucid layers`: what a network has inside."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pellucid.cli.options import Device, NetworkName, Weights, load_network, print_table


def layers(
    network: NetworkName,
    weights: Weights = None,
    fields: Annotated[bool, typer.Option(help="Measure strides and receptive fields.")] = True,
    device: Device = "cpu",
) -> None:
    """List the layers that have activations: channels, map, stride and measured receptive field at the input size.

    A unit at row i sees `field` rows of pixels from `offset + i * stride` on; columns likewise. `all` marks a field
    that takes in the whole picture.
    """
    found = load_network(network, weights, device)
    names = [layer.name for layer in found.layers() if layer.spatial]
    with Console(stderr=True).status("measuring receptive fields"):
        measured = found.receptive_fields(names) if fields else {}
    table = Table("layer", "kind", "channels", "map", "stride", "field", "offset", box=None, pad_edge=False)
    for layer in found.layers():
        size = "x".join(map(str, layer.size)) if layer.size else "-"
        field = measured.get(layer.name)
        seen = ["-", "-", "-"] if field is None else _columns(field)
        table.add_row(layer.name, layer.kind, str(layer.channels), size, *seen)
    print_table(table)
    typer.echo(f"{len(found.layers())} layers of {found.name} at {found.size[0]}x{found.size[1]} pixels")


def _columns(field) -> list[str]:
    def pair(values: tuple[int, int]) -> str:
        return str(values[0]) if values[0] == values[1] else f"{values[0]}x{values[1]}"

    if all(field.whole):
        return [pair(field.stride), "all", "-"]
    return [pair(field.stride), pair(field.size), pair(field.offset)]
