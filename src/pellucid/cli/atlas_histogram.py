"""`pellucid atlas histogram`: two sets of images over the cells of an atlas."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pellucid.cli.options import print_table
from pellucid.errors import AtlasError

_SHOWN = 12  # cells printed


def histogram(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study with the atlas of a layer.")],
    other: Annotated[
        Path | None,
        typer.Argument(metavar="[OTHER]", help="Another study, of other images, with a harvest of the same layer."),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(
            help="Without OTHER: the first set, as classes, ranges such as 0-397, or patterns of images' names; "
            "with a name of its own before a =, such as animals=0-397."
        ),
    ] = None,
    second: Annotated[
        str | None, typer.Option(help="Without OTHER: the second set; by default all other images of the study.")
    ] = None,
    atlas: Annotated[str | None, typer.Option(help="The atlas, if the study has several.")] = None,
    grid: Annotated[
        int | None, typer.Option(help="The grid; by default the finest whose cells hold 20 activations in the median.")
    ] = None,
    permutations: Annotated[int, typer.Option(min=100, help="Permutations of the images.")] = 10_000,
    rate: Annotated[float, typer.Option(min=0, max=1, help="False discovery rate of the cells that differ.")] = 0.05,
    name: Annotated[str | None, typer.Option(help="The page's name; by default made of the sets.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the page's content as JSON.")] = False,
    seed: Annotated[int, typer.Option(help="Of the permutations.")] = 0,
) -> None:
    """Count the activations of two sets of images in the cells of an atlas, and say where they differ beyond chance.

    The sets are two studies, or two parts of one. Whole images are permuted, not activations, which are alike within an
    image. Writes a page to the study.
    """
    from pellucid.atlas.atlas_map import AtlasMap
    from pellucid.atlas.histogram_page import histogram_page, strangers, whole_atlas
    from pellucid.study import Study

    opened = Study.open(study)
    if other is None and first is None:
        raise AtlasError("say what to compare: another study, or a part of this one with --first")
    if other is not None and (first or second):
        raise AtlasError("--first and --second choose parts of one study; leave them out, or the other study")
    found = AtlasMap.open(opened, atlas)
    if other is not None:
        stranger = Study.open(other)
        names = _names(opened.path, stranger.path)
        sets = whole_atlas(found, names[0]), strangers(found, stranger, names[1])
    else:
        sets = _parts(found, first or "", second)
    record = histogram_page(found, *sets, grid=grid, permutations=permutations, rate=rate, seed=seed, name=name)
    if as_json:
        typer.echo(json.dumps(record.content, indent=1))
        return
    _print(record.content)
    typer.echo(f"look at it: pellucid serve {opened.path}")


def _parts(atlas, first: str, second: str | None):
    import numpy as np

    from pellucid.atlas.histogram_page import part_of_atlas, study_classes
    from pellucid.atlas.image_classes import choose_images

    names, of = study_classes(atlas.study, atlas.record.classes)
    classes = atlas.record.classes
    called, first = _called_set(first)
    one = choose_images(first, names, of, classes)
    if second is None:
        other, two = f"not {called}", np.setdiff1d(np.arange(len(names)), one)
    else:
        other, second = _called_set(second)
        two = choose_images(second, names, of, classes)
        both = np.intersect1d(one, two)
        if len(both):
            raise AtlasError(f"{len(both)} images are in both sets, {names[both[0]]} for one; choose sets apart")
    return part_of_atlas(atlas, one, called), part_of_atlas(atlas, two, other)


def _called_set(text: str) -> tuple[str, str]:
    """The name of a set, and what chooses its images: `animals=0-397`, or what chooses them alone."""
    name, equals, chooses = text.partition("=")
    return (name.strip(), chooses) if equals and name.strip() else (text, text)


def _names(first: Path, second: Path) -> tuple[str, str]:
    one, two = first.resolve().name, second.resolve().name
    return (one, two) if one != two else (one, f"{two} (the other)")


def _print(content) -> None:
    from pellucid.atlas.class_names import short_name

    first, second = content["first"], content["second"]
    for each in (first, second):
        typer.echo(f"{each['name']}: {each['activations']} activations of {each['images']} images")
    typer.echo(
        f"the histograms differ with p = {content['p']:.2g} ({content['permutations']} permutations of images); "
        f"{len(content['different'])} of {len(content['cells'])} cells differ at a false discovery rate of "
        f"{content['rate']:g}"
    )
    if content["outside"]:
        typer.echo(
            f"further from the atlas than 99 % of {first['name']}: {100 * content['outside']['second']:.1f} % of "
            f"{second['name']}"
        )
    table = Table("row", "column", first["name"], second["name"], "log2", "q", "classes", box=None, pad_edge=False)
    for index in content["different"][:_SHOWN]:
        row, column, one, two, ratio, _, q = content["cells"][index]
        called = ", ".join(short_name(content["names"], label) for label in content["labels"][index])
        shares = (f"{100 * one:.2f} %", f"{100 * two:.2f} %")
        table.add_row(str(row), str(column), *shares, f"{ratio:+.1f}", f"{q:.2g}", called)
    if content["different"]:
        print_table(table)
