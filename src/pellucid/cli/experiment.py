"""`pellucid experiment`: can people tell by a unit's pictures what it will do? From stimuli to statistics."""

import typer

from pellucid.cli.experiment_analyze import analyze
from pellucid.cli.experiment_delete import delete
from pellucid.cli.experiment_design import design
from pellucid.cli.experiment_export import export
from pellucid.cli.experiment_make import make
from pellucid.cli.experiment_observe import observe
from pellucid.cli.experiment_power import power
from pellucid.cli.experiment_serve import serve
from pellucid.cli.experiment_simulate import simulate

app = typer.Typer(
    no_args_is_help=True,
    help="Ask people whether a unit's pictures let them predict it: stimuli, design, the browser, observers, analysis.",
)
app.command("make")(make)
app.command("design")(design)
app.command("serve")(serve)
app.command("simulate")(simulate)
app.command("observe")(observe)
app.command("analyze")(analyze)
app.command("power")(power)
app.command("export")(export)
app.command("delete")(delete)
