"""`pellucid quilt`: random examples of every bin of a unit's activation."""

import math
from typing import Annotated, Literal

import typer

from pellucid.cli.options import parse_numbers
from pellucid.cli.selected import HarvestedStudy, Images, Output, Units, save_together, select


def quilt(
    study: HarvestedStudy,
    units: Units,
    columns: Annotated[
        str | None,
        typer.Option(help="How many at most, such as 12; or edges of bins, such as -inf,-2,0,2,inf; else up to 18."),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Random examples in a column.")] = 6,
    tap: Annotated[
        Literal["post", "pre"] | None,
        typer.Option(help="Activations of what the layer's rectifier is given, 'pre', or of its output, 'post'."),
    ] = None,
    images: Images = None,
    output: Output = None,
) -> None:
    """Cut random examples of each bin of activation out of the photographs, for the units' pages in the study."""
    from pellucid.activations.page_parts import read_quilt
    from pellucid.activations.pages import write_quilts

    opened, layer, wanted = select(study, units, output)
    write_quilts(
        opened, layer, wanted, tap=tap, columns=parse_columns(columns), rows=rows, source=images, progress=True
    )
    found = (read_quilt(opened, layer, unit) for unit in wanted)
    if output is not None:
        save_together(output, list(found))
    typer.echo(f"quilts of {len(wanted)} units of {layer} are in {study}; look at them: pellucid serve {study}")


def parse_columns(text: str | None) -> int | tuple[float, ...] | None:
    """Read how many columns there are at most, or the edges of their bins."""
    numbers = None if text is None else parse_numbers(text, float, "columns")
    one = numbers is not None and len(numbers) == 1 and math.isfinite(numbers[0]) and numbers[0] == int(numbers[0])
    return int(numbers[0]) if numbers and one else numbers
