"""`pellucid render`: pictures of units."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pellucid.cli.options import (
    Device,
    NetworkName,
    Weights,
    command_line,
    load_network,
    parse_numbers,
    parse_size,
)
from pellucid.errors import PellucidError
from pellucid.pictures import check_suffix

if TYPE_CHECKING:
    from torch import Tensor

    from pellucid.networks import Network

CanvasName = Literal["fourier", "pixels", "pyramid", "cppn", "maco"]
Backward = Literal["plain", "guided", "rectified", "deconvolution"]


def render(
    network: NetworkName,
    units: Annotated[
        list[str],
        typer.Argument(
            metavar="UNIT...",
            help="Objectives: 'layer:unit', 'layer:unit@row,column', 'layer:*', 'logit:985', or sums of them.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The picture to write: .png, .webp, .jpg.")
    ] = None,
    study: Annotated[Path | None, typer.Option(help="A study to draw into, picture by picture, with resume.")] = None,
    name: Annotated[str, typer.Option(help="What the pictures are called in the study.")] = "pictures",
    steps: Annotated[int | None, typer.Option(min=0, help="Steps of the optimization.")] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Pixels a side, HEIGHTxWIDTH, or 'field': what the layer's units see, doubled."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the start and the movements.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Pictures of each unit, from seeds that follow one another.")] = 1,
    diverse: Annotated[int, typer.Option(min=1, help="Pictures of each unit that must differ in style.")] = 1,
    diversity: Annotated[float, typer.Option(min=0, help="Weight of that difference.")] = 1.0,
    preset: Annotated[
        str, typer.Option(help="Settings for a family of networks; 'auto' finds it, 'none' has none.")
    ] = "none",
    canvas: Annotated[CanvasName | None, typer.Option(help="How parameters become a picture.")] = None,
    still: Annotated[bool, typer.Option("--still", help="Show the network the picture without any movements.")] = False,
    views: Annotated[int, typer.Option(min=1, help="Movements that are drawn for each step.")] = 1,
    tv: Annotated[float, typer.Option(min=0, help="Weight of the total variation, subtracted.")] = 0.0,
    lp: Annotated[float, typer.Option(min=0, help="Weight of the L6 norm about mid-gray, subtracted.")] = 0.0,
    init: Annotated[Path | None, typer.Option(metavar="IMAGE", help="A photograph to start from.")] = None,
    backward: Annotated[Backward, typer.Option(help="The gradient through rectifiers.")] = "plain",
    redirect: Annotated[bool, typer.Option(help="Let a gradient through to units that are dead at the start.")] = True,
    bfloat16: Annotated[bool, typer.Option("--bfloat16", help="Compute the network in bfloat16.")] = False,
    fold: Annotated[bool, typer.Option(help="Fold batch normalization into convolutions.")] = True,
    opacity: Annotated[bool, typer.Option("--opacity", help="Show only where gradient went.")] = False,
    batch: Annotated[int, typer.Option(min=1, help="Pictures rendered together.")] = 16,
    snapshots: Annotated[str, typer.Option(help="Also write the pictures after these steps, such as 0,64.")] = "",
    movie: Annotated[Path | None, typer.Option(help="Also write how they grow, .gif or .mp4.")] = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Optimize a picture for each unit; write them to one file, several as a sheet, or each to a study."""
    from pellucid.visualize import parse
    from pellucid.visualize import units as expand

    if output is None and study is None:
        raise PellucidError("say where the pictures go: --output FILE, or --study FOLDER")
    if output is not None:
        check_suffix(output)
    for unit in units:
        if ":*" not in unit and "-" not in unit:
            parse(unit)  # what cannot be read is refused before a network is loaded
    found = load_network(network, weights, device)
    objectives = [parse(text) for unit in units for text in expand(found, unit)]
    for objective in objectives:
        objective.check(found)
    options: dict[str, Any] = _preset(found, preset)
    options |= {"views": views, "redirect": redirect, "fold": fold}
    options |= {} if steps is None else {"steps": steps}
    options |= {} if size is None else {"size": _size(found, objectives, size)}
    options |= {} if canvas is None else {"canvas": _canvas(canvas)}
    options |= {"transforms": ()} if still else {}
    options |= {"snapshots": parse_numbers(snapshots, int, "snapshots")}
    options |= {"regularizers": _regularizers(tv, lp), "within": _within(backward)}
    if bfloat16:
        import torch

        options["precision"] = torch.bfloat16
    if init is not None:
        options["init"] = _start(found, init, options.get("size", found.size))
    if diverse > 1:
        objectives = _diverse(objectives, diverse, diversity)
    sources = [seed + number for number in range(seeds)]
    if study is not None:
        _to_study(found, objectives, study, name, sources, batch, movie, options)
    if output is not None:
        _to_file(found, objectives, output, sources, batch, movie, opacity, options)


def _to_study(found, objectives, study, name, sources, batch, movie, options) -> None:
    from pellucid.visualize import draw_gallery

    record = draw_gallery(
        found,
        objectives,
        study,
        name=name,
        seeds=sources,
        batch=batch,
        movie=movie.suffix if movie is not None else "",
        command=command_line(),
        progress=True,
        **options,
    )
    folder = study / "visualizations" / name
    for picture in record.pictures:
        if picture.silent:
            typer.echo(f"no gradient came to {picture.objective}: its picture shows nothing")
        elif picture.ceiling:
            typer.echo(f"{picture.objective} is at its ceiling from the start: its picture is one of many")
    typer.echo(f"{len(record.pictures)} pictures in {folder}; together: {', '.join(record.sheets)}")


def _to_file(found, objectives, output, sources, batch, movie, opacity, options) -> None:
    import warnings

    from pellucid.visualize import Movie
    from pellucid.visualize import render as optimize

    repeated = [objective for objective in objectives for _ in sources]
    callbacks = [Movie(movie)] if movie is not None else []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="no gradient came")  # said below
        rendering = optimize(
            found, repeated, seed=sources * len(objectives), batch=batch, callbacks=callbacks, progress=True, **options
        )
    rendering.save(output, opacity=opacity)
    for index, (name, value) in enumerate(zip(rendering.objectives, rendering.values.tolist(), strict=True)):
        note = "  no gradient came to it: the picture shows nothing" if index in rendering.silent else ""
        note = "  at its ceiling from the start: the picture is one of many" if index in rendering.ceiling else note
        typer.echo(f"{name}  {value:.4f}{note}")
    typer.echo(f"wrote {output}" + (f" and {movie}" if movie is not None else ""))


def _preset(network: "Network", name: str) -> dict[str, Any]:
    from pellucid.visualize import presets

    if name == "none":
        return {}
    chosen = presets.of(network) if name == "auto" else presets.named(name)
    return chosen.options(network.size)


def _size(network: "Network", objectives: list[Any], text: str) -> tuple[int, int]:
    from pellucid.visualize import field_size

    return field_size(network, objectives) if text == "field" else parse_size(text)


def _canvas(name: CanvasName) -> Any:
    from pellucid.visualize import CPPN, MACO, Fourier, Pixels, Pyramid

    return {"fourier": Fourier, "pixels": Pixels, "pyramid": Pyramid, "cppn": CPPN, "maco": MACO}[name]()


def _regularizers(tv: float, lp: float) -> tuple[Any, ...]:
    from pellucid.visualize import lp_norm, total_variation

    return (*((tv * total_variation(),) if tv else ()), *((lp * lp_norm(6),) if lp else ()))


def _within(name: Backward) -> tuple[Any, ...]:
    from pellucid.networks.rectifiers import deconvolution, guided

    return {"plain": (), "guided": (guided,), "rectified": (deconvolution,), "deconvolution": (deconvolution,)}[name]


def _start(network: "Network", path: Path, size: tuple[int, int]) -> "Tensor":
    from pellucid.activations.images import load_view, open_image, views

    photograph = open_image(path, network.channels)
    return load_view(photograph, views(photograph.size, (1,), 1.0)[0], network, size)


def _diverse(objectives: list[Any], count: int, weight: float) -> list[Any]:
    from pellucid.visualize import diversity

    several = []
    for objective in objectives:
        read = sorted(objective.layers)
        if len(read) != 1:
            raise PellucidError(f"{objective} reads {', '.join(read)}; pictures differ in the style of one layer")
        several.append(objective.copies(count) + weight * diversity(read[0], count))
    return several
