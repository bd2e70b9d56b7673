"""What the commands on curves print and write."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Output = Annotated[
    list[Path] | None,
    typer.Option("--output", "-o", help="A figure, .png or .svg, or data, .csv or .json; may be given several times."),
]
_TENTHS = ("argmax", "mean", "axis", "fwhm", "peak", "kappa")


def refuse_other_endings(output: list[Path] | None) -> None:
    """Refuse what cannot be written, before anything is computed."""
    for path in output or []:
        if path.suffix.lower() not in (".png", ".svg", ".csv", ".json"):
            raise PellucidError(f"results are written as .png, .svg, .csv or .json, not {path.suffix!r}")


def write_results(
    output: list[Path] | None, *, figure: Callable[[], "Figure"], csv: Callable[[], str], data: Callable[[], Any]
) -> None:
    """Write each output in the form of its ending."""
    from pellucid.activations.distribution import save_figure
    from pellucid.study import write_bytes, write_json

    for path in output or []:
        match path.suffix.lower():
            case ".csv":
                write_bytes(path, csv().encode())
            case ".json":
                write_json(path, data())
            case _:
                save_figure(path, figure())
        typer.echo(f"wrote {path}")


def table_of(rows: list[dict[str, Any]], leave_out: tuple[str, ...] = ()) -> Table:
    """Rows with the same columns as a table for a terminal."""
    shown = [name for name in rows[0] if name not in leave_out] if rows else ["unit"]
    table = Table(*(name.replace("_", " ") for name in shown), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(_text(name, row[name]) for name in shown))
    return table


def _text(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}" if name in _TENTHS else f"{value:.3f}"
