"""`pellucid curves heatmap`: orientation by curvature, in one style or compared over several."""

from typing import Annotated

import typer

from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.curve_units import (
    Radius,
    Seeds,
    Step,
    StudyOption,
    Units,
    open_units,
    orientations,
    refuse_many,
    several,
)
from pellucid.cli.options import Device, NetworkName, Weights, parse_numbers, print_table


def heatmap(
    network: NetworkName,
    units: Units,
    study: StudyOption = None,
    styles: Annotated[
        str,
        typer.Option(help="How curves are drawn, such as line,fill,colour,noise; others are compared to the first."),
    ] = "line",
    step: Step = 5.0,
    radius: Radius = None,
    seed: Seeds = "0",
    top: Annotated[
        float | None, typer.Option(help="The value that the figure's colours end at; the greatest unless said.")
    ] = None,
    output: Output = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Show curves of all orientations and curvatures to units, as lines and in other looks.

    Rows go from flat to tight, columns by the direction of the centre of curvature. The table gives for each style the
    strongest stimulus, how it fires, and how its heatmap compares with that of the first style.
    """
    from pellucid.curves.synthetic import cosmetic_heatmaps, heatmap_figure
    from pellucid.curves.synthetic.tables import heatmap_rows, readable, summaries
    from pellucid.curves.synthetic.tuning import looks_of
    from pellucid.curves.tuning_curves import csv_text

    refuse_other_endings(output)
    names = list(dict.fromkeys(name.strip() for name in styles.split(",") if name.strip()))
    looks_of(names)
    angles, radii, seeds = orientations(step), several(radius, "radius"), parse_numbers(seed, int, "seeds")
    shown = open_units(network, units, study, weights, device)
    refuse_many(shown.units, output)
    maps = cosmetic_heatmaps(
        shown.network, shown.layer, shown.units, styles=names, scale=shown.scale, orientations=angles, radii=radii,
        seeds=seeds, sight=shown.sight, progress=True,
    )  # fmt: skip
    rows = heatmap_rows(maps)
    print_table(
        table_of(readable(rows), leave_out=() if len(names) > 1 else ("style", "correlation", "peak_ratio", "shift"))
    )
    shown.say()
    for name in names[1:]:
        of = [row | {"size_of_shift": _size(row["shift"])} for row in rows if row["style"] == name]
        measures = ", ".join(summaries(of, ("correlation", "peak_ratio", "size_of_shift")))
        typer.echo(f"{name} to {names[0]}: median {measures}")
    by_unit = {unit: {name: maps[name][unit] for name in names} for unit in maps[names[0]]}
    write_results(
        output,
        figure=lambda: heatmap_figure(by_unit, diameter=shown.sight.diameter, top=top),
        csv=lambda: csv_text(rows),
        data=lambda: {
            "format": 1,
            **shown.describe(),
            "measures": rows,
            "heatmaps": [one.describe() for of in maps.values() for one in of.values()],
        },
    )


def _size(shift: float | None) -> float | None:
    return None if shift is None else abs(shift)
