"""`pellucid experiment power`: how many people and units an effect needs."""

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.experiment_analyze import need_statistics, print_sheet
from pellucid.cli.options import parse_numbers
from pellucid.errors import PellucidError


def power(
    people: Annotated[str, typer.Option(help="Numbers of people in each condition, such as 10,50,100.")] = "10,50,100",
    units: Annotated[str, typer.Option(help="Numbers of units that each of them is asked about.")] = "18",
    effect: Annotated[
        str, typer.Option(help="True differences of accuracy, such as 0,0.05; 0 gives false alarms.")
    ] = "0.05",
    accuracy: Annotated[float, typer.Option(help="Mean accuracy in the condition without the effect.")] = 0.6,
    person_sd: Annotated[float, typer.Option(min=0, help="Standard deviation of people on the logit.")] = 0.26,
    unit_sd: Annotated[float, typer.Option(min=0, help="Standard deviation of units on the logit.")] = 0.94,
    interaction_sd: Annotated[
        float, typer.Option(min=0, help="By how much the effect differs among units: on the logit, for each condition.")
    ] = 0.0,
    within: Annotated[bool, typer.Option("--within", help="Each person sees both conditions, of each unit.")] = False,
    smallest_effect: Annotated[
        float, typer.Option(min=0.0001, max=1, help="Differences of accuracy below this count as none.")
    ] = 0.05,
    alpha: Annotated[float, typer.Option(min=0.0001, max=0.5, help="The rate of false alarms that is allowed.")] = 0.05,
    simulations: Annotated[int, typer.Option(min=1, help="Simulated studies of each size.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The table as .csv or .json.")
    ] = None,
) -> None:
    """Simulate studies, and print how often they find a difference between two conditions, or rule one out.

    The defaults are the spreads of people and units that were measured in the two-choice predecessor.
    """
    need_statistics()
    from pellucid.causal.analysis import People, power_sheet
    from pellucid.causal.analysis import power as simulate
    from pellucid.progress import progress_bar
    from pellucid.study import write_bytes, write_json

    if output is not None and output.suffix.lower() not in (".csv", ".json"):
        raise PellucidError(f"the table is written as .csv or .json, not {output.suffix!r}")
    sizes = parse_numbers(people, int, "--people"), parse_numbers(units, int, "--units")
    effects = parse_numbers(effect, float, "--effect")
    if not all([*sizes, effects]):
        raise PellucidError("--people, --units and --effect need a number each")
    models = [
        People({"with": accuracy + one, "without": accuracy}, person_sd, unit_sd, interaction_sd, within)
        for one in effects
    ]
    rows = []
    with progress_bar("simulating", len(models) * len(sizes[0]) * len(sizes[1])) as move:
        for model in models:
            for m in sizes[1]:
                for n in sizes[0]:
                    rows += simulate(
                        model,
                        [n],
                        [m],
                        smallest_effect=smallest_effect,
                        alpha=alpha,
                        simulations=simulations,
                        seed=seed,
                    )
                    move(1)
    print_sheet(power_sheet(rows))
    if output is not None:
        table = [asdict(one) for one in rows]
        if output.suffix.lower() == ".json":
            settings = {
                "accuracy": accuracy, "person_sd": person_sd, "unit_sd": unit_sd, "interaction_sd": interaction_sd,
                "within": within, "smallest_effect": smallest_effect, "alpha": alpha, "simulations": simulations,
                "seed": seed,
            }  # fmt: skip
            write_json(output, {"format": 1, **settings, "rows": table})
        else:
            text = io.StringIO()
            writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
            write_bytes(output, text.getvalue().encode())
        typer.echo(f"wrote {output}")
