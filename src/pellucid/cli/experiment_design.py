"""`pellucid experiment design`: who is shown what, when, and on which side."""

from typing import Annotated

import typer

from pellucid.cli.experiment_folders import ExperimentName, StudyFolder, folder_of
from pellucid.errors import StudyError


def design(
    study: StudyFolder,
    name: ExperimentName = None,
    people: Annotated[int, typer.Option(min=1, help="People in each condition.")] = 50,
    catch: Annotated[int, typer.Option(min=0, help="Catch trials of each person.")] = 3,
    obvious: Annotated[int, typer.Option(min=0, help="Obvious trials in a round of practice.")] = 1,
    others: Annotated[int, typer.Option(min=0, help="Other trials in a round of practice.")] = 3,
    rounds: Annotated[
        int, typer.Option(min=1, help="Rounds of practice to prepare; after the last the first comes again.")
    ] = 10,
    practice_in_none: Annotated[
        bool, typer.Option(help="Whether people practise where no references are shown; in the study they did not.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Decides orders and sides.")] = 0,
    again: Annotated[bool, typer.Option(help="Replace the design that is there.")] = False,
) -> None:
    """Make the schedules of an experiment, balanced over image sets and sides.

    Make it before the first person takes part: answers belong to one design.
    """
    from pellucid.causal.design import make_design
    from pellucid.study.experiments import Stimuli

    folder = folder_of(study, name)
    made = make_design(
        Stimuli.read(folder), people=people, catch=catch, practice=(obvious, others), rounds=rounds,
        practice_in_none=practice_in_none, seed=seed,
    )  # fmt: skip
    if (folder / "design.json").exists() and not again:
        from pellucid.study.experiments import Design

        if Design.read(folder) != made:
            raise StudyError(f"{folder} has another design; replace it with --again, unless people have answered to it")
    made.write(folder)
    conditions = {one.condition for one in made.schedules}
    trials = len(made.schedules[0].trials)
    typer.echo(
        f"{len(made.schedules)} schedules of {trials} trials, {people} in each of {len(conditions)} conditions; serve "
        f"them with 'pellucid experiment serve {study}'"
    )
