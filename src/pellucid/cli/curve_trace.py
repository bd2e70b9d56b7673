"""`pellucid curves trace`: a spline that a layer takes for the curve in an image."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.curve_scenes import Contrast, FirstSeed, Noise, Size, either, load_picture, noisy_style, open_family
from pellucid.cli.curve_units import Units
from pellucid.cli.options import Device, NetworkName, Weights, parse_numbers, print_table

if TYPE_CHECKING:
    from pellucid.curves.extraction import Scene
    from pellucid.curves.tracing import Trace
    from pellucid.networks import Network

_MOST = 6  # traces in one figure


def trace(
    network: NetworkName,
    units: Units,
    image: Annotated[
        list[Path] | None, typer.Argument(metavar="[IMAGE]...", help="Pictures, in each of which a curve is traced.")
    ] = None,
    scenes: Annotated[
        int | None, typer.Option(min=1, help="In place of pictures: trace this many drawn arcs, and as many S curves.")
    ] = None,
    noise: Noise = "0",
    contrast: Contrast = 0.5,
    seen: Annotated[
        str | None,
        typer.Option(metavar="UNITS", help="Units that compare the drawn line with the image; all of the layer."),
    ] = None,
    start: Annotated[
        Literal["edges", "peaks"], typer.Option(help="Start from the extraction, or from where the family fires most.")
    ] = "edges",
    knots: Annotated[
        int | None, typer.Option(min=2, help="Control points; one for each tenth of the picture's side.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of the optimization.")] = 100,
    rate: Annotated[float, typer.Option(help="Length of the first steps in px.")] = 0.5,
    threshold: Annotated[float, typer.Option(help="Of the extraction that is started from.")] = 0.45,
    gap: Annotated[
        float | None, typer.Option(help="Gaps that are bridged at the start, in px; .3 of the picture's side.")
    ] = None,
    seed: FirstSeed = 0,
    size: Size = None,
    output: Output = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Trace the longest curve that units of a layer see; or measure how well, on curves that are drawn.

    A spline is drawn, and its points follow the gradient through the network until the layer answers to the drawing as
    to the image. With --scenes, the table has the distances in px between traced and true curve.
    """
    from pellucid.curves.tracing import trace_curve, trace_figure
    from pellucid.curves.tuning_curves import csv_text
    from pellucid.errors import PellucidError
    from pellucid.progress import progress_bar
    from pellucid.study.selection import parse_units

    refuse_other_endings(output)
    either(image, scenes)
    found, layer, chosen, shape = open_family(network, units, weights, device, size)
    compared = None if seen is None else parse_units(seen, found.spatial_layer(layer).channels)
    options: dict[str, Any] = {
        "seen": compared, "start": start, "knots": knots, "steps": steps, "rate": rate, "threshold": threshold,
        "gap": gap,
    }  # fmt: skip
    known = _scenes(found, scenes, seed, shape, noise, contrast) if scenes is not None else {}
    shown = {name: scene.image for name, scene in known.items()}
    shown |= {path.name: load_picture(found, path, shape) for path in image or []}
    traces: dict[str, Trace] = {}
    with progress_bar("traces", len(shown)) as advance:
        for name, picture in shown.items():
            try:
                traces[name] = trace_curve(found, picture, layer, chosen, **options)
            except PellucidError as error:
                if not known:
                    raise
                typer.echo(f"{name}: {error}")
            advance(1)
    rows = [_row(name, one, known.get(name)) for name, one in traces.items()]
    lost = len(shown) - len(traces)
    if known:
        print_table(table_of(summary(rows)))
        typer.echo(f"{lost} of {len(shown)} curves were not found at all")
    else:
        print_table(table_of(rows))
    drawn = list(traces)[:_MOST]
    write_results(
        output,
        figure=lambda: trace_figure([shown[name] for name in drawn], [traces[name] for name in drawn]),
        csv=lambda: csv_text(rows),
        data=lambda: {
            "network": found.describe(),
            "layer": layer,
            "units": chosen,
            **options,
            "traces": [row | {"points": traces[row["name"]].points.round(3).tolist()} for row in rows],
        },
    )


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each kind of curve the mean and the worst of the distances, and how many are within 2 px on average."""
    import numpy as np

    found = []
    for kind in dict.fromkeys(row["name"].rsplit(" ", 1)[0] for row in rows):
        own = [row for row in rows if row["name"].rsplit(" ", 1)[0] == kind]
        errors = np.array([[row["start_error"], row["error"], row["p95"], row["greatest"]] for row in own])
        means, worst = errors.mean(axis=0).tolist(), errors.max(axis=0).tolist()
        found.append({
            "curves": kind, "traced": len(own), "start_error": means[0], "error": means[1], "p95": means[2],
            "greatest": means[3], "worst_error": worst[1], "within_2_px": float((errors[:, 1] <= 2).mean()),
        })  # fmt: skip
    return found


def _scenes(
    network: "Network", count: int, seed: int, size: tuple[int, int], noise: str, contrast: float
) -> dict[str, "Scene"]:
    from pellucid.curves.extraction import curve_scene, s_scene

    return {
        f"{kind}, noise {deviation:g} {seed + k}": make(
            seed + k, size, style=noisy_style(deviation, contrast), channels=network.channels
        )
        for deviation in parse_numbers(noise, float, "noise")
        for kind, make in (("arcs", curve_scene), ("S curves", s_scene))
        for k in range(count)
    }


def _row(name: str, one: "Trace", scene: "Scene | None") -> dict[str, Any]:
    from pellucid.curves.tracing import trace_error
    from pellucid.curves.tracing.spline import length_of

    row = {"name": name, "length": length_of(one.points), "knots": len(one.knots), "width": one.width, "loss": one.loss}
    if scene is None:
        return row
    before, after = trace_error(one.start, scene), trace_error(one.points, scene)
    return row | {
        "start_error": before.mean, "error": after.mean, "away": after.away, "missed": after.missed, "p95": after.p95,
        "greatest": after.greatest,
    }  # fmt: skip
