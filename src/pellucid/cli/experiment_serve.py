"""`pellucid experiment serve`: the experiments of studies in a browser."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.experiment_folders import DatabaseUrl, experiment_extra, folders_of


def serve(
    studies: Annotated[
        list[Path],
        typer.Argument(metavar="STUDY...", help="Studies, of which all experiments with a design are served."),
    ],
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
    database: DatabaseUrl = None,
    operator_token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="Opens the operator's page; by default one is drawn and printed.",
            envvar="PELLUCID_OPERATOR_TOKEN",
            show_envvar=True,
        ),
    ] = None,
) -> None:
    """Let people take part in experiments until interrupted. What was answered is kept; start it again at any time."""
    with experiment_extra():
        import uvicorn

        from pellucid.web.experiment import make_experiment_app

    folders = folders_of(studies)
    token = operator_token or secrets.token_urlsafe(24)
    app = make_experiment_app(folders, database=database, operator_token=token)
    for name in folders:
        typer.echo(f"http://{host}:{port}/e/{name}/")
    typer.echo(f"http://{host}:{port}/operator/" + ("" if operator_token else f"  with the token {token}"))
    # No log of requests: addresses have the platform's names of people in them.
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, ws="none")
