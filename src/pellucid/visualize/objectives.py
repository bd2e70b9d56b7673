"""What a picture is optimized for: functions of a network's activations, with arithmetic.

`channel("mixed4a", 7) + 0.5 * neuron("mixed4b", 3)` is an objective; so is the text `"mixed4a:7 + 0.5*mixed4b:3@2,2"`.
Objectives are values: they compare, hash and print as what they mean, and `str` of one seeds its picture.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.errors import ObjectiveError
from pellucid.networks import Network
from pellucid.shapes import Matrix, Values, Vector
from pellucid.units import Unit, parse_expression

Activations = Mapping[str, Tensor]  # layer name -> maps (N, C, h, w) or vectors (N, C)
Position = tuple[int, int] | Literal["center"] | None


class Objective(ABC):
    """A number for each picture, to be made large. Add, subtract, negate and scale objectives as numbers."""

    @property
    @abstractmethod
    def layers(self) -> frozenset[str]:
        """The layers that the objective reads."""

    @abstractmethod
    def __call__(self, activations: Activations) -> Values:
        """The objective's value for each picture: (N,)."""

    @abstractmethod
    def check(self, network: Network) -> None:
        """Refuse a network that has not what the objective reads."""

    def stack(self, others: Sequence["Objective"]) -> "Callable[[Activations], Tensor] | None":
        """One function for a batch in which picture i has objective `others[i]`, None if there is none faster."""
        return None

    def __add__(self, other: "Objective") -> "Objective":
        if not isinstance(other, Objective):
            return NotImplemented
        return _weighted((*_terms(self), *_terms(other)))

    def __sub__(self, other: "Objective") -> "Objective":
        if not isinstance(other, Objective):
            return NotImplemented
        return self + -1.0 * other

    def __mul__(self, factor: float) -> "Objective":
        if not isinstance(factor, int | float):
            return NotImplemented
        return _weighted(tuple((weight * factor, term) for weight, term in _terms(self)))

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> "Objective":
        if not isinstance(divisor, int | float):
            return NotImplemented
        return self * (1.0 / divisor)

    def __neg__(self) -> "Objective":
        return self * -1.0


@dataclass(frozen=True)
class WeightedSum(Objective):
    """A sum of objectives with weights, flat however it was written."""

    terms: tuple[tuple[float, Objective], ...]

    @property
    def layers(self) -> frozenset[str]:
        """The layers of all terms."""
        return frozenset().union(*(term.layers for _, term in self.terms))

    def __call__(self, activations: Activations) -> Values:
        """The weighted sum of the terms' values."""
        return torch.stack([weight * term(activations) for weight, term in self.terms]).sum(dim=0)

    def check(self, network: Network) -> None:
        """Check every term."""
        for _, term in self.terms:
            term.check(network)

    def __str__(self) -> str:
        return " + ".join(f"{weight:g}*{term}" for weight, term in self.terms)


def _terms(objective: Objective) -> tuple[tuple[float, Objective], ...]:
    return objective.terms if isinstance(objective, WeightedSum) else ((1.0, objective),)


def _weighted(terms: tuple[tuple[float, Objective], ...]) -> Objective:
    return terms[0][1] if len(terms) == 1 and terms[0][0] == 1.0 else WeightedSum(terms)


@dataclass(frozen=True)
class Channel(Objective):
    """The mean activation of a unit over its map, or its activation in a layer of vectors."""

    layer: str
    unit: int

    @property
    def layers(self) -> frozenset[str]:
        """The unit's layer."""
        return frozenset({self.layer})

    def __call__(self, activations: Activations) -> Values:
        """Mean over the map: (N,)."""
        maps = activations[self.layer]
        return maps[:, self.unit].reshape(len(maps), -1).mean(dim=1)

    def stack(self, others: Sequence[Objective]) -> Callable[[Activations], Tensor] | None:
        """One gather for units of one layer."""
        if not all(isinstance(other, Channel) and other.layer == self.layer for other in others):
            return None
        units = torch.tensor([other.unit for other in others if isinstance(other, Channel)])

        def values(activations: Activations) -> Tensor:
            maps = activations[self.layer]
            own = maps[torch.arange(len(maps), device=maps.device), units.to(maps.device)]
            return own.reshape(len(maps), -1).mean(dim=1)

        return values

    def check(self, network: Network) -> None:
        """The layer must exist and have the unit."""
        _check_unit(network, self.layer, self.unit)

    def __str__(self) -> str:
        return f"{self.layer}:{self.unit}"


@dataclass(frozen=True)
class Neuron(Objective):
    """The activation of a unit at one position: (row, column), or the centre, `size // 2`, of whatever map there is."""

    layer: str
    unit: int
    position: tuple[int, int] | Literal["center"] = "center"

    @property
    def layers(self) -> frozenset[str]:
        """The unit's layer."""
        return frozenset({self.layer})

    def __call__(self, activations: Activations) -> Values:
        """The activation: (N,)."""
        maps = activations[self.layer]
        row, column = _place(maps, self.position, self.layer)
        return maps[:, self.unit, row, column]

    def check(self, network: Network) -> None:
        """The layer must exist, give maps, and have the unit."""
        network.spatial_layer(self.layer)
        _check_unit(network, self.layer, self.unit)

    def __str__(self) -> str:
        return f"{self.layer}:{self.unit}@{_said(self.position)}"


@dataclass(frozen=True, eq=False)
class Direction(Objective):
    """How far activations go along a vector: dot product times a power of the cosine, mean over positions.

    With h the activation at a position and v the vector, the value is (h·v/‖v‖) · max(0.1, cos(h, v))^power; both norms
    are in the cosine. `metric`, a symmetric matrix, is applied to h and v first (whitening by C^-1/2).
    """

    layer: str
    vector: Tensor
    power: float = 0.0
    position: Position = None
    metric: Tensor | None = None

    @property
    def layers(self) -> frozenset[str]:
        """The layer that the vector lives in."""
        return frozenset({self.layer})

    def __call__(self, activations: Activations) -> Values:
        """The value: (N,)."""
        return self._values(activations, self.vector[None])

    def stack(self, others: Sequence[Objective]) -> Callable[[Activations], Tensor] | None:
        """One product for directions that differ in their vectors only."""
        vectors = []
        for other in others:
            if not isinstance(other, Direction) or other._form != self._form:
                return None
            vectors.append(other.vector)
        stacked = torch.stack(vectors)
        return lambda activations: self._values(activations, stacked)

    def _values(self, activations: Activations, vectors: Tensor) -> Tensor:
        h = _at(activations[self.layer], self.position, self.layer)  # (N, C, positions)
        v = vectors.to(h)
        if self.metric is not None:
            metric = self.metric.to(h)
            h, v = torch.einsum("cd,ndp->ncp", metric, h), v @ metric
        along = torch.einsum("ncp,nc->np", h, F.normalize(v, dim=1))
        if self.power:
            # The floor lets the dot product lead out of starts that point elsewhere, as in Lucid.
            cosine = along / h.norm(dim=1).clamp_min(1e-8)
            along = along * cosine.clamp_min(0.1) ** self.power
        return along.mean(dim=1)

    def check(self, network: Network) -> None:
        """The layer must exist and have as many channels as the vector has numbers."""
        _check_vector(network, self.layer, self.vector, self.position)

    @property
    def _form(self) -> tuple[object, ...]:
        return self.layer, self.power, self.position, id(self.metric)

    @cached_property
    def _name(self) -> str:
        metric = "" if self.metric is None else f", metric={_fingerprint(self.metric)}"
        return (
            f"direction({self.layer}, {_fingerprint(self.vector)}, power={self.power:g}, "
            f"position={_said(self.position)}{metric})"
        )

    def __str__(self) -> str:
        return self._name


@dataclass(frozen=True, eq=False)
class Cosine(Objective):
    """The cosine between activations and a vector, as `torch.nn.functional.cosine_similarity`, mean over positions."""

    layer: str
    vector: Tensor
    position: Position = None

    @property
    def layers(self) -> frozenset[str]:
        """The layer that the vector lives in."""
        return frozenset({self.layer})

    def __call__(self, activations: Activations) -> Values:
        """The cosine: (N,)."""
        h = _at(activations[self.layer], self.position, self.layer)
        return F.cosine_similarity(h, self.vector.to(h)[None, :, None], dim=1).mean(dim=1)

    def check(self, network: Network) -> None:
        """The layer must exist and have as many channels as the vector has numbers."""
        _check_vector(network, self.layer, self.vector, self.position)

    def __str__(self) -> str:
        return f"cosine({self.layer}, {_fingerprint(self.vector)}, position={_said(self.position)})"


def channel(layer: str, unit: int) -> Objective:
    """The mean activation of a unit (channel) over its map; text `layer:unit`."""
    return Channel(layer, unit)


def neuron(layer: str, unit: int, position: tuple[int, int] | Literal["center"] = "center") -> Objective:
    """The activation of a unit at one position (row, column), the centre by default; text `layer:unit@row,column`."""
    return Neuron(layer, unit, position)


def direction(
    layer: str, vector: Vector, *, power: float = 0.0, position: Position = None, metric: Matrix | None = None
) -> Objective:
    """Dot product with a vector (C,) times the cosine to a `power`, mean over the map or at a position.

    `power` 0 is the dot product with the unit vector; the Activation Atlas uses 4 (Carter et al. 2019, icons). The
    cosine is a true one, with both norms, and is kept from falling below 0.1. `metric` (C, C) is applied to activation
    and vector alike.
    """
    return Direction(layer, vector, power, position, metric)


def cosine(layer: str, vector: Vector, *, position: Position = None) -> Objective:
    """The cosine between activation and a vector (C,), mean over the map or at a position."""
    return Cosine(layer, vector, position)


def parse(text: str) -> Objective:
    """Read an objective from text: `mixed4a:7`, `mixed4a:7@3,4`, `2*a:1 - 0.5*b:3`.

    Raises `ObjectiveError` with the part that cannot be read.
    """
    total: Objective | None = None
    for weight, unit in parse_expression(text):
        term = weight * _of(unit)
        total = term if total is None else total + term
    assert total is not None  # an empty expression has been refused
    return total


def _of(unit: Unit) -> Objective:
    if not unit.position:
        return Channel(unit.layer, unit.index)
    return Neuron(unit.layer, unit.index, (unit.position[0], unit.position[1]))


def _place(maps: Tensor, position: tuple[int, int] | Literal["center"], layer: str) -> tuple[int, int]:
    height, width = maps.shape[2:]
    row, column = (height // 2, width // 2) if position == "center" else position
    if not (0 <= row < height and 0 <= column < width):
        raise ObjectiveError(f"position {row},{column} lies outside the {height}x{width} map of {layer} at this size")
    return row, column


def _at(maps: Tensor, position: Position, layer: str) -> Tensor:
    """The activations that count, as (N, C, positions)."""
    if maps.ndim == 2:
        return maps[:, :, None]
    if position is None:
        return maps.flatten(2)
    row, column = _place(maps, position, layer)
    return maps[:, :, row, column, None]


def _check_unit(network: Network, name: str, unit: int) -> None:
    layer = network.layer(name)
    if layer.layout not in ("NCHW", "NHWC", "NC"):
        raise ObjectiveError(f"layer {name!r} gives {layer.shape} for an image; its units are neither maps nor numbers")
    if not 0 <= unit < layer.channels:
        raise ObjectiveError(f"{name} has {layer.channels} units, 0 to {layer.channels - 1}; there is no unit {unit}")


def _check_vector(network: Network, name: str, vector: Tensor, position: Position) -> None:
    layer = network.layer(name) if position is None else network.spatial_layer(name)
    if vector.ndim != 1 or len(vector) != layer.channels:
        raise ObjectiveError(
            f"a direction in {name} is a vector of {layer.channels} numbers, not of shape {tuple(vector.shape)}"
        )


def _said(position: Position) -> str:
    return f"{position[0]},{position[1]}" if isinstance(position, tuple) else str(position)


def _fingerprint(values: Tensor) -> str:
    return hashlib.sha256(values.detach().double().cpu().contiguous().numpy().tobytes()).hexdigest()[:16]
