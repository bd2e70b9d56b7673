"""Everything about one distribution: its numbers and its tail."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.activations.distribution.distribution import Distribution
from pellucid.activations.distribution.numbers import Numbers, numbers
from pellucid.activations.distribution.tail import LEAST, TailFit, fit_tail


@dataclass(frozen=True, eq=False)
class Description:
    """A distribution, its numbers and its tail; without a tail, `note` says why."""

    distribution: Distribution
    numbers: Numbers
    tail: TailFit | None
    note: str = ""


def describe(
    distribution: Distribution,
    *,
    parts: Sequence[Distribution] = (),
    low: float | None = None,
    high: float | None = None,
    least: int = LEAST,
    merge: int | None = None,
    weighted: bool = False,
    thresholds: Sequence[float] | None = None,
    confidence: float = 0.95,
    resamples: int = 499,
    seed: int = 0,
) -> Description:
    """Describe a distribution: `numbers` with `confidence`, `resamples` and `seed`, `fit_tail` with all the others.

    `parts` are disjoint shards of it, which give intervals that hold although the positions of an image are alike.
    """
    tail = fit_tail(
        distribution, low=low, high=high, least=least, merge=merge, weighted=weighted, thresholds=thresholds,
        parts=parts, confidence=confidence,
    )  # fmt: skip
    found = numbers(distribution, parts=parts, confidence=confidence, resamples=resamples, seed=seed)
    return Description(
        distribution, found, None if isinstance(tail, str) else tail, tail if isinstance(tail, str) else ""
    )
