"""`pellucid experiment make`: the stimuli of an experiment, from a network and photographs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pellucid.cli.options import Device, NetworkName, Weights, command_line, load_network
from pellucid.errors import PellucidError
from pellucid.pictures import check_suffix

if TYPE_CHECKING:
    from pellucid.study.experiments import Stimuli

_CONDITIONS = "optimized,natural,mixed,natural_blur,none"


def make(
    network: NetworkName,
    images: Annotated[
        str,
        typer.Option(metavar="WHERE", help="Photographs: a folder, a list, tar files, or a data set, as for harvest."),
    ],
    study: Annotated[Path, typer.Option(help="The study that the experiment becomes part of.")],
    units: Annotated[
        list[str] | None,
        typer.Argument(metavar="UNITS...", help="Units to ask about, 'layer:17'; or none, with --sample."),
    ] = None,
    name: Annotated[str, typer.Option(help="What the experiment is called, also in its address.")] = "experiment",
    sample: Annotated[
        int | None, typer.Option(min=1, help="Instead of UNITS: draw so many units from the rectified layers.")
    ] = None,
    per_layer: Annotated[int, typer.Option(min=1, help="How many of these each layer gives.")] = 1,
    layer: Annotated[
        list[str] | None, typer.Option(help="Draw from this layer; several times. Else evenly over the depth.")
    ] = None,
    image_sets: Annotated[
        int, typer.Option(min=1, help="Questions about each unit, each with photographs of its own.")
    ] = 10,
    top: Annotated[
        int | None,
        typer.Option(min=10, help="How many of the most exciting photographs are used; 200, or a ninth of fewer."),
    ] = None,
    conditions: Annotated[
        str, typer.Option(help="What people are shown of a unit; each person sees one of these.")
    ] = _CONDITIONS,
    task: Annotated[
        Literal["counterfactual", "two_choice"],
        typer.Option(help="Which covered copy excites the unit more, or which of two photographs does."),
    ] = "counterfactual",
    side: Annotated[
        float, typer.Option(help="The covered square: a share of the picture's side up to 1, or pixels.")
    ] = 0.4,
    stride: Annotated[int, typer.Option(min=1, help="How far apart the places of the square are, in pixels.")] = 2,
    fill: Annotated[
        Literal["mean", "blur", "grey"], typer.Option(help="What covers it: its own mean colour, a blur, or grey.")
    ] = "mean",
    activation: Annotated[
        Literal["mean", "max"], typer.Option(help="Of a unit's map: its mean, or its largest value.")
    ] = "mean",
    min_difference: Annotated[
        float, typer.Option(min=0, help="Least difference of a pair's activations, in shares of the uncovered one.")
    ] = 0.0,
    max_overlap: Annotated[
        float, typer.Option(min=0, max=1, help="The most that a pair's squares may overlap, as a share of their area.")
    ] = 1.0,
    near: Annotated[bool, typer.Option(help="Leave near duplicates out.")] = True,
    steps: Annotated[int, typer.Option(min=0, help="Of the optimization of pictures.")] = 512,
    diversity: Annotated[
        float, typer.Option(min=0, help="How much they are to differ, in shares of the highest natural activation.")
    ] = 1.0,
    blur_stride: Annotated[
        int | None,
        typer.Option(
            min=1, help="In the search for the square that stays sharp; a quarter of the square, or --stride."
        ),
    ] = None,
    minimal: Annotated[
        bool, typer.Option("--minimal", help="Also show what excites the unit least; two_choice always does.")
    ] = False,
    catch: Annotated[int, typer.Option(min=0, help="Trials that nobody fails, to find who does not look.")] = 3,
    practice: Annotated[int, typer.Option(min=0, help="Practice questions.")] = 7,
    obvious: Annotated[int, typer.Option(min=0, help="Practice questions that nobody fails.")] = 3,
    instruction: Annotated[int, typer.Option(min=0, help="Questions that the instructions explain.")] = 2,
    extra_units: Annotated[int, typer.Option(min=1, help="Further units that these four are about.")] = 4,
    batch: Annotated[int, typer.Option(min=1, help="Images that pass through the network together.")] = 8,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw all main stimuli into one picture, to look at.")
    ] = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Make the pictures of an experiment: covered photographs, what people are shown of each unit, and the key.

    What takes long is kept: stopped, the same command goes on where it ended.
    """
    from pellucid.causal.stimuli import Sample, StimuliConfig, make_stimuli
    from pellucid.study import Study
    from pellucid.study.experiments import experiment_folder, experiment_name

    if bool(units) == (sample is not None):
        raise PellucidError("name units, 'layer:17', or have some drawn with --sample; one of both")
    if sheet is not None:
        check_suffix(sheet)
    experiment_name(name)
    config = StimuliConfig(
        task=task, conditions=tuple(part.strip() for part in conditions.split(",") if part.strip()),
        image_sets=image_sets, side=side if side <= 1 else round(side), stride=stride, fill=fill, summary=activation,
        min_difference=min_difference, max_overlap=max_overlap, top=top, steps=steps, diversity=diversity,
        blur_stride=blur_stride, minimal=minimal, catch=catch, practice=practice, obvious=obvious,
        instruction=instruction, extra_units=extra_units, batch=batch, seed=seed, **({} if near else {"near": None}),
    )  # fmt: skip
    found = load_network(network, weights, device)
    chosen: Any = units if sample is None else Sample(sample, per_layer, tuple(layer or ()))
    stimuli = make_stimuli(
        found, chosen, images, study, name=name, config=config, command=command_line(), progress=True,
        tell=lambda line: typer.echo(line, err=True),
    )  # fmt: skip
    folder = experiment_folder(Study.open(study), name)
    if sheet is not None:
        _draw(folder, sheet)
    typer.echo(_summary(stimuli, folder))
    typer.echo(f"next: pellucid experiment design {study} {name}")


def _draw(folder: Path, sheet: Path) -> None:
    from pellucid.causal.stimuli import stimuli_sheet
    from pellucid.pictures import save

    save(sheet, stimuli_sheet(folder))
    typer.echo(f"wrote {sheet}: it tells which query is which, so it is not for participants")


def _summary(stimuli: "Stimuli", folder: Path) -> str:
    main = stimuli.of_role("main")
    others = [f"{len(stimuli.of_role(role))} {role}" for role in ("catch", "practice", "obvious", "instruction")]
    return (
        f"{len(main)} stimuli of {len({one.address for one in main})} units ({', '.join(others)}) and "
        f"{len(stimuli.pictures)} pictures in {folder}"
    )
