"""The answers of raters in a study, with the unit's own distribution beside them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.activations.distribution import Distribution
from pellucid.activations.summary.bins import Bins
from pellucid.activations.summary.store import read_summary
from pellucid.curves.labels.answers import Answer, decided
from pellucid.curves.labels.counts import LabelCounts
from pellucid.curves.labels.raters import RaterAgreement, agreement
from pellucid.errors import PellucidError
from pellucid.study import Study
from pellucid.study.label_answers import raters, read_answers, standing
from pellucid.study.label_record import LabelKey, LabelledImage, label_task

_FINE = 4  # bins of the analysis in each bin that images were drawn from, as in the Curve Detectors article


@dataclass(frozen=True, eq=False)
class StudyLabels:
    """What raters said of the images of a unit, and how the unit's activations are spread over the dataset.

    `answers` hold in the end, with the activation of each image at the `tap`; `names` are the labels, `positive` those
    that speak for the unit. `images` says of each image where it is from. `width` is that of the bins that the images
    were drawn from, and `activations` the harvested distribution in bins of the analysis.
    """

    layer: str
    unit: int
    tap: str
    names: tuple[str, ...]
    positive: tuple[str, ...]
    answers: tuple[Answer, ...]
    images: dict[str, LabelledImage]
    activations: Distribution
    width: float

    @property
    def raters(self) -> dict[str, dict[str, str]]:
        """The label of each image, by rater."""
        found: dict[str, dict[str, str]] = {}
        for answer in self.answers:
            found.setdefault(answer.rater, {})[answer.image] = answer.label
        return found

    def agreement(self) -> RaterAgreement | None:
        """How far the raters agree; None if there is only one."""
        return agreement(self.raters) if len(self.raters) > 1 else None

    def outside(self) -> list[str]:
        """The labelled images whose activation lies in none of the bins."""
        edges = self.activations.edges
        found = decided(self.answers, self.names)
        return [image for image, (value, _) in found.items() if not edges[0] <= value < edges[-1]]

    def counts(self) -> LabelCounts:
        """The images by label and bin, each with the label that most raters gave it, but for those `outside`."""
        beyond = {*self.outside()}
        found = {image: one for image, one in decided(self.answers, self.names).items() if image not in beyond}
        values, labels = [value for value, _ in found.values()], [label for _, label in found.values()]
        return LabelCounts.of(values, labels, self.activations.edges, self.names)

    def false_positives(self, above: float = 0.0) -> list[dict[str, Any]]:
        """The images with an activation above this whose label does not speak for the unit, the highest first.

        Each is a record of `image`, `activation`, `label`, the number of `raters` who gave it any, and of where the
        picture is from: `photograph`, `row` and `column` of the map, and the `field` in the photograph's pixels.
        """
        raters = {image: sum(image in given for given in self.raters.values()) for image in self.images}
        found = []
        for image, (value, label) in decided(self.answers, self.names).items():
            if value > above and label not in self.positive and image in self.images:
                about = self.images[image]
                row, column = about.place
                where = {"photograph": about.photograph, "row": row, "column": column, "field": list(about.field)}
                one = {"image": image, "activation": value, "label": label, "raters": raters[image]}
                found.append({**one, **where})
        return sorted(found, key=lambda one: (-one["activation"], one["image"]))


def read_study_labels(study: Study, layer: str, unit: int, *, merge: int | None = None) -> StudyLabels:
    """Read what raters said of a unit's labelling task, and the unit's distribution from the harvest.

    `merge` neighbouring bins of the harvest are one of the analysis; by default as many as leave four or more for each
    bin that images were drawn from. Raises `StudyError` if there is no such task or harvest, and `PellucidError` if
    nobody has answered yet.
    """
    folder, task = label_task(study, layer, unit)
    key = LabelKey.read(folder)
    there = {*task.images}
    answers = [
        Answer(one.image, one.activation, one.label, rater)
        for rater in raters(folder)
        for one in standing(read_answers(folder, rater)).values()
        if one.label is not None and one.image in there
    ]
    if not answers:
        raise PellucidError(
            f"nobody has labelled images of {layer}:{unit} yet: run 'pellucid serve {study.path}' and open "
            f"#label={layer}:{unit}"
        )
    summary = read_summary(study, layer, key.tap)
    whole = Distribution.of(summary, unit)
    width = _width(key, summary.bins, unit)
    factor = _merged(summary.bins, unit, width) if merge is None else merge
    if not 1 <= factor <= len(whole.counts):
        raise PellucidError(f"1 to {len(whole.counts)} bins of the harvest can be merged, not {factor}")
    images = key.by_image()
    return StudyLabels(
        layer, unit, key.tap, task.names, task.positive, tuple(answers), images, whole.merged(factor), width
    )


def _width(key: LabelKey, bins: Bins, unit: int) -> float:
    """The width of the bins that images were drawn from: most of those that are not open."""
    inner = [edge for edge in key.edges if edge is not None]
    own = float(bins.width[unit]) * (bins.count // bins.groups)
    return float(np.median(np.diff(inner))) if len(inner) > 1 else own


def _merged(bins: Bins, unit: int, width: float) -> int:
    """How many bins to merge: a divisor of those of a group, so that the edges of groups, such as 0, stay edges."""
    of_group = bins.count // bins.groups
    fine = round(width / float(bins.width[unit]))
    divisors = [number for number in range(1, of_group + 1) if of_group % number == 0]
    return max([number for number in divisors if fine >= _FINE * number], default=1)
