"""How far several people give the same images the same labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from sklearn.metrics import cohen_kappa_score

from pellucid.errors import PellucidError


class PairAgreement(NamedTuple):
    """Two raters, the number of images that both labelled, the share with the same label, and Cohen's kappa."""

    first: str
    second: str
    images: int
    same: float
    kappa: float


@dataclass(frozen=True)
class RaterAgreement:
    """The agreement of raters: Cohen's kappa of each pair over the images that both labelled, and Fleiss' kappa.

    Fleiss' is over the `images` that all raters labelled. A kappa that is not defined is NaN.
    """

    pairs: tuple[PairAgreement, ...]
    images: int
    fleiss: float


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """Cohen's (1960) kappa of two raters' labels (N,) of the same images: (p - c) / (1 - c).

    p is the share of images with the same label, c the share expected by chance, Σ over labels of the product of the
    two raters' shares. NaN without images, and where both gave all images one label, so that chance is certain.
    """
    if len(first) != len(second):
        raise PellucidError(f"two raters label the same images, not {len(first)} and {len(second)}")
    if len({*first, *second}) < 2:
        return np.nan
    return float(cohen_kappa_score(list(first), list(second)))


def fleiss_kappa(ratings: Sequence[Sequence[str]]) -> float:
    """Fleiss' (1971) kappa of labels (N images, R raters), two raters or more: (p - c) / (1 - c).

    p is the mean over images of the share of pairs of raters that agree, c the sum over labels of the square of the
    label's share of all ratings. NaN without images, and where there is but one label.
    """
    raters = {len(image) for image in ratings}
    if not ratings:
        return np.nan
    if len(raters) > 1 or max(raters) < 2:
        raise PellucidError(f"every image needs the same number of raters, two or more, not {sorted(raters)}")
    number = raters.pop()
    names = sorted({label for image in ratings for label in image})
    if len(names) < 2:
        return np.nan
    of_image = [Counter(image) for image in ratings]
    table = np.array([[image[name] for name in names] for image in of_image], dtype=np.float64)
    agree = float(((table * (table - 1)).sum(axis=1) / (number * (number - 1))).mean())
    chance = float(np.square(table.sum(axis=0) / table.sum()).sum())
    return (agree - chance) / (1 - chance)


def agreement(ratings: Mapping[str, Mapping[str, str]]) -> RaterAgreement:
    """The agreement of raters, by name, each with a label by image. Raises `PellucidError` for fewer than two."""
    if len(ratings) < 2:
        raise PellucidError("agreement is between two raters or more")
    pairs = []
    for (first, one), (second, two) in combinations(ratings.items(), 2):
        both = [image for image in one if image in two]
        same = sum(one[image] == two[image] for image in both) / len(both) if both else np.nan
        kappa = cohen_kappa([one[image] for image in both], [two[image] for image in both])
        pairs.append(PairAgreement(first, second, len(both), same, kappa))
    shared = [image for image in next(iter(ratings.values())) if all(image in labels for labels in ratings.values())]
    fleiss = fleiss_kappa([[labels[image] for labels in ratings.values()] for image in shared])
    return RaterAgreement(tuple(pairs), len(shared), fleiss)
