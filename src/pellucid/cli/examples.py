"""`pellucid examples`: what units answer to most, least, and at any quantile."""

from typing import Annotated, Literal

import typer

from pellucid.cli.selected import HarvestedStudy, Images, Output, Units, save_together, select


def examples(
    study: HarvestedStudy,
    units: Units,
    count: Annotated[int, typer.Option(min=1, help="Examples in a row.")] = 9,
    rows: Annotated[
        str, typer.Option(help="Which, separated by commas: highest, lowest, and quantiles such as 0.5.")
    ] = "highest,lowest",
    tap: Annotated[
        Literal["post", "pre"] | None,
        typer.Option(help="Activations of what the layer's rectifier is given, 'pre', or of its output, 'post'."),
    ] = None,
    images: Images = None,
    output: Output = None,
) -> None:
    """Cut examples of units out of the photographs, at their receptive fields, for their pages in the study."""
    from pellucid.activations.page_parts import read_examples
    from pellucid.activations.pages import write_examples

    opened, layer, wanted = select(study, units, output)
    names = [name.strip() for name in rows.split(",") if name.strip()]
    write_examples(opened, layer, wanted, tap=tap, count=count, rows=names, source=images, progress=True)
    found = (read_examples(opened, layer, unit) for unit in wanted)
    if output is not None:
        save_together(output, list(found))
    typer.echo(f"examples of {len(wanted)} units of {layer} are in {study}; look at them: pellucid serve {study}")
