"""`pellucid experiment export`: what people answered, as tables."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.experiment_folders import DatabaseUrl, ExperimentName, StudyFolder, experiment_extra, folder_of


def export(
    study: StudyFolder,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder to write the tables to.")],
    name: ExperimentName = None,
    database: DatabaseUrl = None,
) -> None:
    """Write answers, participants, events and remarks as CSV and Parquet, with a codebook."""
    with experiment_extra():
        from pellucid.web.experiment import Running, export_tables

    folder = folder_of(study, name)
    running = Running.open(folder.name, folder, database, answered=True)
    counts = export_tables(running, output)
    typer.echo(
        f"wrote {counts['answers']} answers of {counts['participants']} participants to {output}; codebook.md says "
        "what the columns mean, and remarks are not to be published unread"
    )
