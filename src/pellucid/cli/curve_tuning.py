"""`pellucid curves tuning`: the radial tuning of a family, measured on a network."""

from typing import Annotated, Any

import typer

from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.curve_units import Radius, Seeds, Step, StudyOption, Units, open_units, orientations, several
from pellucid.cli.options import Device, NetworkName, Weights, parse_numbers, print_table


def tuning(
    network: NetworkName,
    units: Units,
    study: StudyOption = None,
    lines: Annotated[bool, typer.Option("--lines", help="Straight lines by direction in place of curves.")] = False,
    step: Step = 5.0,
    radius: Radius = None,
    style: Annotated[str, typer.Option(help="How they are drawn, such as line or fill.")] = "line",
    seed: Seeds = "0",
    output: Output = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Measure the radial tuning of units to curves, or to lines, on a network.

    The response is averaged over radii and goes by the outward normal. The .json is what the commands radial and
    families read. With a study, z is the strongest response in standard deviations, and fires the share of its
    positions where the unit is above 0.
    """
    from pellucid.curves.families import describe_family
    from pellucid.curves.layers import summary_line
    from pellucid.curves.synthetic import curve_heatmap, line_heatmap
    from pellucid.curves.synthetic.tuning import looks_of
    from pellucid.curves.tuning_curves import csv_text, measure_rows, radial_figure, tuning_record
    from pellucid.errors import PellucidError

    refuse_other_endings(output)
    looks_of([style])
    if lines and radius is not None:
        raise PellucidError("--radius is of curves; straight lines (--lines) have none")
    angles, radii = orientations(step, 180 if lines else 360), several(radius, "radius")
    options: dict[str, Any] = {"style": style, "orientations": angles, "seeds": parse_numbers(seed, int, "seeds")}
    shown = open_units(network, units, study, weights, device)
    options |= {"scale": shown.scale, "sight": shown.sight, "progress": True}
    given = shown.network, shown.layer, shown.units
    maps = line_heatmap(*given, **options) if lines else curve_heatmap(*given, radii=radii, **options)
    curves = {unit: one.radial() for unit, one in maps.items()}
    rows = measure_rows(curves)
    if shown.scale is not None:
        for row, number in zip(rows, shown.units, strict=True):
            row |= {"z": _known(maps[row["unit"]].peak), "fires": _known(float(shown.scale.fires[number]))}
    print_table(table_of(rows))
    shown.say()
    typer.echo(f"{shown.layer}: {summary_line(describe_family(curves), curves)}")
    write_results(
        output,
        figure=lambda: radial_figure({f"{shown.network.name} {shown.layer}": curves}),
        csv=lambda: csv_text(rows),
        data=lambda: {
            **tuning_record(curves),
            **shown.describe(),
            "kind": "line" if lines else "curve",
            "style": style,
            "measures": rows,
        },
    )


def _known(value: float) -> float | None:
    return value if value == value else None  # not NaN
