"""Receptive fields, measured on the network itself by putting NaN into rows of pixels."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pellucid.networks.capture import capture
from pellucid.networks.frozen import frozen
from pellucid.networks.layers import Layer

if TYPE_CHECKING:
    from pellucid.networks.network import Network

_SCALES = (1, 2, 5)  # times the input size; larger fields count as the whole picture
_BATCH = 8  # rows tried in one pass


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that a unit of a layer can see, as (vertical, horizontal).

    The unit at row i and column j sees rows `offset[0] + i*stride[0]` up to `size[0]` further, columns likewise. Rows
    and columns below zero lie in the padding. `whole` marks an axis along which the unit sees every pixel, however
    large the picture was made: `size` is then that of the input.
    """

    size: tuple[int, int]
    offset: tuple[int, int]
    stride: tuple[int, int]
    whole: tuple[bool, bool]

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """The pixels seen from one position: left, top, right, bottom."""
        top = self.offset[0] + row * self.stride[0]
        left = self.offset[1] + column * self.stride[1]
        return left, top, left + self.size[1], top + self.size[0]

    def center(self, row: int, column: int) -> tuple[float, float]:
        """The middle of those pixels: (y, x)."""
        left, top, right, bottom = self.box(row, column)
        return (top + bottom - 1) / 2, (left + right - 1) / 2


@dataclass(frozen=True)
class _Extent:
    size: int
    offset: int
    stride: int
    whole: bool = False


def receptive_fields(network: "Network", layers: list[Layer]) -> dict[str, ReceptiveField]:
    """Measure the receptive fields of spatial layers.

    NaN in one row of pixels spreads through whatever the network does to exactly the units that depend on that row,
    and a rectifier does not stop it. A run of rows as long as the deepest layer's stride meets every case, since a
    shift by the stride shifts the units by one. Where a field reaches the border the picture is enlarged along that
    axis, up to 5 times, if the network takes such pictures. With padding that depends on the picture's size
    (TensorFlow's SAME), the offset of such a large field is that of the enlarged picture.
    """
    extents: list[dict[str, _Extent]] = []
    for axis in (0, 1):
        found: dict[str, _Extent] = {}
        for scale in _SCALES:
            # A map of one row sees everything that there is, whatever the picture's size.
            unknown = [layer for layer in layers if layer.name not in found and _length(layer, axis) > 1]
            if not unknown:
                break
            try:
                found |= _measure(network, unknown, axis, scale)
            except Exception:
                # At its own size the network's error is the user's to see; at another it only says that it takes none.
                if scale == 1:
                    raise
                break
        extents.append(found)
    return {layer.name: _joined(network, layer, extents) for layer in layers}


def _measure(network: "Network", layers: list[Layer], axis: int, scale: int) -> dict[str, _Extent]:
    size = [network.size[0], network.size[1]]
    size[axis] *= scale
    period = max((_nominal_stride(network, layer, axis) for layer in layers if _length(layer, axis) > 1), default=1)
    # Two periods, since an unpadded map is shorter than the picture over the stride.
    start = max(0, size[axis] // 2 - period)
    rows = list(range(start, min(size[axis], start + 2 * period + 1)))
    reached: dict[str, list[Tensor]] = {layer.name: [] for layer in layers}
    by_name = {layer.name: layer for layer in layers}

    def units_reached(name: str, output: Tensor) -> Tensor:
        # A sum is NaN where any of its terms is.
        return by_name[name].maps(output).sum(dim=(1, 3 - axis)).isnan()

    calls = {layer.name: layer.calls for layer in layers}
    with frozen(network.module), torch.no_grad():
        for at in range(0, len(rows), _BATCH):
            batch = rows[at : at + _BATCH]
            picture = network.blank(len(batch), (size[0], size[1]))
            for item, row in enumerate(batch):
                picture[item].select(1 + axis, row).fill_(torch.nan)
            outputs = capture(
                network.module, lambda x=picture: network.module(network.preprocess(x)), calls, keep=units_reached
            )
            for name, units in outputs.items():
                reached[name].append(units)
    results = {name: _extent(torch.cat(parts), rows) for name, parts in reached.items()}
    return {name: extent for name, extent in results.items() if extent is not None}


def _extent(reached: Tensor, rows: list[int]) -> _Extent | None:
    """From the units (columns) that each row of pixels reaches; None if they meet the border of the map."""
    first, last = reached.float().argmax(dim=1), reached.shape[1] - 1 - reached.flip(1).float().argmax(dim=1)
    hit = reached.any(dim=1)
    if not bool(hit.any()) or bool((first[hit] == 0).any()) or bool((last[hit] == reached.shape[1] - 1).any()):
        return None
    units = [(row, int(low), int(high)) for row, low, high, any_ in zip(rows, first, last, hit, strict=True) if any_]
    stride = _stride([(row, high) for row, _, high in units]) or _stride([(row, low) for row, low, _ in units])
    stride = stride or rows[-1] - rows[0]
    top = min(row - high * stride for row, _, high in units)
    bottom = max(row - low * stride for row, low, _ in units)
    return _Extent(bottom - top + 1, top, stride)


def _stride(edges: list[tuple[int, int]]) -> int | None:
    """Rows of pixels for each unit, from the first or last units that rows reach; None if these change but once."""
    # Where the last unit changes, a new one begins to see: from one such row to the next it is one stride.
    jumps = [after for before, after in pairwise(edges) if after[1] != before[1]]
    if len(jumps) < 2:
        return None
    return max(1, round((jumps[-1][0] - jumps[0][0]) / (jumps[-1][1] - jumps[0][1])))


def _length(layer: Layer, axis: int) -> int:
    assert layer.size is not None
    return layer.size[axis]


def _nominal_stride(network: "Network", layer: Layer, axis: int) -> int:
    return -(-network.size[axis] // _length(layer, axis))


def _joined(network: "Network", layer: Layer, extents: list[dict[str, _Extent]]) -> ReceptiveField:
    rows, columns = (
        extents[axis].get(layer.name)
        or _Extent(network.size[axis], 0, _nominal_stride(network, layer, axis), whole=True)
        for axis in (0, 1)
    )
    return ReceptiveField(
        (rows.size, columns.size),
        (rows.offset, columns.offset),
        (rows.stride, columns.stride),
        (rows.whole, columns.whole),
    )
