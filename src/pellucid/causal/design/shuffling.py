"""Random orders and sides that are the same on every machine and in every version."""

import hashlib
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TypeVar

from pellucid.study import digest

T = TypeVar("T")


class Shuffle:
    """Random choices that a seed and words decide: no other choice, made before or not, has a say in them."""

    def __init__(self, seed: int, *words: str | int) -> None:
        self._words = [seed, *words]

    def of(self, *words: str | int) -> "Shuffle":
        """The choices for something further down."""
        seed, *before = self._words
        return Shuffle(int(seed), *before, *words)

    def order(self, items: Iterable[T]) -> list[T]:
        """The items in random order."""
        words = digest([*self._words, "order"])
        keyed = [(hashlib.sha256(f"{words} {at}".encode()).digest(), item) for at, item in enumerate(items)]
        return [item for _, item in sorted(keyed, key=itemgetter(0))]

    def sides(self, count: int) -> list[str]:
        """As many sides as asked for, each as often as the other, or once more if the count is odd."""
        first = self.side("first")
        other = "right" if first == "left" else "left"
        return self.of("sides").order([first, other] * (count // 2) + [first] * (count % 2))

    def side(self, *words: str | int) -> str:
        """Either side, by the toss of a coin."""
        return "left" if int(digest([*self._words, "side", *words]), 16) % 2 else "right"

    def take(self, items: Sequence[T], count: int, turn: int) -> list[T]:
        """`count` items of a random order, so that from turn to turn each is taken as often as the others."""
        order = self.order(items)
        return [order[(turn * count + at) % len(order)] for at in range(count)]
