"""The application that the command groups are hung into."""

from typing import Annotated

import typer

from pellucid import __version__
from pellucid.cli import (
    atlas,
    curves,
    distribution,
    evaluate,
    examples,
    experiment,
    harvest,
    layers,
    quilt,
    render,
    site,
)

app = typer.Typer(
    name="pellucid",
    help="Show what a vision network sees, and test whether the picture is true.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(shown: bool) -> bool:
    if shown:
        typer.echo(__version__)
        raise typer.Exit
    return shown


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


app.command("layers")(layers.layers)
app.command("render")(render.render)
app.command("evaluate")(evaluate.evaluate)
app.command("harvest")(harvest.harvest)
app.command("examples")(examples.examples)
app.command("distribution")(distribution.distribution)
app.command("quilt")(quilt.quilt)
app.add_typer(atlas.app, name="atlas")
app.add_typer(curves.app, name="curves")
app.add_typer(experiment.app, name="experiment")
app.command("serve")(site.serve)
app.command("export")(site.export)
