"""`pellucid harvest`: activations of a folder of photographs."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.options import Device, NetworkName, Weights, command_line, load_network, parse_numbers

Images = Annotated[Path, typer.Option(help="A folder of photographs; folders below it are read as well.")]
Positions = Annotated[int, typer.Option(min=1, help="Random positions in each view of a photograph.")]
Crops = Annotated[
    str,
    typer.Option(
        help="Views of each photograph: 1 its centre, less a side as a share of the shorter one, such as 1,0.5."
    ),
]


def harvest(
    network: NetworkName,
    images: Images,
    layer: Annotated[list[str], typer.Option(help="A layer to read; may be given several times.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The study to write.")] = Path("study"),
    positions: Positions = 20,
    crops: Crops = "1",
    seed: Annotated[int, typer.Option(help="Of the positions.")] = 0,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Read activations at random positions of many photographs, with their attribution to the classes, into a study."""
    from pellucid.activations import HarvestConfig

    run_harvest(
        network,
        images,
        layer,
        output,
        config=HarvestConfig(positions=positions, seed=seed),
        crops=crops,
        weights=weights,
        device=device,
    )


def run_harvest(network, images, layers, output, *, config, crops, weights, device):
    """Harvest and say what came of it; gives the network and the study."""
    from pellucid.activations import harvest as run

    shares = parse_numbers(crops, float, "crops")
    found = load_network(network, weights, device)
    study = run(found, images, layers, output, config=config, crops=shares, command=command_line(), progress=True)
    report(study)
    return found, study


def report(study) -> None:
    """Say what a study holds and which photographs were left out."""
    from pellucid.study.files import read_json

    skipped = read_json(study.path / "activations" / "skipped.json")
    count = study.manifest.images["count"]
    typer.echo(f"read {count - len(skipped)} of {count} photographs into {study.path}")
    for entry in skipped[:5]:
        typer.echo(f"  left out {entry['image']}: {entry['reason']}")
    if len(skipped) > 5:
        typer.echo(f"  ... {len(skipped) - 5} more in {study.path / 'activations' / 'skipped.json'}")
