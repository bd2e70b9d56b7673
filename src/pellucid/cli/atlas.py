"""`pellucid atlas`: build an atlas, and check it."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core
from rich.console import Console
from rich.table import Table

from pellucid.cli.atlas_align import align
from pellucid.cli.atlas_class import class_
from pellucid.cli.atlas_compare import compare
from pellucid.cli.atlas_drawing import only_layer
from pellucid.cli.atlas_figure import figure
from pellucid.cli.atlas_histogram import histogram
from pellucid.cli.atlas_image import image
from pellucid.cli.atlas_networks import networks
from pellucid.cli.atlas_paint import paint
from pellucid.cli.atlas_patch import patch
from pellucid.cli.atlas_query import query
from pellucid.cli.atlas_report import print_check
from pellucid.cli.harvest import Crops, run_harvest
from pellucid.cli.options import Device, Weights, load_network, network_of, parse_numbers, print_table
from pellucid.errors import PellucidError, StudyError

DEFAULT_NETWORK = "efficientnet_lite0"
DEFAULT_LAYER = (
    "blocks.4.2.bn2"  # rectified, stride 16: EfficientNet-Lite's block outputs are signed and make poor atlases
)


class _BuildByDefault(typer.core.TyperGroup):
    """`pellucid atlas STUDY` and `pellucid atlas --images DIR` mean `pellucid atlas build ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["build", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_BuildByDefault, no_args_is_help=True, help="Build an activation atlas, and check it.")


@app.command("build")
def build(
    study: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="A harvested study; with --images, the study to make.")
    ] = None,
    images: Annotated[
        str | None, typer.Option(help="Images to harvest first: a folder, or whatever 'pellucid harvest' reads.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The study to make of --images.")] = None,
    network: Annotated[str | None, typer.Option(help=f"The network; the study's own, or {DEFAULT_NETWORK}.")] = None,
    layer: Annotated[
        str | None, typer.Option(help="The layer; the study's only one, or a rectified one of stride 16.")
    ] = None,
    positions: Annotated[int, typer.Option(min=1, help="Random positions in each view of an image.")] = 20,
    crops: Crops = "1",
    grids: Annotated[str, typer.Option(help="Cells a side of each zoom level, from coarse to fine.")] = "5,10,20",
    min_count: Annotated[int, typer.Option(min=1, help="Activations that a cell must hold to be drawn.")] = 10,
    layout: Annotated[str, typer.Option(help="How activations are placed: umap, tsne, pacmap or pca.")] = "umap",
    neighbors: Annotated[int, typer.Option(min=2, help="Neighbours in the UMAP layout.")] = 50,
    min_dist: Annotated[float, typer.Option(min=0, help="Least distance in the UMAP layout.")] = 0.05,
    most: Annotated[
        int, typer.Option(min=10, help="Activations that are laid out; the others are placed among them.")
    ] = 100_000,
    icon_size: Annotated[int, typer.Option(min=8, help="Pixels a side of an icon.")] = 96,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each icon's optimization.")] = 96,
    objective: Annotated[
        str, typer.Option(help="What icons are drawn for: cosine, dot, near, whitened or lucid.")
    ] = "cosine",
    power: Annotated[float, typer.Option(min=0, help="Power of the cosine in the icons' objective.")] = 4.0,
    apart: Annotated[
        float, typer.Option(min=0, help="Power of the cosine of what sets the cell apart from the mean activation.")
    ] = 1.0,
    movements: Annotated[
        str, typer.Option(help="How icons are moved about while they are drawn: article, lucid or none.")
    ] = "article",
    settle: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the last steps in which nothing moves any more.")
    ] = 0.3,
    tries: Annotated[int, typer.Option(min=1, help="Pictures of which each icon is the best.")] = 1,
    from_parent: Annotated[
        bool, typer.Option(help="Start the icons of finer levels from those of the coarser one.")
    ] = False,
    child_steps: Annotated[int, typer.Option(min=1, help="Steps of an icon that starts from a coarser level's.")] = 48,
    batch: Annotated[int, typer.Option(min=1, help="Icons drawn together.")] = 16,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Draw icons on a Ray cluster: auto, HOST:PORT, or local.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="With --ray: processes that have a network.")] = None,
    gpus: Annotated[
        float | None, typer.Option(min=0, help="With --ray: GPUs of each worker; one, where the cluster has some.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of positions, layout and icons.")] = 0,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Make an atlas of a study, or of a folder of photographs with --images.

    A run that was stopped goes on where it was; what is there already from the same settings is kept.
    """
    from pellucid.activations import HarvestConfig
    from pellucid.atlas import AtlasConfig
    from pellucid.atlas import build as make
    from pellucid.atlas.icons import IconConfig
    from pellucid.study import Study

    config = AtlasConfig(
        grids=parse_numbers(grids, int, "grids"),
        min_count=min_count,
        layout=layout,
        neighbors=neighbors,
        min_dist=min_dist,
        seed=seed,
        most=most,
        icons=IconConfig(
            size=icon_size,
            steps=steps,
            objective=objective,
            power=power,
            apart=apart,
            movements=movements,
            settle=settle,
            tries=tries,
            from_parent=from_parent,
            child_steps=child_steps,
            batch=batch,
            seed=seed,
        ),
    )
    engine = None
    if ray is not None:
        from pellucid.atlas.icon_engines import RayIcons

        engine = RayIcons(address=ray, workers=workers, gpus=gpus)
    elif workers is not None or gpus is not None:
        raise PellucidError("--workers and --gpus are of a cluster: give --ray too, or leave them out")
    if images is not None:
        name = network or DEFAULT_NETWORK
        layer = layer or _default_layer(name)
        harvest = HarvestConfig(positions=positions, seed=seed)
        target = output or study or Path("study")
        found = load_network(name, weights, device)
        opened = run_harvest(found, images, [layer], target, config=harvest, crops=crops)
    elif study is None:
        raise StudyError("give a study, or a folder of photographs with --images")
    else:
        opened = Study.open(study)
        layer = only_layer(opened, layer)
        found = network_of(opened, network, weights, device)
    record = make(found, opened, layer, config=config, engine=engine, progress=True)
    for level in record.levels:
        typer.echo(f"{level.grid}x{level.grid}: {level.cells} cells")
    typer.echo(f"atlas of {layer}: {record.samples} activations of {record.images} photographs")
    typer.echo(f"look at it: pellucid serve {opened.path}")


@app.command("check")
def check(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study with a finished atlas.")],
    layer: Annotated[str | None, typer.Option(help="The atlas's name or layer, if there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
    network: Annotated[str | None, typer.Option(help="The network, if not under the name in the study.")] = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Show every icon to the network again and compare what it gives with the cell's mean; check labels and layout.

    Cosines are between the activation at the icon's centre and the mean activation of its cell. Beside each number
    stands what icons of other cells, or chance, would give. The layout's trustworthiness says how far neighbours in
    the map are neighbours among the activations.
    """
    from pellucid.atlas import check as measure
    from pellucid.study import Study

    opened = Study.open(study)
    found = network_of(opened, network, weights, device)
    with Console(stderr=True).status("checking"):
        result = measure(found, opened, layer)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=1))
        return
    print_check(result)


@app.command("layouts")
def layouts(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A harvested study.")],
    layer: Annotated[str | None, typer.Option(help="The layer, if there are several.")] = None,
    layout: Annotated[
        list[str] | None, typer.Option(help="Only this one, several times; by default umap, tsne, pacmap and pca.")
    ] = None,
    limit: Annotated[int, typer.Option(min=10, help="Activations at most, chosen at random.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Of the choice and of the layouts.")] = 0,
) -> None:
    """Lay out the activations of a layer in several ways, and tell how far each can be trusted and how long it takes.

    Trustworthiness (cosine, k = 15, on 3,000 of them) is 1 if neighbours in the map are neighbours among activations.
    """
    import numpy as np

    from pellucid.activations import read_samples
    from pellucid.atlas import compare_layouts
    from pellucid.atlas.layout import LAYOUTS
    from pellucid.study import Study

    opened = Study.open(study)
    activations = read_samples(opened, only_layer(opened, layer)).activation
    if len(activations) > limit:
        chosen = np.random.default_rng(seed).choice(len(activations), size=limit, replace=False)
        activations = activations[np.sort(chosen)]
    table = Table("layout", "trustworthiness", "seconds", box=None, pad_edge=False)
    for trial in compare_layouts(activations, layout or LAYOUTS, seed=seed, progress=True):
        table.add_row(trial.name, f"{trial.trust:.3f}", f"{trial.seconds:.1f}")
    print_table(table)


def _default_layer(network: str) -> str:
    if network.startswith("efficientnet_lite"):
        return DEFAULT_LAYER
    raise StudyError(f"say which layer of {network} with --layer; 'pellucid layers {network}' lists them")


app.command("class")(class_)
app.command("compare")(compare)
app.command("align")(align)
app.command("networks")(networks)
app.command("image")(image)
app.command("patch")(patch)
app.command("histogram")(histogram)
app.command("query")(query)
app.command("paint")(paint)
app.command("figure")(figure)
