"""`pellucid curves compose`: the curves of images as factors of what a family answers to them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.curve_scenes import Contrast, FirstSeed, Size, either, load_picture, noisy_style, open_family
from pellucid.cli.curve_units import Units
from pellucid.cli.options import Device, NetworkName, Weights, print_table

if TYPE_CHECKING:
    from pellucid.curves.extraction import Scene
    from pellucid.networks import Network

TuningFile = Annotated[
    Path | None,
    typer.Option(help="Tuning curves of the units by outward normal, .json or .csv; without it they are measured."),
]
_MOST = 6  # images in one figure


def compose(
    network: NetworkName,
    units: Units,
    image: Annotated[
        list[Path] | None, typer.Argument(metavar="[IMAGE]...", help="Pictures; several have factors in common.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Factors.")] = 2,
    spread: Annotated[
        float, typer.Option(min=0, help="Smooth activations by so many positions first; 0 for not at all.")
    ] = 1.5,
    tuning: TuningFile = None,
    scenes: Annotated[
        int | None, typer.Option(min=1, help="In place of pictures: split this many drawn scenes of two curves.")
    ] = None,
    apart: Annotated[float, typer.Option(help="Of scenes: degrees that the two directions differ by at least.")] = 90.0,
    noise: Annotated[float, typer.Option(help="Of scenes: deviation of their 1/f noise.")] = 0.0,
    contrast: Contrast = 0.5,
    tolerance: Annotated[float, typer.Option(min=0, help="Of scenes: px about a line that belong to it.")] = 3.0,
    seed: FirstSeed = 0,
    size: Size = None,
    output: Output = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Factor activations over positions, and attribute the factors to the pixels; or measure it on drawn scenes.

    The table gives each factor's share, the outward normal that its units agree on, and the strongest of them. With
    --scenes, each has two curves and two factors, and the table has the intersection over union of their regions.
    """
    from pellucid.curves.composition import family_tuning
    from pellucid.curves.tuning_curves import read_tuning_curves

    refuse_other_endings(output)
    either(image, scenes)
    found, layer, chosen, shape = open_family(network, units, weights, device, size)
    curves = family_tuning(found, layer, chosen) if tuning is None else read_tuning_curves(tuning)
    about = {"network": found.describe(), "layer": layer, "units": chosen, "spread": spread}
    options = {"spread": spread, "tuning": curves}
    if image:
        _of_images(found, layer, chosen, image, shape, options | {"count": count}, about, output)
        return
    from pellucid.curves.extraction import two_curve_scene

    style, seeds = noisy_style(noise, contrast), range(seed, seed + (scenes or 0))
    drawn = {k: two_curve_scene(k, shape, apart=apart, style=style, channels=found.channels) for k in seeds}
    _of_scenes(found, layer, chosen, drawn, options | {"count": 2}, tolerance, about, output)


def _of_images(
    network: "Network",
    layer: str,
    units: list[int],
    paths: list[Path],
    size: tuple[int, int],
    options: dict[str, Any],
    about: dict[str, Any],
    output: list[Path] | None,
) -> None:
    import torch

    from pellucid.curves.composition import compose as composed
    from pellucid.curves.composition import composition_figure, factor_regions
    from pellucid.curves.tuning_curves import csv_text

    pictures = [load_picture(network, path, size) for path in paths]
    one = composed(network, torch.cat(pictures), layer, units, **options)
    rows = one.rows()
    print_table(table_of(rows))
    typer.echo(f"{len(paths)} images, relative error {one.factors.error:.3f}")
    write_results(
        output,
        figure=lambda: composition_figure(
            pictures[:_MOST],
            one,
            [factor_regions(network, picture, one, number=k) for k, picture in enumerate(pictures[:_MOST])],
        ),
        csv=lambda: csv_text(rows),
        data=lambda: {
            **about,
            "images": [path.name for path in paths],
            "factors": rows,
            "weights": one.weights.round(5).tolist(),
            "maps": one.factors.maps.double().numpy().round(5).tolist(),
        },
    )


def _of_scenes(
    network: "Network",
    layer: str,
    units: list[int],
    scenes: Mapping[int, "Scene"],
    options: dict[str, Any],
    tolerance: float,
    about: dict[str, Any],
    output: list[Path] | None,
) -> None:
    import numpy as np

    from pellucid.curves.composition import compose as composed
    from pellucid.curves.composition import factor_regions, split_of
    from pellucid.curves.tuning_curves import csv_text
    from pellucid.progress import progress_bar

    rows: list[dict[str, Any]] = []
    with progress_bar("scenes", len(scenes)) as advance:
        for seed, scene in scenes.items():
            one = composed(network, scene.image, layer, units, **options)
            split = split_of(factor_regions(network, scene.image, one).masks, scene.truths(), tolerance=tolerance)
            rows.append(
                {"scene": seed, "iou_first": split.ious[0], "iou_second": split.ious[1], "worse": min(split.ious)}
            )
            advance(1)
    worse = np.array([row["worse"] for row in rows])
    summary = {
        "scenes": len(rows), "iou": float(np.mean([[row["iou_first"], row["iou_second"]] for row in rows])),
        "worse_of_two": float(worse.mean()), "both_from_0.6": float((worse >= 0.6).mean()),
    }  # fmt: skip
    print_table(table_of([summary]))

    def figure() -> Any:
        from pellucid.curves.extraction import panels_figure

        drawn = []
        for seed, scene in list(scenes.items())[:_MOST]:
            one = composed(network, scene.image, layer, units, **options)
            masks = factor_regions(network, scene.image, one).masks
            drawn.append({f"scene {seed}": scene.image, "factor 0": masks[0], "factor 1": masks[1]})
        return panels_figure(drawn)

    write_results(
        output, figure=figure, csv=lambda: csv_text(rows), data=lambda: {**about, "summary": summary, "scenes": rows}
    )
