"""How like what icons give is to what they were drawn for, beside what wrong icons give."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_BLOCK = 1024  # icons that are compared with all cells at a time


@dataclass(frozen=True, eq=False)
class Likeness:
    """Of vectors (N, C) and the cells (M, C) that they belong to.

    `own` (N,) are the cosines with their own cells, `shuffled` is the mean over all pairs with other cells, `rank` (N,)
    how many other cells are nearer than the own one.
    """

    own: Tensor
    shuffled: float
    rank: Tensor

    def within(self, first: int) -> float:
        """The share of the vectors that have their own cell among their `first` nearest."""
        return float((self.rank < first).double().mean())


def likeness(seen: Tensor, cells: Tensor, of: Tensor | None = None) -> Likeness:
    """Compare vectors (N, C) with cells (M, C) by cosine; vector i belongs to cell `of[i]`, by default to cell i."""
    of = torch.arange(len(seen)) if of is None else of
    vectors, units = F.normalize(seen.double(), dim=1), F.normalize(cells.double(), dim=1)
    own = (vectors * units[of]).sum(dim=1)
    others = len(seen) * (len(cells) - 1)
    shuffled = float((vectors.sum(dim=0) @ units.sum(dim=0) - own.sum()) / others) if others else float("nan")
    ranks = []
    for at in range(0, len(vectors), _BLOCK):
        cosines = vectors[at : at + _BLOCK] @ units.T
        nearer = cosines > own[at : at + _BLOCK, None]
        nearer[torch.arange(len(nearer)), of[at : at + _BLOCK]] = False  # which rounding may put above itself
        ranks.append(nearer.sum(dim=1))
    return Likeness(own, shuffled, torch.cat(ranks))


@dataclass(frozen=True)
class Agreement:
    """Whether icons speak for the classes that their cells speak for.

    `first` is the share of icons whose first class, by attribution at their centre, is their cell's, `five` that of
    icons whose first five hold their cell's first; `correlation` is Pearson's between the attributions of all classes.
    `*_shuffled` are the same for icons and other cells, over all pairs.
    """

    first: float
    first_shuffled: float
    five: float
    five_shuffled: float
    correlation: float
    correlation_shuffled: float


def agreement(icons: Tensor, cells: Tensor) -> Agreement:
    """Compare attributions of icons (M, K) with those of their cells (M, K)."""
    count, classes = cells.shape
    label = cells.argmax(dim=1)
    share = F.one_hot(label, classes).double().sum(dim=0)
    like = likeness(icons - icons.mean(dim=1, keepdim=True), cells - cells.mean(dim=1, keepdim=True))

    def shares(top: int) -> tuple[float, float]:
        best = icons.topk(min(top, classes), dim=1).indices
        own = (best == label[:, None]).any(dim=1).double()
        return float(own.mean()), _per_pair(float(share[best].sum() - own.sum()), count)

    (first, first_shuffled), (five, five_shuffled) = shares(1), shares(5)
    return Agreement(first, first_shuffled, five, five_shuffled, float(like.own.mean()), like.shuffled)


def _per_pair(total: float, count: int) -> float:
    return total / (count * (count - 1)) if count > 1 else float("nan")
