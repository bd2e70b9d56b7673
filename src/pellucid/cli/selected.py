"""Units of a harvested layer on the command line: how they are named, and one picture of what was found of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.errors import PellucidError
from pellucid.pictures import check_suffix, save

if TYPE_CHECKING:
    from pellucid.study import Study

_MOST = 32  # units in one picture

HarvestedStudy = Annotated[Path, typer.Argument(metavar="STUDY", help="A study with a harvest.")]
Units = Annotated[
    str, typer.Argument(metavar="UNITS", help="Units of a layer: 'layer:17', 'layer:3,5,9-12' or 'layer:*'.")
]
Images = Annotated[
    str | None,
    typer.Option(metavar="WHERE", help="Where the photographs are now, if they have been moved since the harvest."),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Also write them to one picture: .png, .webp or .jpg.")
]


def select(path: Path, text: str, output: Path | None) -> tuple["Study", str, list[int]]:
    """The study, the layer and the units that a command names; the file that it is to write is checked as well."""
    from pellucid.activations.summary.store import layer_record
    from pellucid.study import Study
    from pellucid.study.selection import parse_units, split_units

    layer, _ = split_units(text)
    study = Study.open(path)
    units = parse_units(text, layer_record(study, layer).units)
    if output is not None:
        check_suffix(output)
        if output.suffix.lower() == ".npy" or len(units) > _MOST:
            raise PellucidError(
                f"{output} cannot hold {len(units)} units: --output takes up to {_MOST}, as .png, .webp or .jpg; "
                "without it all of them go to the study"
            )
    return study, layer, units


def save_together(output: Path, found: Sequence[Any]) -> None:
    """Write what was found of some units to one picture, under one another."""
    from pellucid.activations.contact_sheet import stacked

    save(output, stacked([one.sheet() for one in found]), {"units": [f"{one.layer}:{one.unit}" for one in found]})
    typer.echo(f"wrote {output}")
