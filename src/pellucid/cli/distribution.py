"""`pellucid distribution`: how often units take which values."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pellucid.cli.options import print_table
from pellucid.errors import PellucidError

_FIGURES = (".png", ".svg")
_NOTES = 5  # reasons that are printed for tails that could not be fitted


def distribution(
    study: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="A study with summaries of a harvest.")
    ] = None,
    units: Annotated[
        str | None, typer.Argument(metavar="[UNITS]", help="Units of a layer: layer:17, layer:3,5,9-12 or 'layer:*'.")
    ] = None,
    tap: Annotated[
        str | None,
        typer.Option(help="Before or after the rectifier: pre or post. By default pre where the layer has one."),
    ] = None,
    low: Annotated[
        float | None, typer.Option(help="Where the tail begins; by default at the first bin above 0.")
    ] = None,
    high: Annotated[
        float | None, typer.Option(help="Where its last bin begins; by default before bins of few values.")
    ] = None,
    least: Annotated[int, typer.Option(min=1, help="Values of the bins that a tail by default consists of.")] = 25,
    merge: Annotated[
        int | None,
        typer.Option(min=1, help="Neighbouring bins that the tail takes as one; by default as many as leave 12 bins."),
    ] = None,
    weighted: Annotated[bool, typer.Option(help="Weight the bins of the tail by their values.")] = False,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="A figure, .png or .svg, or data, .csv or .json; may be given several times."
        ),
    ] = None,
    resamples: Annotated[int, typer.Option(min=0, help="Draws of the bootstrap; 0 for no intervals.")] = 499,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    histogram: Annotated[
        Path | None, typer.Option(help="A published histogram instead of a study: JSON with bins and heights.")
    ] = None,
    at: Annotated[
        str, typer.Option(help="What the bins of that file are: left edges or centres, left or centre.")
    ] = "left",
    total: Annotated[
        int | None, typer.Option(min=1, help="How many values that file is of, where its densities do not tell.")
    ] = None,
) -> None:
    """Describe the distribution of units over all positions: numbers, intervals, and an exponential fit of the tail.

    Prints a table, and writes the distributions into the pages of the units in the study.
    """
    from pellucid.activations.distribution import rich_table

    if tap not in (None, "pre", "post"):
        raise PellucidError(f"--tap {tap!r} is neither pre nor post")
    for path in output or []:
        if path.suffix.lower() not in (*_FIGURES, ".csv", ".json"):
            raise PellucidError(f"distributions are written as .png, .svg, .csv or .json, not {path.suffix!r}")
    options: dict[str, Any] = {
        "low": low, "high": high, "least": least, "merge": merge, "weighted": weighted, "resamples": resamples,
        "seed": seed,
    }  # fmt: skip
    if histogram is not None:
        if study is not None:
            raise PellucidError("give a study and units, or --histogram FILE, not both")
        side, described = tap or "pre", _of_file(histogram, at, total, tap or "pre", options)
    elif study is None or units is None:
        raise PellucidError(
            "give a study and units, such as 'layer:17', or a published histogram with --histogram FILE"
        )
    else:
        drawn = any(path.suffix.lower() in _FIGURES for path in output or [])
        side, described = _of_study(study, units, tap, drawn, options)
    shown = {name: taps[side] for name, taps in described.items()}
    print_table(rich_table(shown))
    for name, one in [(name, one) for name, one in shown.items() if one.note][:_NOTES]:
        typer.echo(f"no tail of {name}: {one.note}")
    for path in output or []:
        _write(path, described, side, options)
        typer.echo(f"wrote {path}")


def _of_study(study: Path, units: str, tap: str | None, drawn: bool, options: dict[str, Any]):
    """The tap to show, and each unit's descriptions by tap, which are in the pages of the study then."""
    from pellucid.activations.distribution import describe_units, write_distributions
    from pellucid.activations.distribution.figure import MOST
    from pellucid.activations.summary.store import layer_record
    from pellucid.errors import StudyError
    from pellucid.study import Study
    from pellucid.study.selection import parse_units, split_units

    opened = Study.open(study)
    layer, _ = split_units(units)
    record = layer_record(opened, layer)
    side = tap or ("pre" if record.rectified else "post")
    if side not in record.taps:
        raise StudyError(f"the output of layer {layer!r} does not come out of a rectifier, so it has no --tap {side}")
    chosen = parse_units(units, record.units)
    if drawn and len(chosen) > MOST:
        raise PellucidError(f"a figure shows {MOST} units at most, not {len(chosen)}; write .csv or .json")
    found = describe_units(opened, layer, chosen, progress=True, **options)
    write_distributions(opened, layer, found, **options)
    return side, {f"{layer}:{unit}": taps for unit, taps in found.items()}


def _of_file(path: Path, at: str, total: int | None, tap: str, options: dict[str, Any]):
    """The description of the histogram in a file, by its name and tap."""
    from pellucid.activations.distribution import describe, read_histogram

    if at not in ("left", "centre"):
        raise PellucidError(f"--at {at!r} is neither left nor centre")
    found = read_histogram(path, at="centre" if at == "centre" else "left", total=total)
    typer.echo(f"{found.total:,} values, of which {found.unplaced:,} are in none of the bins")
    return {path.stem: {tap: describe(found, **options)}}


def _write(path: Path, described, side: str, options: dict[str, Any]) -> None:
    """Write a figure or a table of one tap, or the data of all taps."""
    from pellucid.activations.distribution import csv_text, figure, record, save_figure
    from pellucid.study import write_bytes, write_json

    shown = {name: taps[side] for name, taps in described.items()}
    match path.suffix.lower():
        case ".csv":
            write_bytes(path, csv_text(shown).encode())
        case ".json":
            content = [{"unit": name, **record(taps)} for name, taps in described.items()]
            write_json(path, {"format": 1, "config": options, "units": content})
        case _:
            what = "input of the rectifier" if side == "pre" else "activation"
            save_figure(path, figure(shown, what=what), {"tap": side, "units": list(shown), **options})
