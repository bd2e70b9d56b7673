"""`pellucid serve` and `pellucid export`: a study as a page."""

from pathlib import Path
from typing import Annotated

import typer

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="A study with an atlas or pages of units.")]


def serve(
    study: StudyPath,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
) -> None:
    """Serve a study's page until interrupted."""
    import uvicorn

    from pellucid.web.app import make_app

    app = make_app(study)
    typer.echo(f"http://{host}:{port}/  (end with Ctrl-C)")
    uvicorn.run(app, host=host, port=port, log_level="warning")


def export(
    study: StudyPath,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write the site to.")],
) -> None:
    """Write a study's page as static files that work from any web server and in any folder of it."""
    from pellucid.web.export import export as write

    site = write(study, folder)
    typer.echo(f"wrote {site}; look at it: python -m http.server -d {site}")
