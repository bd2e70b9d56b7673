"""`pellucid experiment observe`: what observers without eyes answer, beside chance."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pellucid.cli.experiment_folders import ExperimentName, StudyFolder, folder_of
from pellucid.cli.options import Device, Weights, load_network, print_table

_NEXT = {"efficientnet_lite1": "efficientnet_lite2"}  # where the default is what was asked for


def observe(
    study: StudyFolder,
    name: ExperimentName = None,
    observer: Annotated[
        str,
        typer.Option(
            help="Observers, separated by commas: oracle, random, centre, variance, saliency, object, whole, whole_pn, "
            "crop, crop_pn; all but object by default, and in a two-choice task those that need no patch."
        ),
    ] = "",
    condition: Annotated[str | None, typer.Option(help="Conditions, separated by commas; all by default.")] = None,
    features: Annotated[
        str | None,
        typer.Option(
            metavar="NETWORK",
            help="The network whose features whole and crop compare: efficientnet_lite1 by default, or lite2 where "
            "that is the network under test.",
        ),
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Its layer; by default the last one that has a map.")] = None,
    temperature: Annotated[
        float, typer.Option(help="Divides the evidence before the sigmoid of probabilities.")
    ] = 0.16,
    objects: Annotated[
        Path | None, typer.Option(help="For object: a JSON file of boxes or a folder of masks, by base image.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file for the table, .json or .csv.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random observer, the sides and the intervals.")] = 0,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Let observers without eyes answer an experiment, and print how often they are right, beside chance.

    Observers but the oracle get the pictures that a person gets and no activation. Their answers are kept in the
    experiment's folder. Intervals are over units.
    """
    from pellucid.causal.observers import Features, Object, accuracies, named_observers
    from pellucid.causal.observers import observe as answer
    from pellucid.causal.observers.choices import OBSERVERS, RESEMBLANCES
    from pellucid.causal.observers.results import check_ending, write_accuracies
    from pellucid.study.experiments import Stimuli

    if output is not None:
        check_ending(output)
    folder = folder_of(study, name)
    stimuli = Stimuli.read(folder)
    asked = _split(observer) or [
        one for one in OBSERVERS if one != "object" and (stimuli.task == "counterfactual" or one in _PATCHLESS)
    ]
    similarity = None
    if any(one in RESEMBLANCES for one in asked):
        network = features or _NEXT.get(stimuli.network, "efficientnet_lite1")
        if network == stimuli.network:
            typer.echo(f"note: {network} is asked about its own units by its own features")
        similarity = Features(load_network(network, weights, device), layer)
    made = named_observers(
        asked,
        similarity=similarity,
        objects=Object.read(objects) if objects else None,
        temperature=temperature,
        seed=seed,
    )
    conditions = _split(condition) if condition else None
    table = accuracies(stimuli, [answer(folder, one, conditions, seed=seed, progress=True) for one in made], seed=seed)
    _print(table)
    if output is not None:
        write_accuracies(output, table)
        typer.echo(f"wrote {output}")


_PATCHLESS = ("oracle", "random", "whole", "whole_pn")


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _print(table) -> None:
    shown = Table("observer", "condition", "right", "95 % interval", "against chance", "probability", "ties")
    for row in table.rows:
        shown.add_row(
            row.observer, row.condition, f"{row.value:.3f}", _interval(row), row.verdict,
            "" if row.probability is None else f"{row.probability:.3f}", str(row.ties),
        )  # fmt: skip
    print_table(shown)
    if table.advantages:
        gains = Table("observer", "references", "right, more than with none", "95 % interval", "against 0")
        for row in table.advantages:
            gains.add_row(row.observer, row.condition, f"{row.value:+.3f}", _interval(row), row.verdict)
        print_table(gains)
    first = table.rows[0]
    typer.echo(
        f"{first.stimuli} stimuli of {first.units} units; intervals are over units, for each row by itself: of twenty "
        "rows at chance one is expected to lie off it"
    )


def _interval(row) -> str:
    return "-" if row.low is None else f"[{row.low:.3f}, {row.high:.3f}]"
