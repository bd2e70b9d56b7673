"""`pellucid atlas image`: one photograph as a layer sees it."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.options import Device, Weights, network_of
from pellucid.errors import ImagesError, StudyError, did_you_mean


def image(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study that gets the page.")],
    photo: Annotated[
        str, typer.Argument(metavar="PHOTO", help="An image file, or the name of one of the study's photographs.")
    ],
    layer: Annotated[
        str | None, typer.Option(help="The layer; by default that of the study's only atlas or harvest.")
    ] = None,
    groups: Annotated[int, typer.Option(min=1, help="Groups of neurons that the image is taken apart into.")] = 4,
    name: Annotated[str | None, typer.Option(help="The page's name; by default made of photograph and layer.")] = None,
    icon_size: Annotated[int | None, typer.Option(min=8, help="Pixels a side of an icon, as in an atlas.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of each icon's optimization, as in an atlas.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Icons drawn together.")] = 16,
    seed: Annotated[int, typer.Option(help="Of icons and groups.")] = 0,
    network: Annotated[str | None, typer.Option(help="The network, if not under the name in the study.")] = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Draw every position of a photograph as the icon of its activation, and take the image apart into a few groups.

    Writes a page to the study: the photograph's classes, its grid of icons, single neurons and a pair of them, groups
    of neurons with their maps, and each position's place in the study's atlas of the layer.
    """
    from dataclasses import replace

    from pellucid.activations.images import open_image
    from pellucid.activations.sources import reopen
    from pellucid.atlas.icons import IconConfig
    from pellucid.atlas.image_page import ImageConfig, image_page
    from pellucid.study import Study

    opened = Study.open(study)
    wanted = layer or _only_layer(opened)
    found = network_of(opened, network, weights, device)
    if Path(photo).is_file():
        picture = open_image(photo, found.channels)
    else:
        source = reopen(opened.manifest.images) if opened.manifest.images else None
        names = [source.name(index) for index in range(len(source))] if source else []
        if source is None or photo not in names:
            near = did_you_mean(photo, names)
            raise ImagesError(f"{photo!r} is neither a file nor one of the {len(names)} photographs of the study{near}")
        picture = source.open(names.index(photo), found.channels)
    icons = IconConfig(batch=batch, seed=seed)
    icons = replace(icons, size=icon_size or icons.size, steps=steps or icons.steps)
    record = image_page(
        found, opened, picture, wanted, title=Path(photo).name, name=name,
        config=ImageConfig(groups=groups, seed=seed, icons=icons), progress=True,
    )  # fmt: skip
    _print(record.content, found.class_names)
    typer.echo(f"look at it: pellucid serve {opened.path}")


def _print(content, names) -> None:
    from pellucid.atlas.class_names import short_name

    rows, columns = content["grid"]
    typer.echo(f"{rows}x{columns} positions of {content['layer']}")
    typer.echo(
        "taken for " + ", ".join(f"{short_name(names, label)} {value:.2f}" for label, value in content["logits"])
    )
    for number, group in enumerate(content["groups"], 1):
        classes = ", ".join(f"{short_name(names, label)} {value:+.2f}" for label, value in group["attribution"])
        typer.echo(f"group {number}, {100 * group['share']:.0f} % of the activations: {classes}")


def _only_layer(study) -> str:
    from pellucid.study import AtlasRecord

    atlases = [AtlasRecord.read(path.parent) for path in sorted((study.path / "atlas").glob("*/atlas.json"))]
    harvested = [path.parent.name for path in (study.path / "activations").glob("*/harvest.json")]
    layers = sorted({atlas.layer for atlas in atlases if atlas.kind == "layer"}) or sorted(harvested)
    if len(layers) != 1:
        what = f"layers {', '.join(layers)}: choose one" if layers else "no atlas and no harvest: name a layer"
        raise StudyError(f"the study in {study.path} has {what} with --layer")
    return layers[0]
