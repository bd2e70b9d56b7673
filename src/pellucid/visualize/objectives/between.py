"""Objectives that go over into each other over a group of pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.errors import ObjectiveError
from pellucid.networks import Network
from pellucid.shapes import Values
from pellucid.visualize.objectives.objective import Activations, Objective, common_pictures
from pellucid.visualize.objectives.places import fingerprint


@dataclass(frozen=True, eq=False, repr=False)
class Mixtures(Objective):
    """Several objectives, of which every picture of a group has shares of its own."""

    ends: tuple[Objective, ...]
    shares: Tensor  # (K, E)

    @property
    def pictures(self) -> int:
        """The size of the group."""
        return len(self.shares)

    @property
    def layers(self) -> frozenset[str]:
        """The layers of all."""
        return frozenset().union(*(end.layers for end in self.ends))

    @property
    def references(self) -> Mapping[str, Tensor]:
        """The images of all."""
        return {key: image for end in self.ends for key, image in end.references.items()}

    def __call__(self, activations: Activations) -> Values:
        """The value of each picture: (N,)."""
        values = torch.stack([end(activations) for end in self.ends], dim=1)  # (N, E)
        if len(values) % len(self.shares):
            raise ObjectiveError(f"{self} is of {len(self.shares)} pictures at a time; {len(values)} are no multiple")
        return (values * self.shares.to(values).repeat(len(values) // len(self.shares), 1)).sum(dim=1)

    def check(self, network: Network) -> None:
        """Check all."""
        for end in self.ends:
            end.check(network)

    def resolve(self, network: Network) -> Objective:
        """Resolve all."""
        return Mixtures(tuple(end.resolve(network) for end in self.ends), self.shares)

    def __str__(self) -> str:
        return f"between({', '.join(map(str, self.ends))}, {fingerprint(self.shares)})"


def between(objectives: Sequence[Objective], shares: Tensor) -> Objective:
    """Pictures between several objectives: picture k has Σ_j shares_kj · objective_j.

    `shares` is (pictures, objectives): `grid_shares(rows, columns)` for a grid with an objective at each of its four
    corners, `pair_shares(len(objectives), steps)` for the ways between each two. The canvas `Between` mixes the
    pictures in the same way; `interpolation` is the line between two.
    """
    ends = tuple(objectives)
    if shares.ndim != 2 or shares.shape[1] != len(ends) or not len(shares):
        raise ObjectiveError(
            f"the shares of {len(ends)} objectives are (pictures, {len(ends)}), not {tuple(shares.shape)}"
        )
    if not bool(shares.isfinite().all()):
        raise ObjectiveError("the shares of objectives must be finite numbers")
    if common_pictures(ends) not in (1, len(shares)):
        raise ObjectiveError(f"the objectives are of {common_pictures(ends)} pictures, and the shares of {len(shares)}")
    return Mixtures(ends, shares.detach().double().cpu())
