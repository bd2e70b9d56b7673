"""What icons are drawn for: ways of saying that an activation is like a cell's mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.shapes import Values
from pellucid.visualize import Objective, direction
from pellucid.visualize.objectives import Activations
from pellucid.visualize.objectives.places import at, check_vector, fingerprint

OBJECTIVES = ("cosine", "dot", "near", "whitened", "lucid")
_FLOOR = 0.1  # below which Lucid lets no cosine fall
_LEAST = 1e-4  # that Lucid adds to the activation's length


def check_objective(name: str) -> None:
    """Refuse a name that is not one of `OBJECTIVES`."""
    if name not in OBJECTIVES:
        raise AtlasError(f"no objective {name!r} of icons; there are {', '.join(OBJECTIVES)}")


def wants_metric(name: str) -> bool:
    """Whether an objective needs the activations' covariance."""
    return name in ("whitened", "lucid")


def icon_objective(
    name: str,
    layer: str,
    mean: Tensor,
    power: float,
    metric: Tensor | None = None,
    apart: float = 0.0,
    center: Tensor | None = None,
) -> Objective:
    """The objective of that name for a cell with a mean activation (C,).

    `metric` is C^-1/2, `center` the layer's mean activation (see `IconConfig`).
    """
    match name:
        case "cosine" if apart and center is not None:
            return Apart(layer, mean, center, power, apart)
        case "cosine":
            return direction(layer, mean, power=power, position="center")
        case "dot":
            return direction(layer, mean, position="center")
        case "near":
            return Near(layer, mean)
        case "whitened":
            assert metric is not None
            return direction(layer, mean, power=power, position="center", metric=metric)
        case _:
            assert metric is not None
            double = metric.double()
            return Lucid(layer, (double @ (double @ mean.double())).to(mean), power)


@dataclass(frozen=True, eq=False, repr=False)
class _AtCenter(Objective):
    """A function of the activation at the centre of a layer's map and a vector."""

    layer: str
    vector: Tensor

    @property
    def layers(self) -> frozenset[str]:
        """The layer that the vector lives in."""
        return frozenset({self.layer})

    def check(self, network: Network) -> None:
        """The layer must exist and have as many channels as the vector has numbers."""
        check_vector(network, self.layer, self.vector, "center")

    def __call__(self, activations: Activations) -> Values:
        """The value: (N,)."""
        return self.values(at(activations, self.layer, "center")[:, :, 0], self.vector[None])

    def stack(self, others: Sequence[Objective]) -> Callable[[Activations], Tensor] | None:
        """One formula for objectives that differ in their vectors only."""
        own = [other for other in others if isinstance(other, _AtCenter) and other.form == self.form]
        if len(own) != len(others):
            return None
        vectors = torch.stack([other.vector for other in own])
        return lambda activations: self.values(at(activations, self.layer, "center")[:, :, 0], vectors)

    @cached_property
    def form(self) -> tuple[object, ...]:
        """What else decides over the value."""
        return type(self), self.layer

    def values(self, h: Tensor, vectors: Tensor) -> Tensor:
        """The value for activations (N, C) and vectors (N or 1, C): (N,)."""
        raise NotImplementedError

    @cached_property
    def _name(self) -> str:
        rest = "".join(f", {part}" for part in self.form[2:])
        return f"{type(self).__name__.lower()}({self.layer}, {fingerprint(self.vector)}{rest})"

    def __str__(self) -> str:
        return self._name


@dataclass(frozen=True, eq=False, repr=False)
class Apart(_AtCenter):
    """Like a vector v in direction, and like it in what sets it apart from a common vector m.

    With h the activation at the centre, the value is
    (h·v/‖v‖) · max(0.1, cos(h, v))^power · max(0.1, cos(h - m, v - m))^apart.
    """

    center: Tensor
    power: float = 4.0
    apart: float = 1.0

    @cached_property
    def form(self) -> tuple[object, ...]:
        """What else decides over the value."""
        return type(self), self.layer, f"center={fingerprint(self.center)}", f"power={self.power:g}", f"{self.apart:g}"

    def values(self, h: Tensor, vectors: Tensor) -> Tensor:
        """The value: (N,)."""
        v, m = vectors.to(h), self.center.to(h)
        along = (h * F.normalize(v, dim=1)).sum(dim=1)
        alike = along / h.norm(dim=1).clamp_min(1e-8)
        special = F.cosine_similarity(h - m, v - m, dim=1)
        return along * alike.clamp_min(_FLOOR) ** self.power * special.clamp_min(_FLOOR) ** self.apart


@dataclass(frozen=True, eq=False, repr=False)
class Near(_AtCenter):
    """How near the activation h at the centre is to a vector v: (2 h·v - ‖h‖²) / ‖v‖², 1 where they are equal."""

    def values(self, h: Tensor, vectors: Tensor) -> Tensor:
        """The value: (N,)."""
        v = vectors.to(h)
        return (2 * (h * v).sum(dim=1) - h.square().sum(dim=1)) / v.square().sum(dim=1).clamp_min(1e-12)


@dataclass(frozen=True, eq=False, repr=False)
class Lucid(_AtCenter):
    """The whitened objective of icons as Lucid has it: (h∘v') · max(0.1, (h∘v') / (10⁻⁴ + ‖h‖))^power, ∘ a mean.

    v' = C⁻¹ v is whitened twice, h is not, and the quotient has no norm of v': with a mean over hundreds of channels it
    hardly ever reaches 0.1, so that the power does nothing, and what remains is the whitened dot product.
    """

    power: float = 4.0

    @cached_property
    def form(self) -> tuple[object, ...]:
        """What else decides over the value."""
        return type(self), self.layer, f"power={self.power:g}"

    def values(self, h: Tensor, vectors: Tensor) -> Tensor:
        """The value: (N,)."""
        dot = (h * vectors.to(h)).mean(dim=1)
        return dot * (dot / (_LEAST + h.norm(dim=1))).clamp_min(_FLOOR) ** self.power
