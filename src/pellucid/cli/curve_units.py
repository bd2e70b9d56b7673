"""Units of a network that the commands on curves show stimuli to, and the options these commands share."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import load_network
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.curves.scales import Scale
    from pellucid.curves.sight import Sight
    from pellucid.networks import Network

Units = Annotated[
    str, typer.Argument(metavar="UNITS", help="Units of a layer: 'layer:17', 'layer:3,5,9-12' or 'layer:*'.")
]
StudyOption = Annotated[
    Path | None,
    typer.Option(help="A study with a harvest of the layer: values are in standard deviations on its images then."),
]
Step = Annotated[float, typer.Option(help="Degrees from one orientation to the next; a whole number of them go round.")]
Radius = Annotated[
    str | None,
    typer.Option(help="Radii of curves in px; by default 16, from 0.6 to 2.6 effective diameters of the unit's field."),
]
Seeds = Annotated[str, typer.Option("--seed", help="Of the textures; responses to several are averaged.")]


@dataclass(frozen=True)
class Shown:
    """The units of a layer that a command is about.

    `scale` is that of the whole layer on a study's dataset, `beyond` a warning where units see more than the picture.
    """

    network: "Network"
    layer: str
    units: list[int]
    sight: "Sight"
    scale: "Scale | None"
    beyond: str | None

    def describe(self) -> dict[str, Any]:
        """Where the units look, and the network, as JSON values."""
        return {
            "network": self.network.describe(),
            "sight": asdict(self.sight),
            "positions": None if self.scale is None else self.scale.positions,
            "warning": self.beyond,
        }

    def say(self) -> None:
        """Print where the units look, what the values are, and a warning if the units see more than the picture."""
        y, x = self.sight.centre
        measure = (
            "values are activations: with --study they are standard deviations on a dataset"
            if self.scale is None
            else f"values are standard deviations above the mean of {self.scale.positions:,} positions"
        )
        typer.echo(
            f"{self.layer}: about ({y:g}, {x:g}) in pictures of {self.sight.size[0]} x {self.sight.size[1]} px, "
            f"effective diameter {self.sight.diameter:.3g} px; {measure}"
        )
        if self.beyond:
            typer.echo(f"warning: {self.beyond}")


def load_units(network: str, units: str, weights: str | None, device: str) -> tuple["Network", str, list[int]]:
    """Load the network, and find the layer with a map and its units."""
    from pellucid.study.selection import parse_units, split_units

    layer, _ = split_units(units)
    found = load_network(network, weights, device)
    return found, layer, parse_units(units, found.spatial_layer(layer).channels)


def open_units(network: str, units: str, study: Path | None, weights: str | None, device: str) -> Shown:
    """Load the network, and find the units and where they look."""
    from pellucid.curves.sight import sights
    from pellucid.curves.synthetic import beyond_the_picture, dataset_scale

    found, layer, chosen = load_units(network, units, weights, device)
    scale = None if study is None else dataset_scale(study, found, layer)
    sight = sights(found, [layer])[layer]
    return Shown(found, layer, chosen, sight, scale, beyond_the_picture(found, sight))


def refuse_many(units: Sequence[int], output: list[Path] | None) -> None:
    """Refuse a figure of more units than one shows."""
    from pellucid.curves.synthetic.panels import MOST

    drawn = [path for path in output or [] if path.suffix.lower() in (".png", ".svg")]
    if drawn and len(units) > MOST:
        raise PellucidError(f"{drawn[0]} shows {MOST} units at most, not {len(units)}; write .csv or .json")


def orientations(step: float, period: float = 360) -> list[float]:
    """Orientations once round in even steps."""
    count = round(period / step) if step > 0 else 0
    if count < 4 or abs(count * step - period) > 1e-6 * period:
        raise PellucidError(f"--step {step:g} does not divide {period:g} degrees into 4 or more even steps")
    return [period * k / count for k in range(count)]


def several(text: str | None, what: str) -> list[float] | None:
    """Numbers separated by commas or as a range, None where they are left out."""
    from pellucid.cli.stimuli import parse_range

    return None if text is None else list(parse_range(text, what))
