"""Options that several commands share, and what they are turned into."""

import shlex
import sys
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.networks import Network
    from pellucid.study import Study

Number = TypeVar("Number", int, float)
NetworkName = Annotated[str, typer.Argument(metavar="NETWORK", help="A network's name, such as efficientnet_lite0.")]
Weights = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Weights for a network that has none installed: safetensors or a state dict; or 'random'."
    ),
]
Device = Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")]


def load_network(name: str, weights: str | None, device: str) -> "Network":
    """Load the network that a command names."""
    import torch

    from pellucid.networks import load

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises either, depending on how it was built
        raise PellucidError(f"cannot use device {device!r}: {str(error).splitlines()[0]}") from error
    return load(name, weights=weights, device=device)


def network_of(study: "Study", name: str | None, weights: str | None, device: str) -> "Network":
    """Load the network of a study, by another name if one is given."""
    return load_network(name or study.manifest.network["name"], weights, device)


def parse_size(text: str) -> tuple[int, int]:
    """Read a picture's size, `224` or `HEIGHTxWIDTH`."""
    parts = text.lower().split("x")
    if len(parts) not in (1, 2) or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise PellucidError(f"size {text!r} is neither a number of pixels nor HEIGHTxWIDTH")
    return int(parts[0]), int(parts[-1])


def parse_numbers(text: str, kind: type[Number], what: str) -> tuple[Number, ...]:
    """Read numbers separated by commas."""
    try:
        return tuple(kind(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise PellucidError(f"{what} {text!r} are not numbers separated by commas") from None


def print_table(table: Table) -> None:
    """Print a table; a pipe has no width of its own, so nothing is cut off there."""
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=200)
    console.print(table)


def command_line() -> str:
    """The command as it was given, for the study's manifest."""
    return shlex.join(["pellucid", *sys.argv[1:]])
