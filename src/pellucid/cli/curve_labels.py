"""`pellucid curves labels`: what people see in the images that a unit answers to."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.curve_label import one_unit
from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.options import print_table
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.activations.distribution import Distribution
    from pellucid.curves.labels import LabelCounts, LabelShares, RaterAgreement, StudyLabels

_SHOWN = 10  # false positives in the terminal
_SHARES, _POSITIONS = "human-firstplot.json", "human-probabilities.json"
Labelled = tuple["LabelCounts | LabelShares", "Distribution"]


def labels(
    counts: Annotated[
        Path | None, typer.Option(help="Counts of labels by activation: JSON with bin_left_edge and a list by label.")
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(help=f"Published shares, P(label | x), such as {_SHARES}, or the folder of it and {_POSITIONS}."),
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Labels one by one: CSV with columns image, activation, label, and rater.")
    ] = None,
    histogram: Annotated[
        Path | None,
        typer.Option(help="The unit's activations on the dataset: a published histogram, or a distribution."),
    ] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="STUDY", help="A study with a labelling task that people have answered to.")
    ] = None,
    unit: Annotated[str | None, typer.Option(metavar="UNIT", help="The unit of that task, layer:17.")] = None,
    merge: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --study: bins of the harvest that are one; by default 4 or more are left of each sampled bin.",
        ),
    ] = None,
    above: Annotated[
        float, typer.Option(help="With --study: activation from which on images without positive label are listed.")
    ] = 0,
    names: Annotated[
        str | None,
        typer.Option(help="The labels, from what the unit is for to its opposite; of a study those of its task."),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(help="Those that speak for the unit; by default curve,imperfect, or those of the task."),
    ] = None,
    at: Annotated[str, typer.Option(help="What the figure's bins stand for: left or centre.")] = "left",
    window: Annotated[int, typer.Option(min=0, help="Bins of the smoothing of Savitzky and Golay; 0 for none.")] = 7,
    order: Annotated[int, typer.Option(min=0, help="Order of its polynomial.")] = 2,
    group: Annotated[
        float | None,
        typer.Option(
            help="Activations within which images are drawn again for intervals; 100, or the bins of the study's task."
        ),
    ] = None,
    resamples: Annotated[int, typer.Option(min=0, help="Draws of the bootstrap; 0 for no intervals.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    output: Output = None,
) -> None:
    """Analyse labels of images against activation: the parts of the expected activation, intervals, and areas.

    Prints the parts by both conventions, left edges and centres of bins, and how well the activation tells labels
    apart.
    """
    from pellucid.curves.labels import CURVE_POSITIVE, LABELS, Smoothing, analyse_labels, stack_figure

    refuse_other_endings(output)
    if at not in ("left", "centre"):
        raise PellucidError(f"--at {at!r} is neither left nor centre")
    if [counts, published, answers, study].count(None) != 3:
        raise PellucidError("give --study with --unit, or one of --counts, --published and --answers")
    given, speaking = _listed(names) or LABELS, _listed(positive) or CURVE_POSITIVE
    found, more = None, {}
    if study is not None:
        found = _of_study(study, unit, merge, names, histogram)
        speaking, group = _listed(positive) or found.positive, group or found.width
        labelled, activations = found.counts(), found.activations
        more = _told(found, above)
    else:
        labelled, activations = _read(counts, published, answers, histogram, given)
    report = analyse_labels(
        labelled, activations, positive=speaking, smoothing=Smoothing(window, order) if window else None,
        group=100.0 if group is None else group, resamples=resamples, seed=seed,
    )  # fmt: skip
    print_table(table_of([_row(vars(row)) for row in report.rows]))
    for one in report.discriminations:
        values = [
            f"{value:.3f} of {what}" for what in ("images", "dataset") if (value := getattr(one, what)) is not None
        ]
        typer.echo(f"area under the curve, {one.positive} against {one.negative}: {', '.join(values) or 'not defined'}")
    if found is not None:
        _print_false_positives(more["false_positives"], above)
    write_results(
        output,
        figure=lambda: stack_figure({f"bins by {at}": report.compositions["left" if at == "left" else "centre"]}),
        csv=report.csv_text,
        data=lambda: {**report.record(), **more},
    )


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()


def _of_study(
    path: Path, unit: str | None, merge: int | None, names: str | None, histogram: Path | None
) -> "StudyLabels":
    """What people have said of a unit's images in a study."""
    from pellucid.curves.labels import read_study_labels
    from pellucid.study import Study

    if unit is None or names or histogram:
        raise PellucidError(
            "--study needs the unit, --unit layer:17, and takes labels and activations from its task, so that there is "
            "no --names and no --histogram"
        )
    return read_study_labels(Study.open(path), *one_unit(unit), merge=merge)


def _told(found: "StudyLabels", above: float) -> dict[str, Any]:
    """Print who said how much and how far they agree; give that and the false positives as JSON values."""
    said = ", ".join(f"{rater} {len(given)}" for rater, given in found.raters.items())
    typer.echo(f"{found.layer}:{found.unit}, {found.tap}: images labelled by {said}, of {len(found.images)}")
    agreed = found.agreement()
    if agreed is not None:
        _print_agreement(agreed)
    if outside := found.outside():
        typer.echo(f"left out: {len(outside)} images whose activation lies outside of all bins of the harvest")
    return {
        "unit": f"{found.layer}:{found.unit}",
        "tap": found.tap,
        "raters": {rater: len(given) for rater, given in found.raters.items()},
        "agreement": None if agreed is None else _agreement_record(agreed),
        "outside": outside,
        "false_positives": found.false_positives(above),
    }


def _print_false_positives(found: list[dict[str, Any]], above: float) -> None:
    typer.echo(f"false positives: {len(found)} images above {above:g} with a label that does not speak for the unit")
    if found:
        shown = ("activation", "label", "photograph", "row", "column")
        print_table(table_of([{name: one[name] for name in shown} for one in found[:_SHOWN]]))


def _read(
    counts: Path | None, published: Path | None, answers: Path | None, histogram: Path | None, names: tuple[str, ...]
) -> Labelled:
    """The labels, and the activations of the dataset."""
    from pellucid.curves.labels import LabelCounts, read_label_counts, read_label_shares, read_positions

    if counts is not None:
        labelled, beside = read_label_counts(counts, names)
        activations = read_positions(histogram) if histogram else beside
        if activations is None:
            raise PellucidError(f"{counts} has no dataset_histogram; give the unit's activations with --histogram FILE")
        return labelled, activations
    if published is not None and published.is_dir():
        histogram, published = histogram or published / _POSITIONS, published / _SHARES
    if histogram is None:
        raise PellucidError("give the unit's activations on the dataset with --histogram FILE")
    activations = read_positions(histogram)
    if published is not None:
        return read_label_shares(published, names), activations
    images = _decided(answers, names)
    return LabelCounts.of([x for x, _ in images], [label for _, label in images], activations.edges, names), activations


def _decided(path: Any, names: tuple[str, ...]) -> list[tuple[float, str]]:
    """Activation and label of each image; with several raters their agreement is printed."""
    from pellucid.curves.labels import agreement, decided, read_answers

    answers = read_answers(path)
    raters: dict[str, dict[str, str]] = {}
    for answer in answers:
        raters.setdefault(answer.rater, {})[answer.image] = answer.label
    if len(raters) > 1:
        _print_agreement(agreement(raters))
    return list(decided(answers, names).values())


def _print_agreement(found: "RaterAgreement") -> None:
    for pair in found.pairs:
        same = f"{pair.images} images, {pair.same:.1%} alike"
        typer.echo(f"{pair.first} and {pair.second}: {same}, Cohen's kappa {pair.kappa:.3f}")
    people = {name for pair in found.pairs for name in (pair.first, pair.second)}
    typer.echo(f"all {len(people)} raters: {found.images} images, Fleiss' kappa {found.fleiss:.3f}")


def _agreement_record(found: "RaterAgreement") -> dict[str, Any]:
    """Agreement as JSON values, None where it is not defined."""
    pairs = [{name: _known(value) for name, value in pair._asdict().items()} for pair in found.pairs]
    return {"pairs": pairs, "images": found.images, "fleiss": _known(found.fleiss)}


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row with intervals as text."""
    shown = {name: value for name, value in row.items() if not name.endswith("_interval")}
    for name in ("left", "centre"):
        if ends := row[f"{name}_interval"]:
            shown[name] = f"{row[name]:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"
    return shown
