"""`pellucid experiment delete`: forget a person."""

from typing import Annotated

import typer

from pellucid.cli.experiment_folders import DatabaseUrl, StudyFolder, experiment_extra, folder_of


def delete(
    study: StudyFolder,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The experiment's name.")],
    participant: Annotated[
        str, typer.Argument(metavar="PARTICIPANT", help="The person's name in the tables, or with --platform another.")
    ],
    platform: Annotated[
        bool, typer.Option(help="The name is the platform's, such as a PROLIFIC_PID: all visits of that person go.")
    ] = False,
    database: DatabaseUrl = None,
) -> None:
    """Delete all that is kept of a participant. It cannot be had back, and the schedule is free again."""
    with experiment_extra():
        from pellucid.web.experiment import Running, delete_participant, participants_of_platform

    folder = folder_of(study, name)
    running = Running.open(folder.name, folder, database, answered=True)
    found = participants_of_platform(running, participant) if platform else [participant]
    for one in found:
        delete_participant(running, one)
        typer.echo(f"deleted {one}")
