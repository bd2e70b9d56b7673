"""Choosing two patches of a scan: which one leaves more of the activation is what people are asked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from pellucid.causal.stimuli.patches import Patch, overlap
from pellucid.causal.stimuli.scan import Scan
from pellucid.errors import ObjectiveError

_CHUNK = 512  # patches that are compared with all others at once


@dataclass(frozen=True)
class Pair:
    """Two patches of one scan, and the activations that they leave."""

    larger: Patch
    smaller: Patch
    larger_activation: float
    smaller_activation: float


def check_limits(min_difference: float, max_overlap: float) -> None:
    """Raise `ObjectiveError` for limits that no pair or every pair obeys without sense."""
    if not (min_difference >= 0 and 0 <= max_overlap <= 1):
        raise ObjectiveError(
            f"a least relative difference of {min_difference:g} and a greatest overlap of {max_overlap:g}: the first "
            "must not be negative, the second is a share from 0 to 1"
        )


def pairs(scan: Scan, *, min_difference: float = 0.0, max_overlap: float = 1.0) -> Iterator[Pair]:
    """Pairs of a scan from the largest difference of activations downwards, each larger patch with its best partner.

    Both patches share at most `max_overlap` of their area, and the relative difference, (larger - smaller) / |base|, is
    at least `min_difference`; without these the first pair is that of the largest and the smallest activation
    (Zimmermann et al. 2021). Equal differences come in the order of the places. Nothing is given for a base of 0.
    """
    check_limits(min_difference, max_overlap)
    if scan.base == 0:
        return
    values = scan.activations.ravel()
    partners = _partners(scan, values, max_overlap)
    there = partners >= 0
    differences = np.where(there, values - values[partners], -np.inf)
    for index in np.argsort(-differences, kind="stable"):
        if differences[index] <= 0 or differences[index] / abs(scan.base) < min_difference:
            return
        partner = int(partners[index])
        yield Pair(scan.patch(int(index)), scan.patch(partner), float(values[index]), float(values[partner]))


def _partners(scan: Scan, values: np.ndarray, max_overlap: float) -> np.ndarray:
    """For each place the one with the smallest activation that overlaps little enough, -1 where there is none."""
    if max_overlap >= 1:
        return np.full(len(values), int(values.argmin()))
    places = torch.tensor([scan.patch(index)[:2] for index in range(len(values))], dtype=torch.float32)
    partners = []
    for at in range(0, len(values), _CHUNK):
        allowed = (overlap(places[at : at + _CHUNK], places, scan.side) <= max_overlap + 1e-6).numpy()
        costs = np.where(allowed, values[None], np.inf)
        best = costs.argmin(axis=1)
        partners.append(np.where(np.isfinite(costs[np.arange(len(best)), best]), best, -1))
    return np.concatenate(partners)
