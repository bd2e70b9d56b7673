"""`pellucid atlas paint`: a picture that a network sees painted cells of an atlas in."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pellucid.cli.options import Device, Weights, network_of
from pellucid.errors import AtlasError


def paint(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study with a finished atlas.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture: .png, .webp or .jpg.")],
    rectangle: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROWS,COLUMNS=CELL[+CELL...]",
            help="A rectangle of the canvas and the cells to paint it with: 0-6,0-13=20.3.11+20.4.11*0.5. Later ones "
            "lie over earlier ones; 'all' is the whole canvas.",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="JSON", help='A painting as the page sends it: {"atlas", "strokes"}.')
    ] = None,
    atlas: Annotated[str | None, typer.Option(help="The atlas, if there are several.")] = None,
    steps: Annotated[int, typer.Option(min=0, help="Steps of the optimization.")] = 128,
    power: Annotated[float, typer.Option(min=0, help="Power of the cosine in the objective.")] = 4.0,
    contrast: Annotated[
        float, typer.Option(min=0, max=1, help="How much of what all cells have in common is taken out of the paint.")
    ] = 0.6,
    size: Annotated[int | None, typer.Option(min=8, help="Pixels of the shorter side; the network's own.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the start.")] = 0,
    network: Annotated[str | None, typer.Option(help="The network, if not under the name in the study.")] = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Paint positions of a layer's map with cells of its atlas, and draw the picture that the network sees there.

    The canvas has the rows and columns of the layer's map. Printed are the cosine between the picture's activations and
    the paint, the share of painted positions whose nearest cell is the one that was painted, and the likeliest classes.
    """
    from pellucid.atlas.paint import PaintConfig, canvas_size
    from pellucid.atlas.paint import paint as draw
    from pellucid.atlas.palette import Palette
    from pellucid.pictures import check_suffix, save_sheet
    from pellucid.study import Study

    check_suffix(output)
    if (rectangle is None) == (file is None):
        raise AtlasError("say what to paint: either with --rectangle, or a painting with --file")
    opened = Study.open(study)
    content = _read(file) if file is not None else {}
    palette = Palette.open(opened, atlas or content.get("atlas"))
    found = network_of(opened, network, weights, device)
    opened.refuse_other_weights(found.name, found.digest)
    rows, columns = canvas_size(found, palette)
    strokes = content["strokes"] if content else _rectangles(rectangle or [], rows, columns)
    config = PaintConfig(steps, power, contrast, size, seed)
    painting = draw(found, palette, strokes, config=config, progress=True)
    about = {"atlas": palette.folder.name, "layer": palette.record.layer, "steps": steps, "seed": seed}
    save_sheet(output, painting.image[None].numpy(), 1, about)
    typer.echo(f"wrote {output}: {len(strokes)} of {rows} x {columns} positions painted")
    own = "" if painting.own_first != painting.own_first else f"; nearest cell is its own {painting.own_first:.0%}"
    typer.echo(f"mean cosine to the paint {float(painting.cosine.nanmean()):.3f}{own}")
    typer.echo("seen as " + ", ".join(f"{name} {value:.1%}" for name, value in painting.top))


def _rectangles(texts: list[str], rows: int, columns: int) -> list[tuple[int, int, tuple]]:
    """The strokes of rectangles, the later over the earlier."""
    from pellucid.atlas.palette import parse_cell

    strokes: dict[tuple[int, int], tuple] = {}
    for text in texts:
        place, equals, cells = text.partition("=")
        if not equals:
            raise AtlasError(f"{text!r} is no rectangle; write ROWS,COLUMNS=GRID.ROW.COLUMN, such as 0-6,0-13=20.3.11")
        spans = [f"0-{rows - 1}", f"0-{columns - 1}"] if place.strip() == "all" else place.split(",")
        if len(spans) != 2:
            raise AtlasError(f"{place!r} is no rectangle; write ROWS,COLUMNS, such as 0-6,0-13")
        brush = tuple(parse_cell(cell) for cell in cells.split("+"))
        down, across = _span(spans[0], rows, "row"), _span(spans[1], columns, "column")
        strokes |= {(row, column): brush for row in down for column in across}
    return [(row, column, brush) for (row, column), brush in sorted(strokes.items())]


def _span(text: str, count: int, what: str) -> range:
    first, dash, last = text.strip().partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise AtlasError(f"{text!r} are no {what}s; write one number, or two with a dash")
    span = range(int(first), int(last if dash else first) + 1)
    if not span or span[-1] >= count:
        raise AtlasError(f"{what}s {text} do not lie within the canvas, whose {what}s are 0 to {count - 1}")
    return span


def _read(file: Path) -> dict[str, Any]:
    """A painting as the page sends it."""
    try:
        content = json.loads(file.read_bytes())
        strokes = [
            (
                int(stroke["row"]),
                int(stroke["column"]),
                tuple(
                    (int(cell["grid"]), int(cell["row"]), int(cell["column"]), float(cell.get("weight", 1.0)))
                    for cell in stroke["cells"]
                ),
            )
            for stroke in content["strokes"]
        ]
        return {"atlas": content.get("atlas"), "strokes": strokes}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise AtlasError(f'{file} is no painting {{"atlas", "strokes"}}: {error!r}') from None
