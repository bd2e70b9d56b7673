"""`pellucid curves attribution`: what the neurons of an earlier layer give to a unit."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.curve_results import table_of
from pellucid.cli.options import Device, NetworkName, Weights, load_network, parse_numbers, parse_size, print_table
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from pellucid.curves.attributions import LinearAttribution
    from pellucid.networks import Network

_PICTURES, _DATA = (".png", ".webp", ".jpg", ".jpeg"), (".csv", ".json")
Output = Annotated[
    list[Path] | None,
    typer.Option("--output", "-o", help="A picture, .png, .webp or .jpg, or data, .csv or .json; several times."),
]


def attribution(
    network: NetworkName,
    units: Annotated[
        str, typer.Argument(metavar="UNITS", help="One unit, 'layer:17' or 'layer:17@row,column'; or a family's.")
    ],
    image: Annotated[
        list[Path] | None, typer.Option(help="A picture; several times. One of the input's size is shown as it is.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option(help="A study with a harvest of the layer: the unit's highest examples in it.")
    ] = None,
    quilt: Annotated[bool, typer.Option("--quilt", help="With --study: examples of every bin of activation.")] = False,
    labelled: Annotated[
        str | None,
        typer.Option(help="With --study: active images that raters gave this label, such as 'unrelated'."),
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="With --labelled: the labels, a CSV file, instead of the study's own.")
    ] = None,
    previous: Annotated[
        str | None, typer.Option(help="The layer to attribute to; the nearest rectified one on all ways.")
    ] = None,
    position: Annotated[
        str | None, typer.Option(help="With --image: ROW,COLUMN of the unit's map, center, or max.")
    ] = None,
    picture: Annotated[bool, typer.Option("--picture", help="Render the attribution as well.")] = False,
    tuning: Annotated[
        Path | None, typer.Option(help="Of a family: tuning curves of both layers, to order units by direction.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Examples, and upstream units of each sign in the table.")] = 9,
    rows: Annotated[int, typer.Option(min=1, help="Of a quilt: examples in a column.")] = 4,
    columns: Annotated[str | None, typer.Option(help="Of a quilt: how many at most, or edges of bins.")] = None,
    images: Annotated[
        str | None, typer.Option(metavar="WHERE", help="Where the study's photographs are now, if they were moved.")
    ] = None,
    size: Annotated[str | None, typer.Option(help="With --image: pixels a side, or HEIGHTxWIDTH.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of rendering.")] = 128,
    seed: Annotated[int, typer.Option(help="Of rendering.")] = 0,
    output: Output = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Split a unit's activation before its rectifier into what each neuron of an earlier layer gives it.

    The table gives sum, constant and pre-activation of each image, and what is left over; then the upstream units that
    excite and inhibit the unit most. Of several units, a family, the mean attribution of each to each upstream unit.
    """
    for path in output or []:
        if path.suffix.lower() not in (*_PICTURES, *_DATA):
            raise PellucidError(f"attributions are written as .png, .webp, .jpg, .csv or .json, not {path.suffix!r}")
    if (study is None) == (not image):
        raise PellucidError("give pictures with --image FILE, or a study with --study STUDY")
    if study is None and (quilt or labelled or answers):
        raise PellucidError("--quilt, --labelled and --answers are about a study: give it with --study STUDY")
    if quilt and labelled:
        raise PellucidError("give --quilt or --labelled, not both")
    found = load_network(network, weights, device)
    layer, chosen, place = _units(found, units, position)
    if study is not None:
        if len(chosen) > 1:
            raise PellucidError(
                "several units are attributed on pictures that all are shown: give --image, not --study"
            )
        _of_study(
            found, layer, chosen[0], study, output, quilt=quilt, labelled=labelled, answers=answers, count=count,
            rows=rows, columns=columns,
            options={"previous": previous, "source": images, "rendered": picture, "steps": steps, "seed": seed},
        )  # fmt: skip
        return
    shown = _load(found, image or [], size)
    names = [path.name for path in image or []]
    if len(chosen) > 1:
        _of_family(found, layer, chosen, shown, previous, place, tuning, count, output)
    else:
        _of_images(found, layer, chosen[0], shown, names, previous, place, count, output, picture, steps, seed)


def _units(network: "Network", text: str, position: str | None) -> tuple[str, list[int], Any]:
    """The layer, its units, and the position that is meant."""
    from pellucid.study.selection import parse_units, split_units
    from pellucid.units import Unit

    if "@" in text:
        unit = Unit.parse(text)
        if position is not None or len(unit.position) != 2:
            raise PellucidError(f"{text!r}: give the position once, as 'layer:unit@row,column' or with --position")
        return unit.layer, [unit.index], unit.position
    layer, _ = split_units(text)
    chosen = parse_units(text, network.spatial_layer(layer).channels)
    if position in (None, "max", "center"):
        return layer, chosen, position
    numbers = parse_numbers(position or "", int, "position")
    if len(numbers) != 2:
        raise PellucidError(f"--position {position!r} is neither ROW,COLUMN nor center or max")
    return layer, chosen, numbers


def _load(network: "Network", paths: list[Path], size: str | None) -> "Tensor":
    """The network's view of pictures; of those that have its input's size, all of it."""
    import torch

    from pellucid.activations.images import Box, load_view, open_image, views

    height, width = parse_size(size) if size else network.size
    shown = []
    for path in paths:
        opened = open_image(path, network.channels)
        whole = opened.size == (width, height)
        box = Box(0, 0, width, height) if whole else views(opened.size, (1.0,), network.crop)[0]
        shown.append(load_view(opened, box, network, (height, width)))
    return torch.stack(shown)


def _of_images(
    network: "Network", layer: str, unit: int, shown: "Tensor", names: list[str], previous: str | None, place: Any,
    count: int, output: list[Path] | None, picture: bool, steps: int, seed: int,
) -> None:  # fmt: skip
    from pellucid.curves.attributions import attribution_picture, attribution_sheet, linear_attribution

    found = linear_attribution(network, layer, unit, shown, previous=previous, position=place)
    rows = [{"image": name, **row} for name, row in zip(names, found.rows(), strict=True)]
    print_table(table_of(_said(rows)))
    typer.echo(_how(found))
    channels = found.by_channel(count)
    print_table(table_of(channels))

    def sheet() -> "Image":
        rendered = None
        if picture:
            rendered = attribution_picture(network, found, shown, steps=steps, seed=seed, progress=True)
        return attribution_sheet(network, found, shown, names=names, picture=rendered)

    about = {
        "format": 1, "network": network.describe(), "layer": layer, "unit": unit, "previous": found.previous,
        "through": list(found.through), "bypassed": found.bypassed, "exact": found.exact,
    }  # fmt: skip
    _write(output, sheet, rows, {**about, "images": rows, "channels": found.by_channel(found.channels.shape[1])})


def _of_study(
    network: "Network", layer: str, unit: int, study: Path, output: list[Path] | None, *, quilt: bool,
    labelled: str | None, answers: Path | None, count: int, rows: int, columns: str | None, options: dict[str, Any],
) -> None:  # fmt: skip
    from pellucid.cli.quilt import parse_columns
    from pellucid.curves.attributions import attribution_examples, attribution_quilt, false_positives
    from pellucid.study import Study

    opened = Study.open(study)
    options = {**options, "progress": True}
    if quilt:
        found = attribution_quilt(network, opened, layer, unit, columns=parse_columns(columns), rows=rows, **options)
    elif labelled:
        found = false_positives(network, opened, layer, unit, answers, label=labelled, count=count, **options)
    else:
        found = attribution_examples(network, opened, layer, unit, count=count, **options)
    table = found.rows()
    print_table(table_of(_said(table)))
    typer.echo(f"attributed to {found.previous}{_through(found.through)}")
    about = {"format": 1, "network": network.describe(), "layer": layer, "unit": unit, "previous": found.previous}
    _write(output, found.sheet, table, {**about, "through": list(found.through), "examples": table})


def _of_family(
    network: "Network", layer: str, units: list[int], shown: "Tensor", previous: str | None, place: Any,
    tuning: Path | None, count: int, output: list[Path] | None,
) -> None:  # fmt: skip
    from pellucid.curves.attributions import family_attribution, family_attribution_figure
    from pellucid.curves.tuning_curves import read_tuning_curves

    curves = read_tuning_curves(tuning) if tuning else None
    found = family_attribution(network, layer, units, shown, previous=previous, position=place, curves=curves)
    table = found.rows(count)
    print_table(table_of(table))
    typer.echo(f"attributed to {found.previous}; the largest remainder is {abs(found.remainder).max():.2g}")
    _write(output, lambda: _rasterized(family_attribution_figure(found)), table, found.record())


def _rasterized(figure: Any) -> "Image":
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")


def _how(found: "LinearAttribution") -> str:
    """What the attribution goes through, and whether it adds up."""
    text = f"attributed to {found.previous}{_through(found.through)}"
    if found.bypassed:
        text += "; some of the image comes on ways around it, which is in the constant"
    if not found.exact:
        text += "; NOT exact: something between is not piecewise linear, and the difference is what it leaves over"
    return text


def _through(names: tuple[str, ...]) -> str:
    return f", through {', '.join(names)}, held as the image puts them" if names else ""


def _said(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the small difference in full."""
    return [{**row, "difference": f"{row['difference']:.1e}"} for row in rows]


def _write(output: list[Path] | None, sheet: Any, rows: list[dict[str, Any]], record: dict[str, Any]) -> None:
    from pellucid.curves.tuning_curves import csv_text
    from pellucid.pictures import save
    from pellucid.study import write_bytes, write_json

    for path in output or []:
        match path.suffix.lower():
            case ".csv":
                write_bytes(path, csv_text(rows).encode())
            case ".json":
                write_json(path, record)
            case _:
                save(path, sheet(), {key: record[key] for key in ("layer", "previous")})
        typer.echo(f"wrote {path}")
