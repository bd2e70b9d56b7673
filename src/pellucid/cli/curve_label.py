"""`pellucid curves label`: a task for people, who say from pixels alone what is in the images of a unit."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pellucid.cli.quilt import parse_columns
from pellucid.cli.selected import HarvestedStudy, Images
from pellucid.errors import PellucidError
from pellucid.study.selection import split_units

UNIT = Annotated[str, typer.Argument(metavar="UNIT", help="One unit of a harvested layer: 'layer:17'.")]


def one_unit(text: str) -> tuple[str, int]:
    """The layer and the number of one unit."""
    layer, unit = split_units(text)
    if not (unit.isascii() and unit.isdigit()):
        raise PellucidError(f"{text!r} is not one unit of a layer; write 'layer:17'")
    return layer, int(unit)


def label(
    study: HarvestedStudy,
    unit: UNIT,
    per_bin: Annotated[int, typer.Option(min=1, help="Random images of each bin of activation.")] = 24,
    bin_width: Annotated[
        float | None, typer.Option(help="The width of the bins, a multiple of those that the harvest sampled.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Instead: how many bins at most, such as 12; or their edges, such as -inf,-2,0,2,inf."),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(help="A label with its rubric, 'name=when to give it', several times; or a JSON file of them."),
    ] = None,
    positive: Annotated[
        str | None, typer.Option(help="Labels that speak for the unit; by default the first, or curve,imperfect.")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A picture of what the unit is for; by default one that was rendered for it."
        ),
    ] = None,
    tap: Annotated[
        Literal["post", "pre"] | None,
        typer.Option(help="Activations of what the layer's rectifier is given, 'pre', or of its output, 'post'."),
    ] = None,
    size: Annotated[int, typer.Option(min=8, max=512, help="The side of a picture in pixels.")] = 256,
    images: Images = None,
    seed: Annotated[int, typer.Option(help="Decides the order of the images for each rater.")] = 0,
) -> None:
    """Prepare a labelling task: random images from all of a unit's activations, for people who are not told these.

    The pictures are what the unit sees, under names that tell nothing. People label them in the viewer.
    """
    from pellucid.curves.labels import prepare_labels, read_rubric
    from pellucid.study import Study

    layer, number = one_unit(unit)
    task = prepare_labels(
        Study.open(study), layer, number, per_bin=per_bin, columns=parse_columns(columns), bin_width=bin_width, tap=tap,
        labels=read_rubric(labels) if labels else None,
        positive=[name.strip() for name in positive.split(",")] if positive else None,
        reference=reference, source=images, size=size, seed=seed, progress=True,
    )  # fmt: skip
    if not task.reference:
        typer.echo(
            "no picture of what the unit is for stands beside the rubric: give one with --reference FILE, or render "
            f"one with 'pellucid render NETWORK {layer}:{number} --study {study}' and prepare the task again"
        )
    typer.echo(
        f"{len(task.images)} images of {layer}:{number} wait for labels {', '.join(task.names)}; run 'pellucid serve "
        f"{study}' and open #label={layer}:{number}"
    )
