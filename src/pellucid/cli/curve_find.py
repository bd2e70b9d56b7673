"""`pellucid curves find`: which units of a network are curve detectors."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.options import Device, NetworkName, Weights, command_line, load_network, print_table

if TYPE_CHECKING:
    from pellucid.curves.finder import Found
    from pellucid.curves.tuning_curves import TuningCurve


def find(
    network: NetworkName,
    images: Annotated[str, typer.Option(metavar="WHERE", help="The dataset: a folder, or what harvest takes.")],
    layers: Annotated[
        str | None, typer.Option(help="Layers, separated by commas; by default all that end with a rectifier.")
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(metavar="STUDY", help="A study to write the result to, for its page; interrupted work goes on."),
    ] = None,
    null: Annotated[
        str, typer.Option(help="Networks to compare with, of permuted, shuffled, random; or none.")
    ] = "permuted,shuffled",
    rounds: Annotated[int, typer.Option(min=1, help="Null networks of each kind.")] = 1,
    natural: Annotated[bool, typer.Option(help="Confirm curve detectors by rotated photographs.")] = True,
    orientations: Annotated[int, typer.Option(min=8, help="Orientations of curves about the circle.")] = 48,
    seed: Annotated[int, typer.Option(help="Of the null networks and the noise.")] = 0,
    best: Annotated[int, typer.Option(min=0, help="Units listed that are not mature, the best of them.")] = 10,
    weights: Weights = None,
    device: Device = "cpu",
    output: Output = None,
) -> None:
    """Find curve detectors in all layers of a network, beside what chance finds in networks without structure.

    Prints a table of layers, the false discovery rates, the curve detectors with their directions, and their families.
    """
    from pellucid.curves.families import describe_family
    from pellucid.curves.finder import FinderConfig, find_curves, found_record
    from pellucid.curves.layers import summary_line
    from pellucid.curves.tuning_curves import csv_text, radial_figure

    refuse_other_endings(output)
    config = FinderConfig(
        orientations=orientations,
        nulls=tuple(name.strip() for name in null.split(",") if name.strip() not in ("", "none")),  # type: ignore[arg-type]
        rounds=rounds,
        natural=natural,
        seed=seed,
    )
    loaded = load_network(network, weights, device)
    names = [name.strip() for name in layers.split(",")] if layers else None
    found = find_curves(loaded, images, names, config=config, study=study, command=command_line(), progress=True)
    print_table(table_of(found.layer_rows()))
    for line in _discoveries(found):
        typer.echo(line)
    rows = found.unit_rows(kinds=("mature",), best=best)
    print_table(table_of(rows, leave_out=("note", "ring_over_curve", "grating_over_curve", "argmax")))
    for layer in found.layers:
        for number, family in enumerate(found.families(layer.layer), start=1):
            of = {unit: curve for unit, curve in layer.curves("mature").items() if unit in family.units}
            typer.echo(f"{layer.layer}, family {number}: {summary_line(describe_family(of), of)}")
    if study is not None:
        typer.echo(f"the result is in {study}")
    drawn = _drawn(found)
    if not drawn:
        typer.echo("no curve detectors to draw")
        output = [path for path in output or [] if path.suffix.lower() in (".csv", ".json")]
    write_results(
        output,
        figure=lambda: radial_figure(drawn),
        csv=lambda: csv_text(found.unit_rows(best=100)),
        data=lambda: found_record(found),
    )


def _discoveries(found: "Found") -> list[str]:
    from pellucid.curves.finder.found import KINDS

    lines = []
    for kind in KINDS:
        one = found.false_discoveries(kind)
        text = f"{kind}: {one.real}"
        if one.nulls:
            chance = ", ".join(f"{count} {name}" for name, count in zip(found.nulls, one.nulls, strict=True))
            text += f", in null networks {chance}"
        if math.isfinite(one.rate):
            text += f"; false discovery rate {one.rate:.3f}, at most {one.most:.3f} (95 %)"
        lines.append(text)
    return lines


def _drawn(found: "Found") -> "dict[str, dict[str, TuningCurve]]":
    """What the figure shows: mature curve detectors by layer, proto ones where there is none of those."""
    for kind in ("mature", "proto"):
        drawn = {f"{layer.layer}, {kind}": layer.curves(kind) for layer in found.layers if layer.count(kind)}
        if drawn:
            return drawn
    return {}
