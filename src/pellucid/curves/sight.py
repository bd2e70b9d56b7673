"""Where the units of layers look, how far, and the smallest picture in which that is the same."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pellucid.curves.stimuli.centres import centre_in, middle_of
from pellucid.errors import PellucidError
from pellucid.networks import Network, ReceptiveField

_GRAIN = 32  # px; pictures smaller than the network's own by multiples of this are padded as it is in most networks
_PROBES = 4  # pictures of noise that gradients are taken at


@dataclass(frozen=True)
class Sight:
    """Where the unit in the middle of a layer's map looks, in pictures of `size` (height, width) pixels.

    It stands at `position`, a row and column of the map of `grid` rows and columns, and sees around `centre` (y, x).
    `diameter` in px is that of its effective receptive field: twice the root of the second moment about its middle of
    the strength of gradients, which is their root mean square over random directions of the layer, colours, and
    pictures of noise (after Luo et al., Understanding the Effective Receptive Field, NeurIPS 2016, who look at single
    units). It is what stimuli are scaled by, for the receptive field itself is far larger in deep layers than what a
    unit answers to.
    """

    layer: str
    size: tuple[int, int]
    grid: tuple[int, int]
    position: tuple[int, int]
    centre: tuple[float, float]
    diameter: float

    def of(self, maps: Tensor) -> Tensor:
        """What the units there give, (N, C), of activations (N, C, P) that go row by row in pictures of that size."""
        return maps[:, :, self.place]

    @property
    def place(self) -> int:
        """The position as a number, where positions are counted row by row."""
        return self.position[0] * self.grid[1] + self.position[1]


def sights(network: Network, layers: Iterable[str], *, seed: int = 0) -> dict[str, Sight]:
    """Where the units in the middle of spatial layers look, measured.

    A picture is as small as a layer's receptive field allows: then the unit answers as it does in a large one, in a
    fraction of the time. Where a unit sees more than the network's own picture, or the network takes no other size, it
    is that one. Raises `LayerError` for a layer without maps.
    """
    names = list(dict.fromkeys(layers))
    fields = network.receptive_fields(names)
    found: dict[str, Sight] = {}
    sizes = {name: _size(network, fields[name]) for name in names}
    for size in dict.fromkeys(sizes.values()):
        those = [name for name in names if sizes[name] == size]
        smaller = None if size == network.size else _smaller(network, size, {name: fields[name] for name in those})
        shown = smaller or network
        for name, diameter in effective_diameters(shown, those, seed=seed).items():
            middle, centre = middle_of(shown, name), centre_in(shown, name, fields[name])
            found[name] = Sight(name, shown.size, _grid(shown, name), middle, centre, diameter)
    return {name: found[name] for name in names}


def effective_diameters(network: Network, layers: Iterable[str], *, seed: int = 0) -> dict[str, float]:
    """The diameters in px of the effective receptive fields of the units in the middle of layers; see `Sight`.

    Raises `PellucidError` where no gradient reaches the picture.
    """
    names = list(layers)
    generator = torch.Generator().manual_seed(seed)
    blank = network.blank(_PROBES)
    # Contrast between whole patches, too: noise of single pixels alone leaves most units of deep layers silent.
    coarse = torch.nn.functional.interpolate(_noise(blank[:, :, ::8, ::8], generator), size=blank.shape[2:])
    pictures = (0.5 * coarse + 0.5 * _noise(blank, generator)).requires_grad_(True)
    with torch.enable_grad():
        maps = network.activations(pictures, names)
        diameters = {}
        for number, name in enumerate(names):
            there = network.layer(name).maps(maps[name])
            row, column = there.shape[2] // 2, there.shape[3] // 2
            units = there[:, :, row, column]
            direction = torch.randn(units.shape, generator=generator, dtype=torch.float64).to(units)
            last = number == len(names) - 1
            (gradient,) = torch.autograd.grad((units * direction).sum(), pictures, retain_graph=not last)
            diameters[name] = _diameter(gradient, network, name)
    return diameters


def _noise(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(like.shape, generator=generator, dtype=torch.float64).to(like)


def _diameter(gradient: Tensor, network: Network, layer: str) -> float:
    weights = gradient.double().square().mean(dim=(0, 1)).sqrt()
    total = float(weights.sum())
    if not (total > 0 and math.isfinite(total)):
        raise PellucidError(
            f"no gradient leads from the middle of layer {layer!r} of {network.name} to the picture: what its units "
            "see cannot be measured"
        )
    moments = []
    for along in (0, 1):
        marginal = weights.sum(dim=1 - along) / total
        at = torch.arange(len(marginal), dtype=torch.float64, device=marginal.device)
        mean = (marginal * at).sum()
        moments.append(float((marginal * (at - mean) ** 2).sum()))
    # A unit that sees one pixel sees 1 px. What rounding leaves of gradients differs with the number of threads.
    return round(2 * math.sqrt(sum(moments)) + 1, 2)


def _size(network: Network, field: ReceptiveField) -> tuple[int, int]:
    """The least picture that holds the field of a unit in the middle, or the network's own."""
    wanted = []
    for axis in (0, 1):
        less = 0 if field.whole[axis] else network.size[axis] - field.size[axis] - 2 * field.stride[axis]
        wanted.append(network.size[axis] - _GRAIN * max(0, less // _GRAIN))
    return wanted[0], wanted[1]


def _smaller(network: Network, size: tuple[int, int], fields: Mapping[str, ReceptiveField]) -> Network | None:
    """The network for smaller pictures, if it takes them and its units see the same there."""
    small = replace(network, size=size)
    try:
        measured = small.receptive_fields(fields)
    except Exception:  # any: the network has been seen to work on pictures of its own size, which are then taken
        return None
    for name, field in fields.items():
        row, column = middle_of(small, name)
        left, top, right, bottom = measured[name].box(row, column)
        if measured[name] != field or min(left, top) < 0 or right > size[1] or bottom > size[0]:
            return None
    return small


def _grid(network: Network, layer: str) -> tuple[int, int]:
    size = network.spatial_layer(layer).size
    assert size is not None
    return size
