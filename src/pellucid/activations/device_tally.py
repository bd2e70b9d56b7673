"""Counting activations into a summary on the device where they are: for devices with double precision, as CUDA."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.activations.summary import Bins, BinSamples, Covariance, Summary
from pellucid.activations.summary.samples import LAST, Draw
from pellucid.activations.tally import Counts, Peaks

_FLIP = np.uint64(1 << 63)  # torch compares whole numbers with a sign


class DeviceTally:
    """A summary in the making, as `pellucid.activations.tally.Tally`, whose counts lie on a device.

    Counts, extremes, examples and samples are the same as there; sums are up to rounding. What leaves the device is of
    the size of the summary, not of the activations.
    """

    def __init__(self, bins: Bins, *, examples: int, samples: int, seed: int, device: torch.device) -> None:
        self.bins = bins
        self.seed = seed
        self.device = device
        units = bins.units
        self._low, self._width, self._pivot = (
            torch.from_numpy(array).to(device)[:, None] for array in (bins.low, bins.width, bins.pivot)
        )
        self._group_of = torch.from_numpy(bins.group_of()).to(device)
        self._powers = torch.zeros(units, 4, dtype=torch.float64, device=device)
        self._counts = torch.zeros(units, bins.count + 2, dtype=torch.int64, device=device)
        self._totals = torch.zeros(units, 3, dtype=torch.int64, device=device)
        self._sample = BinSamples.empty(bins, samples)
        self._limits = torch.full((units, bins.groups), torch.iinfo(torch.int64).max, device=device)
        self._peaks = Peaks(examples)

    def add(
        self, values: Tensor, items: NDArray[np.int64], labels: NDArray[np.int64], draw: Draw | None = None
    ) -> None:
        """Count maps (N, U, P) of items (N,) with labels (N,), -1 for none; P positions by their places.

        `draw` are the items' priorities, where they have been computed before.
        """
        draw = draw or Draw(self.seed, items)
        number, _, places = values.shape
        valid = values.isfinite()
        off = torch.where(valid, values.double() - self._pivot, 0)
        square = off * off
        sums = off.sum(2)
        for power, terms in enumerate((sums, square.sum(2), (square * off).sum(2), (square * square).sum(2))):
            self._powers[:, power] += terms.sum(0)
        counted = valid.sum(2)
        totals = (counted.sum(0), ((values > 0) & valid).sum((0, 2)), (~valid).sum((0, 2)))
        self._totals += torch.stack(totals, dim=1)
        high, at_high = _first_extreme(torch.where(valid, values, -torch.inf), counted)
        low, at_low = _first_extreme(torch.where(valid, -values, -torch.inf), counted)
        extreme, at = torch.stack([high, -low], 2), torch.stack([at_high, at_low], 2).int()
        total = sums + counted * self._pivot[:, 0]
        known = np.full(number, places)
        self._peaks.add(draw.items, labels, extreme.cpu().numpy(), at.cpu().numpy(), total.cpu().numpy(), known)
        flat = values.transpose(0, 1).flatten(1)  # (U, N·P)
        mask = valid.transpose(0, 1).flatten(1)
        bins = self._bins(flat)
        rows = torch.arange(len(flat), device=self.device)[:, None] * (self.bins.count + 2)
        counts = torch.bincount((bins + rows)[mask], minlength=self._counts.numel())
        self._counts += counts.view_as(self._counts)
        self._offer(flat, mask, self._group_of[bins], draw, places)

    def finish(self, second: Covariance | None = None) -> Summary:
        """The summary of all that was added, with the covariance that was computed beside it."""
        counts = Counts(self._powers.cpu().numpy(), self._counts.cpu().numpy(), self._totals.cpu().numpy())
        return counts.summary(self.bins, self._sample, self._peaks, second)

    def _bins(self, flat: Tensor) -> Tensor:
        """The bin of each value counted from 1, 0 for what lies under all of them."""
        exact = flat.double()
        count = float(self.bins.count)
        found = ((exact - self._low) * (1.0 / self._width)).nan_to_num(0).clamp(-1.0, count).floor()
        # By the edges themselves: rounding of the quotient may be off by one bin.
        above = exact >= self._low + self._width * (found + 1)
        below = exact < self._low + self._width * found
        found = found + above.double() - below.double()
        return found.clamp(-1.0, count).long() + 1

    def _offer(self, flat: Tensor, mask: Tensor, group: Tensor, draw: Draw, places: int) -> None:
        """Offer the positions to the samples of their groups."""
        chance = torch.from_numpy((draw.of(places)[0].ravel() ^ _FLIP).view(np.int64)).to(self.device)
        order = chance.argsort()
        chance, flat, mask, group = chance[order], flat[:, order], mask[:, order], group[:, order]
        mask = mask & (chance < self._limits.gather(1, group))
        room = self._sample.values.shape[2]
        for number in range(self.bins.groups):
            offered = mask & (group == number)
            # The least priorities come first: more than there is room for are never wanted.
            unit, column = (offered & (offered.cumsum(1) <= room)).nonzero(as_tuple=True)
            if len(unit):
                self._absorb(number, unit, order[column], flat[unit, column], chance[column], draw.items, places)

    def _absorb(
        self,
        group: int,
        unit: Tensor,
        place: Tensor,
        values: Tensor,
        chance: Tensor,
        items: NDArray[np.int64],
        places: int,
    ) -> None:
        held = self._sample
        room = held.values.shape[2]
        row, flat = unit.cpu().numpy(), place.cpu().numpy()
        slot = np.arange(len(row)) - np.searchsorted(row, row)  # rows come sorted
        shape = (len(held.values), room)
        offered = {
            "values": np.zeros(shape, np.float32),
            "items": np.full(shape, -1),
            "places": np.full(shape, -1, np.int32),
            "priorities": np.full(shape, LAST),
        }
        offered["values"][row, slot] = values.cpu().numpy()
        offered["items"][row, slot] = items[flat // places]
        offered["places"][row, slot] = flat % places
        offered["priorities"][row, slot] = chance.cpu().numpy().view(np.uint64) ^ _FLIP
        both = {name: np.concatenate([getattr(held, name)[:, group], part], axis=1) for name, part in offered.items()}
        kept = np.argsort(both["priorities"], axis=1, kind="stable")[:, :room]
        for name, part in both.items():
            getattr(held, name)[:, group] = np.take_along_axis(part, kept, 1)
        worst = held.priorities[:, group].max(axis=1)
        self._limits[:, group] = torch.from_numpy((worst ^ _FLIP).view(np.int64)).to(self.device)


def _first_extreme(values: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
    """The largest value of the last axis and the first place that has it, -1 where nothing was counted."""
    largest = values.amax(-1)
    place = torch.arange(values.shape[-1], device=values.device)
    first = torch.where(values == largest[..., None], place, values.shape[-1]).amin(-1)
    return largest, torch.where(counted > 0, first, -1)
