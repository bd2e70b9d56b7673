"""The label analysis as a whole: both bin conventions, intervals, and how well the activation tells labels apart."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.activations.distribution import Distribution
from pellucid.curves.labels.bootstrap import bootstrap_shares
from pellucid.curves.labels.contribution import Composition, Place, compose
from pellucid.curves.labels.counts import LabelCounts
from pellucid.curves.labels.discrimination import auc, dataset_auc
from pellucid.curves.labels.shares import LabelShares, Smoothing
from pellucid.errors import PellucidError

Interval = tuple[float, float] | None
PLACES: tuple[Place, Place] = ("left", "centre")


@dataclass(frozen=True)
class LabelRow:
    """What is known of one or several labels together.

    `images` of the labelled ones; `prevalence` among the positions of the dataset and the share of these that `fires`;
    the share of the expected activation by `left` edges and by `centre`s, each with its interval. None where only
    published shares are known, or a label has no position.
    """

    label: str
    images: int | None
    prevalence: float | None
    fires: float | None
    left: float
    left_interval: Interval
    centre: float
    centre_interval: Interval


@dataclass(frozen=True)
class Discrimination:
    """How well the activation tells `positive` labels from `negative` ones: the area under the curve of the labelled
    images, and of the positions of the dataset. None where it is not known or not defined."""

    positive: str
    negative: str
    images: float | None
    dataset: float | None


@dataclass(frozen=True, eq=False)
class LabelReport:
    """The analysis of labels of images against a unit's activation on a dataset.

    `rows` are the labels, and last the `positive` ones together. `compositions` are by bin convention, "left" and
    "centre".
    """

    rows: tuple[LabelRow, ...]
    discriminations: tuple[Discrimination, ...]
    compositions: dict[Place, Composition]

    def record(self) -> dict[str, Any]:
        """Everything as JSON values."""
        left = self.compositions["left"]
        return {
            "format": 1,
            "labels": [vars(row) for row in self.rows],
            "discrimination": [vars(one) for one in self.discriminations],
            "edges": left.edges.tolist(),
            "conditional": left.conditional.tolist(),
            "density": left.density.tolist(),
            "contribution": {place: one.contribution.tolist() for place, one in self.compositions.items()},
            "unlabelled": {place: one.unlabelled for place, one in self.compositions.items()},
        }

    def csv_text(self) -> str:
        """The bins as comma-separated values: their edges, and for each label the heights of the stack plots."""
        left, centre = self.compositions["left"], self.compositions["centre"]
        columns: dict[str, Sequence[float]] = {"from": left.edges[:-1].tolist(), "to": left.edges[1:].tolist()}
        parts = (
            ("conditional", left.conditional), ("density", left.density), ("contribution_left", left.contribution),
            ("contribution_centre", centre.contribution),
        )  # fmt: skip
        for name, values in parts:
            columns |= {f"{name}_{label}": row for label, row in zip(left.labels, values.tolist(), strict=True)}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        return text.getvalue()


def analyse_labels(
    labelled: LabelCounts | LabelShares,
    activations: Distribution,
    *,
    positive: Sequence[str] = ("curve", "imperfect"),
    smoothing: Smoothing | None = Smoothing(),
    group: float = 100.0,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> LabelReport:
    """Analyse labels of images, or published shares P(label | x), against the activations of a dataset.

    Of counts the shares of the expected activation are smoothed, and have intervals of the bootstrap with `resamples`
    (0 for none), `group` and `seed`; prevalence, firing and areas under the curve are not smoothed. Published shares
    are taken as they are, and have no intervals. Raises `PellucidError` if the bins differ or a label is unknown.
    """
    unknown = [label for label in positive if label not in labelled.labels]
    if unknown or not positive:
        raise PellucidError(
            f"positive labels are some of {', '.join(labelled.labels)}, not {', '.join(unknown) or 'none'}"
        )
    if isinstance(labelled, LabelCounts):
        counts: LabelCounts | None = labelled.on(activations.edges)
        raw, shares = counts.shares(None), counts.shares(smoothing)
    else:
        counts, raw, shares = None, labelled, labelled
    compositions: dict[Place, Composition] = {place: compose(shares, activations, at=place) for place in PLACES}
    draws = {
        place: bootstrap_shares(
            counts, activations, at=place, smoothing=smoothing, group=group, resamples=resamples, seed=seed
        )
        for place in PLACES
        if counts is not None and resamples
    }
    unsmoothed = compose(raw, activations)

    def row(*labels: str) -> LabelRow:
        prevalence = sum(unsmoothed.prevalence[label] for label in labels)
        firing = sum(unsmoothed.prevalence[one] * unsmoothed.fires[one] for one in labels if unsmoothed.prevalence[one])
        parts = {place: sum(one.shares[label] for label in labels) for place, one in compositions.items()}
        ends = {place: one.interval(*labels, confidence=confidence) for place, one in draws.items()}
        return LabelRow(
            "+".join(labels),
            sum(counts.totals[label] for label in labels) if counts else None,
            prevalence,
            firing / prevalence if prevalence else None,
            parts["left"],
            ends.get("left"),
            parts["centre"],
            ends.get("centre"),
        )

    rows = [row(label) for label in labelled.labels]
    rows += [row(*positive)] if len(positive) > 1 else []
    pairs = _pairs(labelled.labels, positive)
    areas = [_discriminate(counts, raw, activations, *pair) for pair in pairs]
    return LabelReport(tuple(rows), tuple(areas), compositions)


def _pairs(labels: Sequence[str], positive: Sequence[str]) -> list[tuple[Sequence[str], Sequence[str]]]:
    """What is told from what: the first positive label from all others, all positive ones from the rest and each of
    it."""
    others = [label for label in labels if label not in positive]
    first = [(positive[:1], [label for label in labels if label != positive[0]])] if len(positive) > 1 else []
    each = [(positive, [label]) for label in others] if len(others) > 1 else []
    return [*first, *([(positive, others)] if others else []), *each]


def _discriminate(
    counts: LabelCounts | None,
    shares: LabelShares,
    activations: Distribution,
    positive: Sequence[str],
    negative: Sequence[str],
) -> Discrimination:
    images = auc(counts, positive, negative) if counts else math.nan
    dataset = dataset_auc(shares, activations, positive, negative)
    return Discrimination("+".join(positive), "+".join(negative), _known(images), _known(dataset))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
