"""`pellucid curves comb`: whether ticks on a curve excite units that detect curves."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.curve_compose import TuningFile
from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.curve_scenes import open_family
from pellucid.cli.curve_units import Units, several
from pellucid.cli.options import Device, NetworkName, Weights, print_table

if TYPE_CHECKING:
    from pellucid.curves.combing import Combing


def comb(
    network: NetworkName,
    units: Units,
    tuning: TuningFile = None,
    spacing: Annotated[str, typer.Option(help="Of the ticks along the curve, in px.")] = "4,8,12",
    length: Annotated[str, typer.Option(help="Of the ticks, in px.")] = "6",
    offset: Annotated[str, typer.Option(help="Degrees that curves turn from what the unit prefers.")] = "-10,0,10",
    radius: Annotated[
        str | None, typer.Option(help="Radii of curves in px; .8 and 1.4 effective diameters of the unit's field.")
    ] = None,
    phase: Annotated[
        str, typer.Option(help="Shares of the spacing that ticks are moved by along the curve.")
    ] = "0,0.5",
    style: Annotated[str, typer.Option(help="How they are drawn, such as line or line-inverse.")] = "line",
    seed: Annotated[int, typer.Option(help="Of the tilts of random ticks.")] = 0,
    output: Output = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Measure the combing index of units: how much more they answer to their own curve when ticks stand on it.

    It is the change over the answer to the plain curve, with its 95 % interval, for perpendicular ticks on either side,
    and less that of the same ticks parallel to the curve or tilted at random.
    """
    from pellucid.curves.combing import combing_figure, measure_combing
    from pellucid.curves.synthetic.tuning import looks_of
    from pellucid.curves.tuning_curves import csv_text, read_tuning_curves

    refuse_other_endings(output)
    looks_of([style])
    numbers: dict[str, Any] = {
        "spacings": several(spacing, "spacing"), "lengths": several(length, "length"),
        "offsets": several(offset, "offset"), "radii": several(radius, "radius"), "phases": several(phase, "phase"),
    }  # fmt: skip
    curves = None if tuning is None else read_tuning_curves(tuning)
    found, layer, chosen, _ = open_family(network, units, weights, device, None)
    measured = measure_combing(found, layer, chosen, tuning=curves, **numbers, seed=seed, style=style, progress=True)
    rows = [row for one in measured for row in one.rows()]
    print_table(table_of([said for one in measured for said in _said(one)]))
    if len(measured) < len(chosen):
        typer.echo(f"{len(chosen) - len(measured)} of {len(chosen)} units answer to no curve, and are left out")
    for side in dict.fromkeys(row["side"] for row in rows):
        own = [row for row in rows if row["side"] == side]
        combed = sum(row["index low"] is not None and row["index low"] > 0 for row in own)
        typer.echo(f"ticks {side}: {combed} of {len(own)} units answer more, by the whole interval")
    write_results(
        output,
        figure=lambda: combing_figure(measured),
        csv=lambda: csv_text(rows),
        data=lambda: {
            "network": found.describe(),
            "layer": layer,
            **numbers,
            "style": style,
            "seed": seed,
            "rows": rows,
        },
    )


def _said(one: "Combing") -> list[dict[str, Any]]:
    """The rows of a unit for the terminal, each index with its interval in one column."""
    from pellucid.curves.combing import SIDES

    return [
        {
            "unit": one.unit, "normal": f"{one.normal:.1f}", "side": side, "index": str(one.index(side)),
            "over parallel": str(one.index(side, against="parallel")),
            "over random": str(one.index(side, against="random")), "best spacing": f"{one.best(side)[0]:g}",
            "best length": f"{one.best(side)[1]:g}",
        }
        for side in SIDES
    ]  # fmt: skip
