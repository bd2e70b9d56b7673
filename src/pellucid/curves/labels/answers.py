"""Labels as people gave them: one image at a time."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pellucid.curves.labels.counts import LABELS
from pellucid.errors import PellucidError


class Answer(NamedTuple):
    """The `label` that a rater gave an image with this activation of the unit."""

    image: str
    activation: float
    label: str
    rater: str = ""


def read_answers(path: Path | str) -> list[Answer]:
    """Read answers from CSV with columns `image`, `activation`, `label` and, if there are several raters, `rater`.

    Raises `PellucidError` if a column is missing, an activation is no finite number, an image has two activations, or
    one rater labelled it twice.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError) as error:
        raise PellucidError(f"{path} cannot be read as a table with a header: {error}") from error
    answers, activations = [], dict[str, float]()
    for number, row in enumerate(rows, start=2):
        missing = [name for name in ("image", "activation", "label") if not row.get(name)]
        if missing:
            raise PellucidError(
                f"{path}, line {number}: no {missing[0]}; the columns are image, activation, label, rater"
            )
        try:
            activation = float(row["activation"])
        except ValueError:
            activation = np.nan
        if not np.isfinite(activation):
            raise PellucidError(f"{path}, line {number}: activation {row['activation']!r} is not a number")
        if activations.setdefault(row["image"], activation) != activation:
            raise PellucidError(f"{path}, line {number}: image {row['image']!r} has another activation before")
        answers.append(Answer(row["image"], activation, row["label"].strip(), (row.get("rater") or "").strip()))
    twice = [key for key, count in Counter((one.rater, one.image) for one in answers).items() if count > 1]
    if twice:
        raise PellucidError(f"{path}: image {twice[0][1]!r} was labelled twice by the same rater")
    return answers


def decided(answers: Sequence[Answer], names: Sequence[str] = LABELS) -> dict[str, tuple[float, str]]:
    """The activation of each image, and the label that most raters gave it; of labels given equally often, the last.

    The last in the order of `names` is the one that claims least for the unit. Raises `PellucidError` for an unknown
    label.
    """
    given: dict[str, list[Answer]] = {}
    for answer in answers:
        if answer.label not in names:
            raise PellucidError(f"label {answer.label!r} of image {answer.image!r} is none of {', '.join(names)}")
        given.setdefault(answer.image, []).append(answer)
    return {image: (of[0].activation, _most([one.label for one in of], names)) for image, of in given.items()}


def _most(labels: Sequence[str], names: Sequence[str]) -> str:
    counts = Counter(labels)
    return max(counts, key=lambda label: (counts[label], names.index(label)))
