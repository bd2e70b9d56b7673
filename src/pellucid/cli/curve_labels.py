"""`pellucid curves labels`: what people see in the images that a unit answers to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.curve_results import Output, refuse_other_endings, table_of, write_results
from pellucid.cli.options import print_table
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.activations.distribution import Distribution
    from pellucid.curves.labels import LabelCounts, LabelShares

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
    names: Annotated[
        str, typer.Option(help="The labels, from what the unit is for to its opposite.")
    ] = "curve,imperfect,unrelated,opposing",
    positive: Annotated[str, typer.Option(help="Those that speak for the unit.")] = "curve,imperfect",
    at: Annotated[str, typer.Option(help="What the figure's bins stand for: left or centre.")] = "left",
    window: Annotated[int, typer.Option(min=0, help="Bins of the smoothing of Savitzky and Golay; 0 for none.")] = 7,
    order: Annotated[int, typer.Option(min=0, help="Order of its polynomial.")] = 2,
    group: Annotated[float, typer.Option(help="Activations within which images are drawn again for intervals.")] = 100,
    resamples: Annotated[int, typer.Option(min=0, help="Draws of the bootstrap; 0 for no intervals.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    output: Output = None,
) -> None:
    """Analyse labels of images against activation: the parts of the expected activation, intervals, and areas.

    Prints the parts by both conventions, left edges and centres of bins, and how well the activation tells labels
    apart.
    """
    from pellucid.curves.labels import Smoothing, analyse_labels, stack_figure

    refuse_other_endings(output)
    if at not in ("left", "centre"):
        raise PellucidError(f"--at {at!r} is neither left nor centre")
    if [counts, published, answers].count(None) != 2:
        raise PellucidError("give one of --counts, --published and --answers")
    given = tuple(part.strip() for part in names.split(","))
    labelled, activations = _read(counts, published, answers, histogram, given)
    report = analyse_labels(
        labelled, activations, positive=[part.strip() for part in positive.split(",")],
        smoothing=Smoothing(window, order) if window else None, group=group, resamples=resamples, seed=seed,
    )  # fmt: skip
    print_table(table_of([_row(vars(row)) for row in report.rows]))
    for one in report.discriminations:
        values = [
            f"{value:.3f} of {what}" for what in ("images", "dataset") if (value := getattr(one, what)) is not None
        ]
        typer.echo(f"area under the curve, {one.positive} against {one.negative}: {', '.join(values) or 'not defined'}")
    write_results(
        output,
        figure=lambda: stack_figure({f"bins by {at}": report.compositions["left" if at == "left" else "centre"]}),
        csv=report.csv_text,
        data=report.record,
    )


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
        found = agreement(raters)
        for pair in found.pairs:
            same = f"{pair.images} images, {pair.same:.1%} alike"
            typer.echo(f"{pair.first} and {pair.second}: {same}, Cohen's kappa {pair.kappa:.3f}")
        typer.echo(f"all {len(raters)} raters: {found.images} images, Fleiss' kappa {found.fleiss:.3f}")
    return list(decided(answers, names).values())


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row with intervals as text."""
    shown = {name: value for name, value in row.items() if not name.endswith("_interval")}
    for name in ("left", "centre"):
        if ends := row[f"{name}_interval"]:
            shown[name] = f"{row[name]:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"
    return shown
