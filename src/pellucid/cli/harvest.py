"""`pellucid harvest`: what images do to every unit of chosen layers, and activations for an atlas."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.options import Device, NetworkName, Weights, command_line, load_network, parse_numbers
from pellucid.errors import PellucidError

Images = Annotated[
    str,
    typer.Option(
        help="A folder of images, a list of them (.txt, .csv), tar shards ('data-{000..009}.tar'), hf:NAME[:SPLIT], or "
        "torchvision:NAME:ROOT[:SPLIT]."
    ),
]
Positions = Annotated[
    int, typer.Option(min=0, help="Random positions in each view whose activations an atlas is made of; 0 for none.")
]
Aligned = Annotated[
    bool,
    typer.Option(
        "--aligned", help="Take those positions at the same places of a view in every layer and every network."
    ),
]
Pooling = Annotated[
    str,
    typer.Option(help="How their attribution passes max-pooling: exact, or smooth, by shares of the whole window."),
]
Crops = Annotated[
    str,
    typer.Option(help="Views of each image: 1 its centre, less a side as a share of the shorter one, such as 1,0.5."),
]
Labels = Annotated[
    str | None,
    typer.Option(help="Where classes come from: folders, names (up to the first _), or a CSV file of path and label."),
]
Limits = Annotated[str | None, typer.Option(help="Bins of all units from and to these values, such as -900,1050.")]


def harvest(
    network: NetworkName,
    images: Images,
    layer: Annotated[list[str], typer.Option(help="A layer to read; may be given several times.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The study to write.")] = Path("study"),
    labels: Labels = None,
    crops: Crops = "1",
    random_crops: Annotated[int, typer.Option(min=0, help="Further views of each image: random crops.")] = 0,
    examples: Annotated[int, typer.Option(min=1, help="Highest and lowest images kept of each unit.")] = 100,
    samples: Annotated[int, typer.Option(min=1, help="Random positions kept of each group of bins.")] = 24,
    bins: Annotated[int, typer.Option(min=1, help="Bins of the histogram of each unit.")] = 288,
    groups: Annotated[int, typer.Option(min=1, help="Groups of bins that random positions are drawn from.")] = 18,
    limits: Limits = None,
    covariance: Annotated[
        int, typer.Option(min=0, help="Random positions of each view that covariances of units are of; 0 for none.")
    ] = 32,
    positions: Positions = 0,
    aligned: Aligned = False,
    pooling: Pooling = "exact",
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    shard: Annotated[int, typer.Option(min=1, help="Images that are one unit of work.")] = 512,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Views in one pass; 4 on a CPU and 64 elsewhere, unless said.")
    ] = None,
    precision: Annotated[str, typer.Option(help="Arithmetic of the network: float32, bfloat16, float16.")] = "float32",
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that read images; with --ray those that have a network.")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Work on a Ray cluster: auto, HOST:PORT, or local.")
    ] = None,
    parts: Annotated[
        str | None, typer.Option(metavar="URL", help="With --ray: where workers write, if not in the study: s3://...")
    ] = None,
    gpus: Annotated[
        float | None, typer.Option(min=0, help="With --ray: GPUs of each worker; one, where the cluster has some.")
    ] = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Read a network's answers to many images: statistics and examples of every unit, and activations for an atlas."""
    from pellucid.activations.engines import LocalEngine
    from pellucid.activations.summarizing import SummaryConfig, summarize

    low, high = _limits(limits)
    config = SummaryConfig(
        examples, samples, bins, groups, low, high, covariance, seed, shard, batch, precision,
    )  # fmt: skip
    if not positions and (aligned or pooling != "exact"):
        raise PellucidError("--aligned and --pooling are of activations for an atlas: give --positions too")
    if ray is not None:
        from pellucid.activations.engines import RayEngine

        if positions:
            raise PellucidError("activations for an atlas are read on this machine: leave out --positions or --ray")
        engine = RayEngine(address=ray, workers=workers, parts=parts, gpus=gpus)
    else:
        if parts is not None or gpus is not None:
            raise PellucidError("--parts and --gpus are of a cluster: give --ray too, or leave them out")
        engine = LocalEngine(workers)
    found = load_network(network, weights, device)
    if positions:
        from pellucid.attribution.logits import check_pooling

        check_pooling(pooling)
    for name in layer if positions else ():
        found.spatial_layer(name)
    study = summarize(
        found,
        images,
        layer,
        output,
        config=config,
        crops=parse_numbers(crops, float, "crops"),
        random_crops=random_crops,
        labels=labels,
        engine=engine,
        command=command_line(),
        progress=True,
    )
    report(study, "summaries")
    if positions:
        from pellucid.activations import HarvestConfig

        run_harvest(
            found,
            images,
            layer,
            output,
            config=HarvestConfig(positions=positions, seed=seed, aligned=aligned, pooling=pooling),
            crops=crops,
            random_crops=random_crops,
            labels=labels,
        )


def run_harvest(network, images, layers, output, *, config, crops, random_crops=0, labels=None):
    """Read activations for an atlas and say what came of it; gives the study."""
    from pellucid.activations import harvest as run

    study = run(
        network,
        images,
        layers,
        output,
        config=config,
        crops=parse_numbers(crops, float, "crops"),
        random_crops=random_crops,
        labels=labels,
        command=command_line(),
        progress=True,
    )
    report(study, "activations")
    return study


def report(study, part: str) -> None:
    """Say what a study holds and which images were left out."""
    from pellucid.study.files import read_json

    path = study.path / part / "skipped.json"
    skipped = read_json(path)
    count = study.manifest.images["count"]
    typer.echo(f"read {count - len(skipped)} of {count} images into {study.path}")
    for entry in skipped[:5]:
        typer.echo(f"  left out {entry['image']}: {entry['reason']}")
    if len(skipped) > 5:
        typer.echo(f"  ... {len(skipped) - 5} more in {path}")


def _limits(text: str | None) -> tuple[float | None, float | None]:
    if text is None:
        return None, None
    numbers = parse_numbers(text, float, "limits")
    if len(numbers) != 2:
        raise PellucidError(f"limits {text!r} are not two numbers; write such as -900,1050")
    return numbers
