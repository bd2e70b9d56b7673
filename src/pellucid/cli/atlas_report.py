"""How the numbers of `pellucid atlas check` are printed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from pellucid.cli.options import print_table

if TYPE_CHECKING:
    from pellucid.atlas.check import AtlasCheck, LevelCheck

_ICONS = {
    "cosine": "icon",
    "p10": "icon_p10",
    "moved": "icon_moved",
    "shuffled": "shuffled",
    "mean icon": "mean_icon",
    "best patch": "best_patch",
    "centred": "icon_centred",
    "shuffled ": "shuffled_centred",
    "whitened": "icon_whitened",
    "shuffled  ": "shuffled_whitened",
}


def print_check(result: "AtlasCheck") -> None:
    """Print what a check of an atlas found: a table each of icons, of their cells found again, and of classes."""
    levels = result.levels
    _print(
        ["icons", "cells", *_ICONS],
        [[_name(one), str(one.cells), *(number(getattr(one, name)) for name in _ICONS.values())] for one in levels],
    )
    found = ["found again", "own first", "chance", "best patch first", "own in five", "chance"]
    _print(found, [_found(one) for one in levels])
    labels = ["classes", "label", "shuffled", "in five", "shuffled", "attributions", "shuffled"]
    _print([*labels, "unstable labels", "touching cells", "any two"], [_classes(one) for one in levels])
    typer.echo(
        f"over {result.cells} icons: mean cosine {result.icon:.3f} (shuffled among cells {result.shuffled:.3f}), "
        f"mean subtracted {result.icon_centred:.3f} ({result.shuffled_centred:.3f}), "
        f"whitened {result.icon_whitened:.3f} ({result.shuffled_whitened:.3f}), "
        f"nearest to their own cell {share(result.own_first)}"
    )
    layout = result.layout
    typer.echo(
        f"trustworthiness (cosine, k = 15, {layout.samples} activations): layout {layout.layout:.3f}, "
        f"PCA {layout.pca:.3f}, shuffled {layout.shuffled:.3f}"
    )


def number(value: float | None) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None or value != value else f"{value:.3f}"


def share(value: float | None) -> str:
    """A share in percent, or a dash where there is none."""
    return "-" if value is None or value != value else f"{100 * value:.1f} %"


def _name(level: "LevelCheck") -> str:
    return f"{level.grid}x{level.grid}"


def _found(level: "LevelCheck") -> list[str]:
    shares = (level.own_first, level.chance_first, level.patch_first, level.own_five, level.chance_five)
    return [_name(level), *map(share, shares)]


def _classes(level: "LevelCheck") -> list[str]:
    labels = level.labels
    agreed = ["-"] * 6
    if labels is not None:
        shares = (labels.first, labels.first_shuffled, labels.five, labels.five_shuffled)
        agreed = [*map(share, shares), number(labels.correlation), number(labels.correlation_shuffled)]
    return [_name(level), *agreed, share(level.unstable), number(level.neighbours), number(level.strangers)]


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    print_table(table)
    typer.echo("")
