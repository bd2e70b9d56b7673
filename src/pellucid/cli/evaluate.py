"""`pellucid evaluate`: metrics of the pictures of a study."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.options import Device, Weights, command_line, load_network, network_of, print_table
from pellucid.errors import PellucidError

_SHOWN = 10  # pictures that fall short


def evaluate(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study with pictures of units.")],
    images: Annotated[Path, typer.Option(help="A folder of photographs to compare with; folders below are read too.")],
    network: Annotated[
        list[str] | None,
        typer.Option(help="Another network that judges class pictures; may be given several times."),
    ] = None,
    gallery: Annotated[str | None, typer.Option(help="One gallery of the study; all of them by default.")] = None,
    limit: Annotated[int | None, typer.Option(min=2, help="Photographs drawn at random; all by default.")] = None,
    features: Annotated[
        str | None, typer.Option(help="The layer of the plausibility; the classifier's input by default.")
    ] = None,
    distance: Annotated[str, typer.Option(help="Of the plausibility: cosine or euclidean.")] = "cosine",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, STUDY/evaluation.json by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the nulls, the intervals and the draw of photographs.")] = 0,
    batch: Annotated[int, typer.Option(min=1, help="Pictures in one pass.")] = 16,
    source: Annotated[str | None, typer.Option(help="The study's network, if not under the name in the study.")] = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Measure a study's pictures of units, each number beside that of what means nothing.

    Activation over the 99.9th percentile of the photographs, top-1 and top-5 of class pictures on other networks,
    distance to the nearest photograph in features, distance of the spectrum, agreement of seeds, path similarity and a
    forced choice; beside noise, other units, random directions, shuffled labels and the photographs themselves.
    """
    from pellucid.evaluate import EvaluateConfig, Photographs, read_collections
    from pellucid.evaluate import evaluate as measure
    from pellucid.study import Study, write_json

    if distance not in ("cosine", "euclidean"):
        raise PellucidError(f"--distance {distance!r} is neither cosine nor euclidean")
    opened = Study.open(study)
    found = network_of(opened, source, weights, device)
    opened.refuse_other_weights(found.name, found.digest)
    others = [load_network(name, None, device) for name in network or []]
    config = EvaluateConfig(features=features, distance=distance, seed=seed, batch=batch)
    reports = []
    for part in read_collections(opened, gallery, channels=found.channels):
        photographs = Photographs(images, found, size=part.size, limit=limit, seed=seed, batch=batch)
        report = measure(
            found, part.pictures, part.objectives, photographs, networks=others, config=config, progress=True
        )
        silent = [str(objective) for objective, still in zip(part.objectives, part.silent, strict=True) if still]
        about = {"gallery": part.gallery, "skipped": photographs.skipped, "silent": silent}
        report = replace(report, about=about)
        _print(report)
        reports.append(report.as_dict())
    target = output or opened.path / "evaluation.json"
    write_json(target, {"format": 1, "command": command_line(), "reports": reports})
    typer.echo(f"wrote {target}")


def _print(report) -> None:
    typer.echo(
        f"{report.about['gallery']}: {report.pictures} pictures of {report.objectives} objectives of {report.network} "
        f"at {report.size[0]}x{report.size[1]}, beside {report.photographs} photographs"
    )
    print_table(report.table())
    if report.photographs < 1000:
        typer.echo(f"the 99.9th percentile of {report.photographs} photographs lies between their two largest values")
    short = report.shortfalls()
    for line in short[:_SHOWN]:
        typer.echo(f"  below: {line}")
    if len(short) > _SHOWN:
        typer.echo(f"  ... {len(short) - _SHOWN} more in the file")
    for name in report.about["silent"][:_SHOWN]:
        typer.echo(f"  no gradient came to {name}: its picture shows nothing")
    for what, why in report.left_out.items():
        typer.echo(f"  left out: {what}: {why}")
    if report.about["skipped"]:
        typer.echo(f"  {len(report.about['skipped'])} photographs could not be read")
