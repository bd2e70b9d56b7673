"""`pellucid curves extract`: the curves in an image, by attribution from a family of curve detectors."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.curve_scenes import Contrast, FirstSeed, Noise, Size, either, load_picture, noisy_style, open_family
from pellucid.cli.curve_units import Units
from pellucid.cli.options import Device, NetworkName, Weights, parse_numbers, print_table

if TYPE_CHECKING:
    from pellucid.curves import Style
    from pellucid.curves.extraction import Comparison, Scene
    from pellucid.networks import Network

_PHOTOGRAPHS = 100  # that are held in memory for textures


def extract(
    network: NetworkName,
    units: Units,
    image: Annotated[Path | None, typer.Argument(metavar="[IMAGE]", help="A picture with curves in it.")] = None,
    scenes: Annotated[
        int | None,
        typer.Option(min=2, help="In place of a picture: score so many drawn scenes against Canny's edges."),
    ] = None,
    noise: Noise = "0.1,0.15,0.2,0.25",
    contrast: Contrast = 0.5,
    images: Annotated[
        Path | None, typer.Option(help="Of scenes: a folder of photographs that curves lie in, in place of noise.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="A picture whose white lines are the true ones: scores the extraction."),
    ] = None,
    tolerance: Annotated[float, typer.Option(min=0, help="Of scores, in px.")] = 3.0,
    threshold: Annotated[
        float, typer.Option(help="Share of the family's greatest activation from which on positions are explained.")
    ] = 0.2,
    smoothing: Annotated[float, typer.Option(help="Of the attribution, in px, before it is thinned.")] = 1.5,
    linking: Annotated[
        float, typer.Option(help="Weak pieces of a line are lifted by up to its inverse; 1 for not at all.")
    ] = 0.5,
    blur: Annotated[float, typer.Option(help="Of the picture that attribution starts from, in px.")] = 8.0,
    steps: Annotated[int, typer.Option(min=1, help="From the blurred picture to the picture.")] = 8,
    smooth: Annotated[
        float | None, typer.Option(help="Share gradients through max-pooling by activations to this power.")
    ] = None,
    seed: FirstSeed = 0,
    size: Size = None,
    output: Output = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Extract the lines that units of a layer answer to; or measure how well, on scenes that are drawn.

    With --scenes, F1 of the extraction stands beside that of Canny's edges in the best of 264 settings: the best of
    every scene (each), the best for all scenes of a row (one). The figure shows the first scene of every row.
    """
    refuse_other_endings(output)
    either(image, scenes)
    found, layer, chosen, shape = open_family(network, units, weights, device, size)
    options: dict[str, Any] = {
        "threshold": threshold, "smoothing": smoothing, "linking": linking, "blur": blur, "steps": steps,
        "smooth": smooth,
    }  # fmt: skip
    about = {"network": found.describe(), "layer": layer, "units": chosen, **options}
    if image is not None:
        _of_image(found, layer, chosen, image, shape, truth, tolerance, options, about, output)
        return
    styles = _styles(found, noise, contrast, images, shape)
    _of_scenes(found, layer, chosen, styles, scenes or 0, seed, shape, tolerance, options, about, output)


def _of_image(
    network: "Network",
    layer: str,
    units: list[int],
    path: Path,
    size: tuple[int, int],
    truth: Path | None,
    tolerance: float,
    options: dict[str, Any],
    about: dict[str, Any],
    output: list[Path] | None,
) -> None:
    from pellucid.curves.extraction import edge_score, extract_curves, extraction_figure
    from pellucid.curves.tuning_curves import csv_text

    picture = load_picture(network, path, size)
    extraction = extract_curves(network, picture, layer, units, **options)
    rows: list[dict[str, Any]] = [{
        "image": path.name, "units": len(units), "positions": int((extraction.response > 0).sum()),
        "activation": float(extraction.response.max()), "line_pixels": int((extraction.edges >= 0.45).sum()),
    }]  # fmt: skip
    others = {}
    if truth is not None:
        lines = load_picture(network, truth, size)[0].mean(dim=0).cpu().numpy() >= 0.5
        rows[0] |= edge_score(extraction.edges, lines, tolerance=tolerance)._asdict()
        others["truth"] = lines
    print_table(table_of(rows))
    write_results(
        output,
        figure=lambda: extraction_figure(picture, extraction, **others),
        csv=lambda: csv_text(rows),
        data=lambda: {**about, "image": path.name, "rows": rows, "edges": extraction.edges.round(4).tolist()},
    )


def _styles(
    network: "Network", noise: str, contrast: float, images: Path | None, size: tuple[int, int]
) -> "Mapping[str, Style | None]":
    """The styles of scenes, by what a row of the table is called."""
    if images is None:
        return {f"noise {value:g}": noisy_style(value, contrast) for value in parse_numbers(noise, float, "noise")}
    from pellucid.activations.images import find_images
    from pellucid.curves import Photograph
    from pellucid.curves.extraction import in_texture

    files = [images / one for one in find_images(images)[:_PHOTOGRAPHS]]
    return {"photographs": in_texture(Photograph.read(files, size, channels=network.channels), contrast)}


def _of_scenes(
    network: "Network",
    layer: str,
    units: list[int],
    styles: "Mapping[str, Style | None]",
    count: int,
    seed: int,
    size: tuple[int, int],
    tolerance: float,
    options: dict[str, Any],
    about: dict[str, Any],
    output: list[Path] | None,
) -> None:
    from pellucid.curves.extraction import MeanScore, compare_with_canny, curve_scene
    from pellucid.curves.tuning_curves import csv_text
    from pellucid.progress import progress_bar

    found: dict[str, Comparison] = {}
    first: dict[str, Scene] = {}
    with progress_bar("scenes", count * len(styles)) as advance:
        for name, style in styles.items():
            drawn = [curve_scene(seed + k, size, style=style, channels=network.channels) for k in range(count)]
            found[name] = compare_with_canny(network, drawn, layer, units, tolerance=tolerance, **options)
            first[name] = drawn[0]
            advance(count)
    rows = [{"texture": name, **one.row()} for name, one in found.items()]
    print_table(table_of(rows))
    for name, one in found.items():
        typer.echo(f"{name}: ahead of Canny by {one.ahead}, each at the best of every scene")
    if len(found) > 1:
        together = MeanScore.of([difference for one in found.values() for difference in one.differences])
        typer.echo(f"all {len(found)} textures: ahead by {together}")

    def figure() -> Any:
        from pellucid.curves.extraction import canny_edges, extract_curves, panels_figure

        rows = []
        for name, scene in first.items():
            edges = extract_curves(network, scene.image, layer, units, **options).edges
            one = found[name]
            rows.append({
                name: scene.image, "truth": scene.truth, "curves": edges >= one.threshold,
                "Canny": canny_edges(scene.image, *one.canny_setting),
            })  # fmt: skip
        return panels_figure(rows)

    write_results(output, figure=figure, csv=lambda: csv_text(rows), data=lambda: {**about, "seed": seed, "rows": rows})
