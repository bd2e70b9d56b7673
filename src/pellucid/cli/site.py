"""`pellucid serve` and `pellucid export`: a study as a page."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.options import Device, Weights
from pellucid.errors import StudyError

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="A study with an atlas or pages of units.")]


def serve(
    study: StudyPath,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
    live: Annotated[
        bool, typer.Option("--live", help="Load the network, to paint with concepts, try patches and find images.")
    ] = False,
    images: Annotated[
        str | None, typer.Option(help="With --live: further images to try patches on, whatever 'harvest' reads.")
    ] = None,
    patches: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --live: a folder of pictures to paste into images.")
    ] = None,
    network: Annotated[
        str | None, typer.Option(help="With --live: the network, if not under the study's name.")
    ] = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Serve a study's page until interrupted."""
    import uvicorn

    from pellucid.web.app import make_app

    if not live and (images is not None or patches is not None):
        raise StudyError("--images and --patches are for what the page has computed; give --live with them")
    with ExitStack() as stack:
        worker = _worker(study, images, patches, network, weights, device, stack) if live else None
        app = make_app(study, worker=worker)
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


def _worker(
    study: Path,
    images: str | None,
    patches: Path | None,
    network: str | None,
    weights: str | None,
    device: str,
    stack: ExitStack,
):
    """What computes for the page, until the stack is left."""
    from pellucid.atlas.live import LiveWorker
    from pellucid.cli.options import network_of
    from pellucid.study import Study

    opened = Study.open(study)
    found = network_of(opened, network, weights, device)
    worker = LiveWorker(found, opened, images=images, patches=patches)
    stack.callback(worker.close)
    return worker
