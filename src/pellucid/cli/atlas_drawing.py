"""What the commands that draw an atlas share: their options, and what these are turned into."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.errors import StudyError

if TYPE_CHECKING:
    from pellucid.atlas.icons import IconConfig
    from pellucid.study import AtlasRecord, Study

HarvestedStudy = Annotated[Path, typer.Argument(metavar="STUDY", help="A study with harvested activations.")]
LayerName = Annotated[str | None, typer.Option(help="The layer, if there are several.")]
Grids = Annotated[str, typer.Option(help="Cells a side of each zoom level, from coarse to fine.")]
MinCount = Annotated[int, typer.Option(min=1, help="Activations that a cell must hold to be drawn.")]
Filter = Annotated[
    str,
    typer.Option(
        help="Which activations matter to a class: rank (those that speak for no other class more), magnitude (those "
        "that speak most for it), or both."
    ),
]
Most = Annotated[
    int | None,
    typer.Option(min=1, help="Activations at most that are taken by magnitude; 2000, but at most a twentieth of all."),
]
Neighbors = Annotated[int, typer.Option(min=2, help="Neighbours in the layout.")]
MinDist = Annotated[float, typer.Option(min=0, help="Least distance in the layout.")]
IconSize = Annotated[int | None, typer.Option(min=8, help="Pixels a side of an icon.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps of each icon's optimization.")]
Batch = Annotated[int | None, typer.Option(min=1, help="Icons drawn together.")]
Seed = Annotated[int, typer.Option(help="Of layout and icons.")]
NetworkOption = Annotated[str | None, typer.Option(help="The network, if not under the name in the study.")]


def icon_config(size: int | None, steps: int | None, batch: int | None, seed: int) -> "IconConfig":
    """The settings of icons, the usual ones where nothing is said."""
    from pellucid.atlas.icons import IconConfig

    usual = IconConfig()
    return IconConfig(size or usual.size, steps or usual.steps, batch=batch or usual.batch, seed=seed)


def only_layer(study: "Study", layer: str | None) -> str:
    """The layer that is said, else the only one that is harvested. Raises `StudyError` if there are several or none."""
    from pellucid.activations.store import harvested_layers

    layers = harvested_layers(study)
    if layer is not None or len(layers) == 1:
        return layer or layers[0]
    what = f"layers {', '.join(layers)}: choose one with --layer" if layers else "no finished harvest"
    raise StudyError(f"the study in {study.path} has {what}")


def tell(study: "Study", name: str, record: "AtlasRecord") -> None:
    """Say what was drawn."""
    cells = ", ".join(f"{level.cells} cells of {level.grid}x{level.grid}" for level in record.levels)
    typer.echo(f"{name}: {record.title}: {record.samples} activations of {record.images} photographs, {cells}")
    typer.echo(f"look at it: pellucid serve {study.path}, #atlas={name}")
