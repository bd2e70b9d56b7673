"""The photographs that patches are tried on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.activations import Box, Source, load_view
from pellucid.activations.views import views
from pellucid.atlas.image_classes import choose_images, image_classes
from pellucid.errors import ImagesError
from pellucid.networks import Network


@dataclass(frozen=True, eq=False)
class Photographs:
    """Photographs of a source by their numbers, `chosen` (N,), and the `classes` (all,) of the source's, -1 if unknown.

    `pool` (M,) are the numbers of those that unrelated patches may be made of. Views are the network's own central
    ones; with `squash` the whole photograph, its sides pressed to the network's, as in the article.
    """

    source: Source
    chosen: NDArray[np.int64]
    classes: NDArray[np.int64]
    pool: NDArray[np.int64]
    squash: bool = False

    @property
    def of(self) -> NDArray[np.int64]:
        """The classes of the chosen photographs: (N,)."""
        return self.classes[self.chosen]

    def __len__(self) -> int:
        return len(self.chosen)

    def name(self, place: int) -> str:
        """The name of the photograph at a place of `chosen`."""
        return self.source.name(int(self.chosen[place]))

    def unrelated(self, place: int, seed: int) -> int | None:
        """The number of another photograph, of another class where that is known; always the same for a seed."""
        number = int(self.chosen[place])
        own = self.classes[number]
        fits = self.pool[(self.pool != number) & ((self.classes[self.pool] != own) | (own < 0))]
        if not len(fits):
            return None
        drawn = hashlib.sha256(f"{seed}|{self.source.name(number)}".encode()).digest()
        return int(fits[int.from_bytes(drawn[:8], "big") % len(fits)])

    def views(self, network: Network, numbers: Sequence[int]) -> tuple[Tensor, list[int]]:
        """The views (n, C, H, W) of photographs by their numbers in the source, and the places of those that open."""
        found, kept = [], []
        for place, number in enumerate(numbers):
            try:
                image = self.source.open(int(number), network.channels)
            except ImagesError:
                continue
            whole = Box(0, 0, *image.size)
            box = whole if self.squash else views(image.size, (1.0,), network.crop)[0]
            found.append(load_view(image, box, network))
            kept.append(place)
        shape = (0, network.channels, *network.size)
        pixels = torch.stack(found) if found else torch.zeros(shape)
        return pixels.to(network.device, network.dtype), kept


def choose_photographs(
    network: Network,
    source: Source,
    target: int,
    *,
    of: int | None = None,
    only: str | None = None,
    limit: int | None = None,
    squash: bool = False,
    seed: int = 0,
    batch: int = 32,
) -> Photographs:
    """Choose the photographs to try patches on: those of the class `of`, or those of all classes but the target's.

    Which class a photograph is of, its label or name says (`image_classes`). If none says that it is of the class,
    those count that the network takes for it. `only` chooses among the photographs first (`choose_images`); at most
    `limit` are kept, drawn at random from `seed`. Raises `ImagesError` if none is left.
    """
    labels = network.labels
    names = [source.name(index) for index in range(len(source))]
    known = image_classes(source, labels)
    numbers = np.arange(len(source))
    if only is not None:
        numbers = choose_images(only, names, known, labels.names if labels else ())
    if of is not None and not (known[numbers] == of).any():
        taken = _taken_for(network, Photographs(source, numbers, known, numbers[:0], squash), batch)
        known = known.copy()
        known[numbers] = np.where(taken == of, of, -1)
    wanted = numbers[known[numbers] == of] if of is not None else numbers[known[numbers] != target]
    if not len(wanted):
        what = f"of class {of}" if of is not None else f"of another class than {target}"
        raise ImagesError(f"none of the {len(numbers)} photographs is {what}, by label, by name or to {network.name}")
    if limit is not None and len(wanted) > limit:
        wanted = np.sort(np.random.default_rng(seed).choice(wanted, size=limit, replace=False))
    others = np.flatnonzero(known != target)
    pool = others[known[others] != of] if of is not None else others
    return Photographs(source, wanted, known, pool, squash)


def _taken_for(network: Network, photographs: Photographs, batch: int) -> NDArray[np.int64]:
    """What the network takes each photograph for, -1 for those that cannot be opened."""
    answers = np.full(len(photographs), -1, dtype=np.int64)
    for at in range(0, len(photographs), batch):
        pixels, kept = photographs.views(network, [int(number) for number in photographs.chosen[at : at + batch]])
        if kept:
            with torch.no_grad():
                answers[at + np.array(kept)] = network(pixels).argmax(dim=1).cpu().numpy()
    return answers
