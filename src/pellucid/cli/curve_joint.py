"""`pellucid curves joint`: what units answer to photographs that are turned."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.curve_units import Units
from pellucid.cli.options import Device, NetworkName, Weights, load_network, print_table


def joint(
    network: NetworkName,
    units: Units,
    study: Annotated[Path, typer.Option(help="A study with a harvest of the layer, whose photographs are turned.")],
    examples: Annotated[int, typer.Option(min=1, help="Photographs of each unit: those that it fires at most.")] = 10,
    step: Annotated[
        float, typer.Option(help="Degrees from one turn to the next; a whole number of them go round.")
    ] = 5,
    reference: Annotated[
        str | None,
        typer.Option(metavar="UNITS", help="Turn the photographs of these units alone, such as 6; by default of all."),
    ] = None,
    align: Annotated[
        Literal["argmax", "mean"],
        typer.Option(
            help="Lay photographs upon each other where the unit itself answers most, or by its circular mean."
        ),
    ] = "argmax",
    side: Annotated[
        Literal["post", "pre"],
        typer.Option(help="Activations of the layer's output, 'post', or of what its rectifier is given, 'pre'."),
    ] = "post",
    beyond: Annotated[
        Literal["reflection", "grey"], typer.Option(help="What lies beyond a photograph: its mirror image, or grey.")
    ] = "reflection",
    window: Annotated[
        bool, typer.Option("--round", help="Show a round part of the photograph, so that no corners turn with it.")
    ] = False,
    images: Annotated[
        str | None,
        typer.Option(metavar="WHERE", help="Where the photographs are now, if they have been moved since the harvest."),
    ] = None,
    output: Output = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Turn the photographs that units fire at, and compare the directions that they prefer with those of drawn curves.

    Directions are outward normals. Of a family, the photographs tell how the units are turned against each other; the
    one angle that they leave open is chosen for the least difference. Each unit is also checked by the other units of
    its layer, which tell where its photographs point.
    """
    from pellucid.activations.summary.store import layer_record
    from pellucid.curves.natural import joint_figure, natural_family
    from pellucid.curves.tuning_curves import csv_text
    from pellucid.study import Study
    from pellucid.study.selection import parse_units, split_units

    refuse_other_endings(output)
    layer, _ = split_units(units)
    opened = Study.open(study)
    harvest = layer_record(opened, layer)
    chosen = parse_units(units, harvest.units)
    references = None if reference is None else parse_units(reference, harvest.units)
    found = natural_family(
        load_network(network, weights, device), opened, layer, chosen, references=references, examples=examples,
        step=step, side=side, align=align, beyond=beyond, window=window, source=images, progress=True,
    )  # fmt: skip
    rows = found.rows()
    print_table(table_of([_readable(row) for row in rows]))
    for line in _told(found):
        typer.echo(line)
    write_results(
        output,
        figure=lambda: joint_figure(found.orientations, title=f"{network} {layer}"),
        csv=lambda: csv_text(rows),
        data=lambda: {**found.record(), "network": network, "step": step},
    )


def _told(found: Any) -> list[str]:
    """The results in words."""
    photographs = sum(len(joint.places) for joint in found.tunings.values())
    lines = [f"{found.layer}: {photographs} photographs of {len(found.tunings)} units, turned"]
    directions = found.orientations
    if directions.rms == directions.rms:
        lines.append(
            f"natural less drawn directions of {len(directions.natural)} units, once turned upon each other: rms "
            f"{directions.rms:.1f}°, largest {directions.most:.1f}°"
        )
    confirmed = sum(check.confirms() for check in found.checks.values())
    lines.append(f"told by the other units of the layer: {confirmed} of {len(found.checks)} confirmed within 15°")
    lines += [f"  {check.unit}: {check.note}" for check in found.checks.values() if check.note]
    if found.warning:
        lines.append(f"warning: {found.warning}; --round hides the corners")
    return lines


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """A row for the terminal: degrees with one decimal, answers in words."""
    shown = dict(row)
    for name in ("natural", "synthetic", "difference", "by_others"):
        if row[name] is not None:
            degrees = round(row[name], 1) + 0.0
            shown[name] = f"{degrees % 360 if name in ('natural', 'synthetic') else degrees:.1f}"
    if row["confirmed"] is not None:
        shown["confirmed"] = "yes" if row["confirmed"] else "no"
    return shown
