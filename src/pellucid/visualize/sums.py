"""The total of a batch: every picture's objective less the regularizers, with what the network decides kept apart.

What reads only the picture (a penalty) has a gradient of its own, found once however many views the network sees, and
does not hide that the network gives a picture no gradient at all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pellucid.visualize.objectives import PICTURE, Activations, Objective, WeightedSum, together

_Values = Callable[[Activations], Tensor]


@runtime_checkable
class Pictured(Protocol):
    """What so many pictures belong to."""

    @property
    def pictures(self) -> int:
        """How many."""
        ...


def rows(items: Sequence[Pictured]) -> list[slice]:
    """Where the pictures of each item stand, one item after the other."""
    ends = list(accumulate(item.pictures for item in items))
    return [slice(end - item.pictures, end) for item, end in zip(items, ends, strict=True)]


@dataclass(frozen=True)
class Total:
    """Objectives of a batch; item i is of `objectives[i].pictures` pictures, which follow one another."""

    objectives: tuple[Objective, ...]
    regularizers: tuple[Objective, ...] = ()

    @classmethod
    def of(cls, objectives: Sequence[Objective], regularizers: Sequence[Objective] = ()) -> "Total":
        """The total of some objectives, each less every regularizer."""
        return cls(tuple(objectives), tuple(regularizers))

    def only(self, items: Sequence[int]) -> "Total":
        """The total of some of the items."""
        return Total(tuple(self.objectives[item] for item in items), self.regularizers)

    @cached_property
    def layers(self) -> frozenset[str]:
        """What the part reads that the network decides."""
        return frozenset().union(*(part.layers for part in self._network if part is not None))

    @cached_property
    def decided(self) -> Tensor:
        """For which pictures the network decides anything: (N,) of bool."""
        parts = zip(self.objectives, self._network, strict=True)
        return torch.tensor([part is not None for objective, part in parts for _ in range(objective.pictures)])

    @cached_property
    def references(self) -> list[Mapping[str, Tensor]]:
        """The images, by fingerprint, that each item's part compares its pictures with."""
        return [{} if part is None else part.references for part in self._network]

    def of_network(self, activations: Activations, views: int = 1) -> Tensor:
        """The part that the network decides, mean over the views: (N,).

        Activations are of all pictures in the first view, then in the second, and so on.
        """
        count = sum(objective.pictures for objective in self.objectives)
        values = [
            self._network_values({name: value[at : at + count] for name, value in activations.items()})
            for at in range(0, count * views, count)
        ]
        return values[0] if views == 1 else torch.stack(values).mean(dim=0)

    def of_pictures(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The part that the picture alone decides, (N,), and its gradient in the pictures."""
        if all(part is None for part in self._picture):
            return images.new_zeros(len(images)), torch.zeros_like(images)
        with torch.enable_grad():
            leaf = images.detach().requires_grad_()
            values = self._picture_values({PICTURE: leaf})
            (gradient,) = torch.autograd.grad(values.sum(), leaf)
        return values.detach(), gradient

    def terms(self, activations: Activations, views: int = 1) -> Mapping[str, Tensor]:
        """Every term with its weight, (N,) by name; NaN where a picture's objective lacks it."""
        count = sum(objective.pictures for objective in self.objectives)
        found: dict[str, Tensor] = {}
        for objective, place in zip(self.objectives, rows(self.objectives), strict=True):
            seen = [slice(view * count + place.start, view * count + place.stop) for view in range(views)]
            parts = [*objective.parts(), *(part for less in self.regularizers for part in (-less).parts())]
            for name, part in parts:
                own = [part({key: _rows(value, row, count) for key, value in activations.items()}) for row in seen]
                value = torch.stack(own).mean(dim=0)
                if name not in found:
                    found[name] = torch.full((count,), torch.nan, dtype=value.dtype, device=value.device)
                found[name][place] = value
        return found

    @cached_property
    def _halves(self) -> list[tuple[Objective | None, Objective | None]]:
        return [_split(_less(objective, self.regularizers)) for objective in self.objectives]

    @property
    def _network(self) -> list[Objective | None]:
        return [network for network, _ in self._halves]

    @property
    def _picture(self) -> list[Objective | None]:
        return [picture for _, picture in self._halves]

    @cached_property
    def _network_values(self) -> _Values:
        return _together(self._network, self.objectives)

    @cached_property
    def _picture_values(self) -> _Values:
        return _together(self._picture, self.objectives)


def _less(objective: Objective, regularizers: Sequence[Objective]) -> Objective:
    for regularizer in regularizers:
        objective = objective - regularizer
    return objective


def _split(objective: Objective) -> tuple[Objective | None, Objective | None]:
    """What the network decides of an objective, and what the picture alone does."""
    if not isinstance(objective, WeightedSum):
        return (None, objective) if objective.layers <= {PICTURE} else (objective, None)
    picture = tuple((weight, term) for weight, term in objective.terms if term.layers <= {PICTURE})
    network = tuple((weight, term) for weight, term in objective.terms if not term.layers <= {PICTURE})
    if not picture:
        return objective, None
    if not network:
        return None, objective
    return WeightedSum(network, objective.constant), WeightedSum(picture)


def _together(parts: Sequence[Objective | None], whole: Sequence[Objective]) -> _Values:
    """One function that gives picture i the value of its part, 0 where it has none."""
    present = [part for part in parts if part is not None]
    if len(present) == len(parts) and all(
        part.pictures == objective.pictures for part, objective in zip(present, whole, strict=True)
    ):
        return together(present)

    def values(activations: Activations) -> Tensor:
        own = []
        like = next(iter(activations.values()))
        for part, place in zip(parts, rows(whole), strict=True):
            if part is None:
                own.append(like.new_zeros(place.stop - place.start))
            else:
                own.append(part({name: value[place] for name, value in activations.items()}))
        return torch.cat(own)

    return values


def _rows(value: Tensor, place: slice, count: int) -> Tensor:
    """The rows of a view; what is given once for all views, the pictures, has no more than `count`."""
    return value[place] if len(value) > count else value[place.start % count :][: place.stop - place.start]
