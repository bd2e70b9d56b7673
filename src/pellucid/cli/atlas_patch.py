"""`pellucid atlas patch`: paste pictures into photographs, and see what a network takes them for."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from pellucid.cli.options import Device, Weights, command_line, load_network, parse_numbers, print_table
from pellucid.errors import AtlasError, StudyError

_ALL = "all"
_NOISE = "noise"


def patch(
    network: Annotated[
        str, typer.Argument(metavar="NETWORK|STUDY", help="A network's name, or a study that gets the page.")
    ],
    patches: Annotated[
        Path, typer.Option(help="The pictures to paste: a folder of them, or one file. Each is squashed to a square.")
    ],
    target: Annotated[str, typer.Option(help="The class that patches are to lead to: its number or name.")],
    images: Annotated[
        str | None, typer.Option(help="The photographs, whatever 'pellucid harvest' reads; by default the study's own.")
    ] = None,
    class_: Annotated[
        str | None,
        typer.Option(
            "--class",
            help="Only photographs of this class, by label, by file name, or else by what the network takes them for.",
        ),
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Only these: classes, ranges such as 0-397, patterns such as 'sea/*'.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Photographs at most, drawn at random.")] = None,
    also: Annotated[
        list[str] | None, typer.Option(help="Another class whose logit is reported; may be given several times.")
    ] = None,
    sizes: Annotated[str, typer.Option(help="Sizes of the patch, as shares of an image's side.")] = "0.2,0.4,0.7",
    corners: Annotated[
        str, typer.Option(help="Corners to paste in: all, or numbers from 0, top left, to 3, bottom right.")
    ] = _ALL,
    control: Annotated[
        str, typer.Option(help="What patches are compared with: noise, drawn anew, or a picture file.")
    ] = _NOISE,
    controls: Annotated[
        str, typer.Option(help="Further controls: any of grey, self, unrelated.")
    ] = "grey,self,unrelated",
    labels: Annotated[str | None, typer.Option(help="Where classes come from, as in 'pellucid harvest'.")] = None,
    squash: Annotated[
        bool, typer.Option(help="Show whole photographs squashed, as the article does, not their centre.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="The page's name; by default made of the classes.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Photographs shown with and without a patch.")] = 6,
    resamples: Annotated[int, typer.Option(min=100, help="Draws of the bootstrap and of the test.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    batch: Annotated[int, typer.Option(min=1, help="Photographs in one pass.")] = 16,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The study to write, where a network is named.")
    ] = Path("study"),
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Paste pictures into the corners of photographs at several sizes, and see what a network takes them for.

    Prints how often each picture turns a photograph that was taken for what it is into the target, and how much it
    raises the target's logit, beside a control picture in the same places; writes a page to the study. A network's own
    name, instead of a study, makes a study for the page.
    """
    from pellucid.activations.sources import open_source, reopen
    from pellucid.atlas.class_names import find_class
    from pellucid.atlas.patching import PatchConfig, choose_photographs, patch_page
    from pellucid.study import Study

    opened = Study.open(network) if (Path(network) / "study.json").is_file() else None
    found = load_network(opened.manifest.network["name"] if opened else network, weights, device)
    if opened is not None:
        opened.refuse_other_weights(found.name, found.digest)
    if images is not None:
        source = open_source(images, labels=labels)
    elif opened is not None:
        source = reopen(opened.manifest.images)
    else:
        raise StudyError("say which photographs with --images, or give a study that has some")
    names = found.class_names
    count = found(found.blank()).shape[1] if not names else None
    wanted, of = (find_class(names, text, count=count) if text else None for text in (target, class_))
    if wanted is None:
        raise AtlasError("--target is empty; give the number or the name of a class")
    config = PatchConfig(
        sizes=parse_numbers(sizes, float, "sizes"),
        corners=(0, 1, 2, 3) if corners == _ALL else parse_numbers(corners, int, "corners"),
        controls=(_NOISE, *(part.strip() for part in controls.split(",") if part.strip())),
        seed=seed,
        batch=batch,
    )
    photographs = choose_photographs(
        found, source, wanted, of=of, only=only, limit=limit, squash=squash, seed=seed, batch=batch
    )
    pictures = _pictures(patches, found.channels)
    own = None if control == _NOISE else next(iter(_pictures(Path(control), found.channels).items()))
    study = opened or Study.create(output, _manifest(found))
    record = patch_page(
        found, study, photographs, pictures, wanted,
        of=of, also=[find_class(names, text, count=count) for text in also or ()], control=own, config=config,
        name=name, examples=examples, resamples=resamples, progress=True,
    )  # fmt: skip
    _print(record.content, names)
    typer.echo(f"look at it: pellucid serve {study.path}")


def _pictures(path: Path, channels: int) -> dict[str, Any]:
    """The pictures of a folder, or one file, by their names."""
    from pellucid.activations.images import find_images, open_image

    if path.is_file():
        return {path.stem: open_image(path, channels)}
    found = {}
    for file in find_images(path):
        stem = Path(file).stem
        found[file if stem in found else stem] = open_image(path / file, channels)
    return found


def _manifest(network):
    from pellucid.study import Manifest

    return Manifest(network.describe(), {}, command=command_line())


def _print(content: dict[str, Any], names) -> None:
    from pellucid.atlas.class_names import short_name

    table = Table("patch", "best place", "of", "to target", "rate", "control", "p", "logit", box=None, pad_edge=False)
    for row in content["consistent"]:
        table.add_row(
            row["patch"],
            f"{row['size']:g} {row['corner']}",
            str(row["correct"]),
            str(row["to_target"]),
            _share(row["rate"], row["low"], row["high"]),
            "-" if row["control_rate"] is None else f"{100 * row['control_rate']:.1f} %",
            "-" if row["p"] is None else f"{row['p']:.2g}",
            _range(row["logit"], row["logit_low"], row["logit_high"]),
        )
    typer.echo("one size and corner for all photographs, chosen on one half of them and counted on the other:")
    print_table(table)
    overall, called = content["overall"], short_name(names, content["target"])
    for each in ("patch", "control"):
        said = overall[each]
        typer.echo(
            f"all sizes and corners, {'patches' if each == 'patch' else content['control']['name']}: {called} in "
            f"{_share(said['rate'], said['low'], said['high'])} of {said['correct']} photographs; its logit rises by "
            f"{_range(said['logit'], said['logit_low'], said['logit_high'])}"
        )
    for control in content["controls"]:
        rows = [
            [content["target"], *(control[key] for key in ("difference", "difference_low", "difference_high", "p"))]
        ]
        for label, *values in [*rows, *control["differences"]]:
            typer.echo(
                f"logit of {short_name(names, label)}, patches less {control['name']}: {_range(*values[:3])}, "
                f"p = {values[3]:.2g}"
            )


def _share(value: float, low: float, high: float) -> str:
    return f"{100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _range(value: float, low: float, high: float) -> str:
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"
