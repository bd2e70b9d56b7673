"""`pellucid curves`: what tuning curves and labels in files say about curve detectors."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.curve_angles import angles
from pellucid.cli.curve_attribution import attribution
from pellucid.cli.curve_comb import comb
from pellucid.cli.curve_compose import compose
from pellucid.cli.curve_extract import extract
from pellucid.cli.curve_find import find
from pellucid.cli.curve_heatmap import heatmap
from pellucid.cli.curve_joint import joint
from pellucid.cli.curve_label import label
from pellucid.cli.curve_labels import labels
from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.curve_trace import trace
from pellucid.cli.curve_tuning import tuning
from pellucid.cli.options import print_table
from pellucid.cli.stimuli import stimuli
from pellucid.errors import PellucidError

_MOST = 24  # families in one figure

app = typer.Typer(no_args_is_help=True, help="Curve detectors: tuning, families, and what people see in them.")
app.command("angles")(angles)
app.command("attribution")(attribution)
app.command("comb")(comb)
app.command("compose")(compose)
app.command("extract")(extract)
app.command("find")(find)
app.command("heatmap")(heatmap)
app.command("joint")(joint)
app.command("label")(label)
app.command("labels")(labels)
app.command("stimuli")(stimuli)
app.command("trace")(trace)
app.command("tuning")(tuning)


@app.command("radial")
def radial(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Tuning curves: published radial data, or one's own .json or .csv.")
    ],
    output: Output = None,
) -> None:
    """Measure tuning curves: preferred direction, resultant length, echo, width, von Mises' fit, gaps and coverage."""
    from pellucid.curves.families import describe_family
    from pellucid.curves.layers import by_layer, summary_line
    from pellucid.curves.tuning_curves import csv_text, measure_rows, radial_figure, read_tuning_curves, tuning_record

    refuse_other_endings(output)
    curves = read_tuning_curves(file)
    rows, layers = measure_rows(curves), by_layer(curves)
    print_table(table_of(rows))
    for layer, of in layers.items():
        typer.echo(f"{layer}: {summary_line(describe_family(of), of)}")
    write_results(
        output,
        figure=lambda: radial_figure(layers),
        csv=lambda: csv_text(rows),
        data=lambda: {**tuning_record(curves), "measures": rows},
    )


@app.command("families")
def families(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Tuning curves: published radial data, or one's own.")
    ],
    alike: Annotated[
        float, typer.Option(help="Average correlation up to rotation from which on units are of one family.")
    ] = 0.85,
    template: Annotated[
        Path | None,
        typer.Option(help="Tuning curves of known curve detectors: their mean is the rule's template then."),
    ] = None,
    output: Output = None,
) -> None:
    """Apply the rule for curve detectors to tuning curves, and group those of one shape into families.

    Of the rule there is what a tuning curve alone tells: resultant length, echo, and correlation with the template.
    """
    from pellucid.curves.family_plot import family_figure
    from pellucid.curves.layers import judge_layers, summary_line
    from pellucid.curves.tuning_curves import TuningCurve, average, csv_text, read_tuning_curves

    refuse_other_endings(output)
    curves: dict[str, TuningCurve] = {}
    for file in files:
        for unit, curve in read_tuning_curves(file).items():
            if unit in curves:
                raise PellucidError(f"{file}: {unit} is in another of the files, too")
            curves[unit] = curve
    shape = average(list(read_tuning_curves(template).values())) if template else None
    found = judge_layers(curves, alike=alike, shape=shape)
    rows = [row for one in found.values() for row in one.rows()]
    print_table(table_of(rows, leave_out=("axis", "doubled_R", "peak", "kappa", "r2")))
    for layer, one in found.items():
        kinds = ", ".join(f"{len(one.of_kind(kind))} {kind}" for kind in ("mature", "proto", "double", "none"))
        typer.echo(f"{layer}: {kinds}, of {len(one.curves)} units")
        for family in one.families:
            typer.echo(f"  family: {summary_line(family, one.curves)}")
    drawn = {
        f"{layer}, family {number}: {len(family.units)} units": family
        for layer, one in found.items()
        for number, family in enumerate(one.families, start=1)
        if len(family.units) > 1
    }
    write_results(
        output,
        figure=lambda: family_figure(dict(list(drawn.items())[:_MOST]), curves),
        csv=lambda: csv_text(rows),
        data=lambda: {
            "format": 1,
            "alike": alike,
            "units": rows,
            "families": {layer: one.family_records() for layer, one in found.items()},
        },
    )
