"""`pellucid atlas figure`: an atlas for print."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.errors import AtlasError


def figure(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study with a finished atlas.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The figure: .pdf, .svg or .png.")],
    atlas: Annotated[str | None, typer.Option(help="The atlas, if there are several.")] = None,
    grid: Annotated[int | None, typer.Option(min=1, help="The level, by its cells a side; the finest.")] = None,
    width: Annotated[float, typer.Option(min=1, max=40, help="Inches.")] = 7.0,
    dpi: Annotated[int, typer.Option(min=30, max=1200, help="Pixels an inch.")] = 300,
    density: Annotated[
        float, typer.Option(min=0, help="Larger, and icons of thin cells become larger; 0 draws all alike.")
    ] = 1.0,
    labels: Annotated[int, typer.Option(min=0, help="Class names that are written at most.")] = 24,
    label: Annotated[
        str | None, typer.Option("--class", help="Show only what speaks for a class, by its index or name.")
    ] = None,
    against: Annotated[bool, typer.Option(help="With --class: show what speaks against it.")] = False,
    title: Annotated[str | None, typer.Option(help="The line above; by default what the atlas is of.")] = None,
) -> None:
    """Draw one level of an atlas as a figure: icons by how much lies in their cells, labels of the fullest.

    In PDF and SVG text stays text. With --class icons are as visible as the cell's attribution to the class is large.
    """
    from pellucid.atlas.class_names import find_class
    from pellucid.atlas.figure import FigureConfig
    from pellucid.atlas.figure import figure as draw
    from pellucid.atlas.palette import Palette
    from pellucid.study import Study

    if against and label is None:
        raise AtlasError("--against needs a class; give --class with it")
    palette = Palette.open(Study.open(study), atlas)
    index = None if label is None else find_class(palette.record.classes, label)
    config = FigureConfig(grid, width, dpi, density, labels, index, -1 if against else 1, title)
    draw(palette, output, config=config)
    typer.echo(f"wrote {output}")
