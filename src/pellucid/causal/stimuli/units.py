"""Which units are asked about: named ones, or some drawn from the rectified layers of a network."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pellucid.errors import ObjectiveError
from pellucid.networks import Network, rectified_layers
from pellucid.units import Unit

Address = tuple[str, int]


@dataclass(frozen=True)
class Sample:
    """Draw `count` units, `per_layer` from each of so many rectified layers, evenly spaced in depth.

    `layers` names the layers instead, of which each gives `per_layer` units or as many as `count` makes.
    """

    count: int
    per_layer: int = 1
    layers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.count < 1 or self.per_layer < 1 or self.count % self.per_layer:
            raise ObjectiveError(
                f"{self.count} units cannot be drawn {self.per_layer} from each layer; give a multiple of that"
            )

    def chosen_layers(self, network: Network) -> tuple[str, ...]:
        """The layers that units are drawn from, by depth. Raises `ObjectiveError` if there are too few."""
        wanted = self.count // self.per_layer
        known = list(self.layers) or rectified_layers(network)
        for layer in known:
            network.layer(layer).check()
        if wanted > len(known):
            raise ObjectiveError(
                f"{self.count} units, {self.per_layer} of each layer, take {wanted} layers, of which there are "
                f"{len(known)}; draw more from each"
            )
        return tuple(known[int((number + 0.5) * len(known) / wanted)] for number in range(wanted))


def parse_units(network: Network, addresses: Sequence[str]) -> tuple[Address, ...]:
    """Units by their addresses, each once, as (layer, unit). Raises `ObjectiveError` for one that is none."""
    found: list[Address] = []
    for text in addresses:
        unit = Unit.parse(text)
        if unit.position or unit.network not in ("", network.name):
            raise ObjectiveError(
                f"{text} is not a unit of {network.name} as a whole; write 'layer:unit': its activation is taken over "
                "the whole map"
            )
        count = network.layer(unit.layer).channels
        if unit.index >= count:
            raise ObjectiveError(f"{unit.layer} of {network.name} has units 0 to {count - 1}, not {unit.index}")
        if (unit.layer, unit.index) in found:
            raise ObjectiveError(f"{text} is named twice; name each unit once")
        found.append((unit.layer, unit.index))
    return tuple(found)


def drawn(network: Network, layer: str, seed: int) -> Iterator[Address]:
    """The units of a layer in random order."""
    order = np.random.default_rng(seed).permutation(network.layer(layer).channels)
    return ((layer, int(unit)) for unit in order)


def drawn_of_all(network: Network, layers: Sequence[str], without: Collection[Address], seed: int) -> Iterator[Address]:
    """Units of several layers, layer after layer in turns from the deepest up, each in random order."""
    streams = [drawn(network, layer, seed + 1 + number) for number, layer in reversed(list(enumerate(layers)))]
    while streams:
        for stream in list(streams):
            address = next((one for one in stream if one not in without), None)
            if address is None:
                streams.remove(stream)
            else:
                yield address


@dataclass
class Notes:
    """What was left out or replaced, to be told and kept."""

    lines: list[str] = field(default_factory=list)
    tell: Callable[[str], None] | None = None

    def add(self, line: str) -> None:
        """Keep a line, and tell it."""
        self.lines.append(line)
        if self.tell is not None:
            self.tell(line)
