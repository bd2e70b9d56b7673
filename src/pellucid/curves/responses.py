"""What the units of layers answer to a bank of stimuli."""

from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.curves.sight import Sight, sights
from pellucid.curves.stimuli import Bank
from pellucid.networks import Network
from pellucid.networks.lanes import in_lanes
from pellucid.networks.taps import Tap, tap

Responses = NDArray[np.float32]
"""Activations (stimuli, units) of the units in the middle of a layer's map."""
_TOGETHER = {"cpu": 4 * 224 * 224}  # pixels in a pass: larger tensors cost a processor more than they save,
_ELSEWHERE = 64 * 224 * 224  # and keep another device busy


def respond(
    network: Network,
    bank: Bank,
    layers: str | Iterable[str] | Mapping[str, Sight],
    *,
    side: Tap = "post",
    batch: int | None = None,
) -> dict[str, Responses]:
    """What all units in the middle of layers answer to each stimulus: (stimuli, units) by layer.

    Each stimulus lies in the middle of what the layer's unit sees (`Sight`, which is measured unless it is given).
    `side` says whether the layer's output is wanted, "post", or what its rectifier is given, "pre", if it has one; for
    a layer that does not rectify both are its output. Layers that look alike share a pass, `batch` pictures at a time.

    Raises `LayerError` for layers without maps.
    """
    seen = layers if isinstance(layers, Mapping) else sights(network, [layers] if isinstance(layers, str) else layers)
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in seen}
    for shown in alike(seen.values()):
        some = {sight.layer: sight for sight in shown}
        together = batch or at_once(network, shown[0].size)
        rows = [range(at, min(at + together, len(bank))) for at in range(0, len(bank), together)]
        for middles in in_lanes(network, partial(_middles, bank, some, side), rows):
            for name, values in middles.items():
                found[name].append(values)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def at_once(network: Network, size: tuple[int, int]) -> int:
    """How many pictures of a size (height, width) suit one pass on the network's device."""
    return max(1, _TOGETHER.get(network.device.type, _ELSEWHERE) // (size[0] * size[1]))


def alike(seen: Iterable[Sight]) -> list[list[Sight]]:
    """Sights in groups that can be shown the same pictures."""
    groups: dict[tuple[object, ...], list[Sight]] = {}
    for sight in seen:
        groups.setdefault((sight.size, sight.centre), []).append(sight)
    return list(groups.values())


def _middles(
    bank: Bank, seen: Mapping[str, Sight], side: Tap, network: Network, rows: range
) -> dict[str, NDArray[np.float32]]:
    shown = next(iter(seen.values()))
    pictures = bank.take(rows).draw(
        shown.size, centre=shown.centre, channels=network.channels, device=network.device, dtype=network.dtype
    )
    values: dict[str, NDArray[np.float32]] = {}

    def take(layer: str, at: Tap, maps: torch.Tensor) -> None:
        # The output comes first: what was before a rectifier takes its place where that is asked for.
        if at in ("post", side):
            values[layer] = seen[layer].of(maps).cpu().numpy().copy()

    tap(network, pictures, seen, take)
    return values
