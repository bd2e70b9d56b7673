"""`pellucid curves angles`: from sharp corners over rounded ones to curves."""

from typing import Annotated

import typer

from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.curve_units import Radius, Step, StudyOption, Units, open_units, orientations, refuse_many, several
from pellucid.cli.options import Device, NetworkName, Weights, print_table


def angles(
    network: NetworkName,
    units: Units,
    study: StudyOption = None,
    rounding: Annotated[
        str | None,
        typer.Option(
            help="Radii of the corners in px; by default 0, 0.5 and 1 effective diameters of the unit's field."
        ),
    ] = None,
    opening: Annotated[
        str | None, typer.Option(help="Openings of the angles in degrees; by default 16 from 180 to 30.")
    ] = None,
    radius: Radius = None,
    step: Step = 5.0,
    style: Annotated[str, typer.Option(help="How they are drawn, such as line or fill.")] = "line",
    top: Annotated[
        float | None, typer.Option(help="The value that the figure's colours end at; the greatest unless said.")
    ] = None,
    output: Output = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Show angles to units, then angles with rounder and rounder corners, then curves.

    A curve detector answers to each step more strongly than to the one before. Radii of curves are as many as openings.
    """
    from pellucid.curves.synthetic import angle_series, heatmap_figure
    from pellucid.curves.synthetic.tables import angle_rows, readable, summaries
    from pellucid.curves.synthetic.tuning import looks_of
    from pellucid.curves.tuning_curves import csv_text

    refuse_other_endings(output)
    looks_of([style])
    turned, corners = orientations(step), several(rounding, "rounding")
    openings, radii = several(opening, "opening"), several(radius, "radius")
    shown = open_units(network, units, study, weights, device)
    refuse_many(shown.units, output)
    series = angle_series(
        shown.network, shown.layer, shown.units, scale=shown.scale, style=style, orientations=turned,
        openings=openings, roundings=corners, radii=radii, sight=shown.sight, progress=True,
    )  # fmt: skip
    rows = angle_rows(series)
    print_table(table_of(readable(rows)))
    shown.say()
    rising = sum(row["rises"] for row in rows)
    typer.echo(f"{rising} of {len(rows)} units rise from each step to the next; as shares of the response to curves:")
    for line in summaries(rows, [name for name in rows[0] if name.startswith("ratio_")]):
        typer.echo(f"  median {line}")
    by_unit = {unit: {_title(one.sweep): one for one in of.maps} for unit, of in series.items()}
    write_results(
        output,
        figure=lambda: heatmap_figure(by_unit, diameter=shown.sight.diameter, top=top),
        csv=lambda: csv_text(rows),
        data=lambda: {
            "format": 1,
            **shown.describe(),
            "measures": rows,
            "heatmaps": [
                {**one.describe(), "rounding": rounding}
                for of in series.values()
                for one, rounding in zip(of.maps, (*of.roundings, None), strict=True)
            ],
        },
    )


def _title(sweep) -> str:
    if sweep.kind == "curve":
        return "curves"
    return f"angles rounded by {sweep.rounding:.3g} px" if sweep.rounding else "angles"
