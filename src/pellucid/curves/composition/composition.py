"""What the curves of images are made of: non-negative factors of a family's activations."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from pellucid.curves.composition.directions import family_directions, mean_direction
from pellucid.curves.extraction import chosen_units, rectified_maps
from pellucid.curves.tuning_curves import TuningCurve
from pellucid.errors import ObjectiveError
from pellucid.networks import Network
from pellucid.visualize.factors import Factors
from pellucid.visualize.gradients import Blur

Numbers = NDArray[np.float64]
_TOGETHER = 16  # images in a pass


@dataclass(frozen=True, eq=False)
class Composition:
    """A family's activations over the positions of images as a sum of factors, each a group of units and where it is.

    `factors` are as of `pellucid.visualize.factors`: `maps` (N, K, h, w), and `directions` (K, channels) of the whole
    layer, 0 outside of the family, so that its objectives render them. `weights` (K, U) is what share of factor k each
    of the `units` makes up, each row adding up to 1. `normals` (U,) are the outward normals that the units prefer, in
    degrees, image coordinates (y down), clockwise from 3 o'clock.
    """

    factors: Factors
    units: tuple[int, ...]
    weights: Numbers
    normals: Numbers

    @property
    def points(self) -> list[tuple[float, float]]:
        """Of each factor the mean outward normal of its units in degrees, and from 0 to 1 how much they agree."""
        return [mean_direction(self.normals, row) for row in self.weights]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each factor: its share of the activation, its normal, their agreement, and its strongest units."""
        totals = self.factors.maps.sum(dim=(0, 2, 3)).double() * self.factors.directions.sum(dim=1).double()
        rows = []
        for number, (normal, agreement) in enumerate(self.points):
            order = np.argsort(-self.weights[number], kind="stable")[:4]
            rows.append(
                {
                    "factor": number,
                    "share": float(totals[number] / totals.sum()),
                    "normal": normal if np.isfinite(normal) else None,
                    "agreement": agreement,
                    "units": ", ".join(f"{self.units[at]} ({self.weights[number, at]:.2f})" for at in order),
                }
            )
        return rows


def compose(
    network: Network,
    images: Tensor,
    layer: str,
    units: Sequence[int] | None = None,
    *,
    count: int = 2,
    spread: float = 1.5,
    tuning: Mapping[str, TuningCurve] | None = None,
    seed: int = 0,
    iterations: int = 2000,
) -> Composition:
    """Take what a family of units makes of images (N, channels, H, W) apart into `count` factors.

    Each position of each image is a sample, each unit of the family, by default of the whole layer, a feature; several
    images have one set of factors in common. What is below 0 counts as 0. The factors minimize the squared error
    (non-negative matrix factorization, from singular vectors, with random numbers from `seed`). `tuning` says which way
    units point, which otherwise is measured (`family_directions`).

    First, maps are smoothed by a Gaussian of `spread` positions, so that a position tells which units fire together
    along a curve: each answers to one stretch of it, and without this the strongest curve alone often takes all
    factors. `maps` and `error` of the factors are of the smoothed activations.

    After the composition of Cammarata et al., Curve Detectors (Distill 2020). Raises `ObjectiveError` if none of the
    units fires and for more factors than units.
    """
    wanted = chosen_units(network, layer, units)
    maps = torch.cat([rectified_maps(network, some, layer).cpu() for some in images.split(_TOGETHER)]).double()
    if not spread >= 0:
        raise ObjectiveError(f"spread = {spread:g} positions must be 0 or above")
    family = maps[:, list(wanted)]
    samples = (Blur(spread)(family) if spread else family).movedim(1, -1)
    table = samples.flatten(0, 2).numpy()
    if not 1 <= count <= min(table.shape):
        raise ObjectiveError(
            f"count = {count} factors cannot be told apart by {len(wanted)} units at {len(table)} positions; take 1 to "
            f"{min(table.shape)}"
        )
    if not table.any():
        raise ObjectiveError(f"none of the units of {layer!r} fires for these images: there is nothing to take apart")
    strengths, groups = _factored(table, count, seed, iterations)
    length = np.linalg.norm(groups, axis=1)
    strengths, groups = strengths * length, groups / np.where(length > 0, length, 1.0)[:, None]
    order = np.argsort(-strengths.sum(axis=0), kind="stable")
    strengths, groups = strengths[:, order], groups[order]
    directions = torch.zeros(count, maps.shape[1], dtype=torch.float64)
    directions[:, list(wanted)] = torch.from_numpy(groups)
    where = torch.from_numpy(strengths).unflatten(0, samples.shape[:3]).movedim(-1, 1).contiguous()
    error = float(np.linalg.norm(table - strengths @ groups) / np.linalg.norm(table))
    factors = Factors(layer, directions.float(), where.float(), error)
    total = groups.sum(axis=1, keepdims=True)
    weights = groups / np.where(total > 0, total, 1.0)
    return Composition(factors, wanted, weights, family_directions(network, layer, wanted, tuning))


def _factored(table: Numbers, count: int, seed: int, iterations: int) -> tuple[Numbers, Numbers]:
    """Strengths (samples, K) and groups (K, U)."""
    # A single group is found by the singular vectors already, and what starts at its end is not seen to converge.
    init = "nndsvda" if count > 1 else "random"
    model = NMF(count, init=init, random_state=seed, max_iter=iterations)  # pyright: ignore[reportArgumentType]
    with warnings.catch_warnings():
        # What is left to gain after so many sweeps does not show in maps.
        warnings.simplefilter("ignore", ConvergenceWarning)
        strengths = model.fit_transform(table)
    return strengths, model.components_
