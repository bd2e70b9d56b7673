"""`pellucid atlas query`: the images of a study that are nearest to a cell, a path or a mixture of cells."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pellucid.cli.options import print_table
from pellucid.errors import AtlasError

CellsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="GRID.ROW.COLUMN[*WEIGHT]", help="A cell; several are added, with their weights."),
]


def query(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A harvested study with a finished atlas.")],
    cell: CellsOption = None,
    path: Annotated[
        str | None, typer.Option(metavar="X,Y;X,Y", help="Points of a path through the map, from 0 to 1 each.")
    ] = None,
    grid: Annotated[int | None, typer.Option(min=1, help="The grid whose cells a path takes; the finest.")] = None,
    atlas: Annotated[str | None, typer.Option(help="The atlas, if there are several.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Images to find.")] = 20,
    exact: Annotated[bool, typer.Option(help="Compare with every activation instead of asking the index.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also a sheet of the images found: .png, .webp or .jpg.")
    ] = None,
) -> None:
    """Find the images of a study in which a concept is: with the activations nearest to cells of an atlas.

    Cells are added into one vector; along a path, the best of any of its cells counts. Each image is listed once, by
    the cosine of its best activation. The index is made at the first query and kept beside the activations.
    """
    import numpy as np

    from pellucid.atlas.palette import Palette, parse_cell
    from pellucid.atlas.query import ImageIndex
    from pellucid.pictures import check_suffix
    from pellucid.study import Study

    if (cell is None) == (path is None):
        raise AtlasError("say what to look for: either cells with --cell, or a path with --path")
    if output is not None:
        check_suffix(output)
    opened = Study.open(study)
    palette = Palette.open(opened, atlas)
    if path is not None:
        steps = palette.along(_points(path), grid or palette.grids[-1])
        vectors = np.stack([palette.mix([step]) for step in steps])
    else:
        vectors = palette.mix([parse_cell(text) for text in cell or ()])[None]
    with Console(stderr=True).status("searching"):
        found = ImageIndex.open(opened, palette.record.layer, exact=exact).images(vectors, limit)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        table = Table("cosine", "image", "row, column", box=None, pad_edge=False)
        for one in found:
            table.add_row(f"{one.score:.3f}", one.name, f"{one.place[0]}, {one.place[1]}")
        print_table(table)
    if output is not None:
        _save(opened, found, output)


def _points(text: str) -> list[tuple[float, float]]:
    try:
        points = [tuple(float(number) for number in point.split(",")) for point in text.split(";")]
        return [(x, y) for x, y in points]
    except ValueError:
        raise AtlasError(f"{text!r} is no path; write points X,Y from 0 to 1, separated by semicolons") from None


def _save(study, found, output: Path) -> None:
    """Write the views in which something was found as a sheet."""
    import math

    import numpy as np

    from pellucid.activations.sources import reopen
    from pellucid.pictures import save, sheet

    source = reopen(study.manifest.images)
    pictures = [source.open(one.image).resize((160, 160), box=one.box) for one in found]
    columns = math.ceil(math.sqrt(len(pictures)))
    save(output, sheet([np.asarray(picture) for picture in pictures], columns, gap=4, background=255))
    typer.echo(f"wrote {output}")
