"""What a layer sees in one photograph, as numbers: positions, neurons, groups, and what each says of the classes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pellucid.activations import Box, load_view
from pellucid.attribution import logit_attributions, spatial_attribution
from pellucid.errors import AtlasError
from pellucid.networks import Layer, Network
from pellucid.study.page_record import six_digits
from pellucid.visualize import factors
from pellucid.visualize import logit as logit_of

_CLASSES = 10  # of the largest logits, whose attributions groups are asked for
_SAID = 3  # classes of a group

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ImageParts:
    """A layer's answer to one photograph.

    `grid` are the map's rows and columns, P positions in all; `vectors` (P, C) their activations and `firing` the
    positions where one is not 0. `logits` (K,) are the network's, `attribution` (P, K) gradient times activation of
    each at every position. `units` are the strongest at the position `strongest`. `group_vectors` (G, C), `group_maps`
    (G, P) and `group_effects` (G, n), to the classes `group_classes` (n,), are those of groups of neurons.
    """

    grid: tuple[int, int]
    vectors: Floats
    firing: NDArray[np.int64]
    logits: Floats
    attribution: Floats
    classes: int
    strongest: int
    units: tuple[int, ...]
    group_vectors: Floats
    group_maps: Floats
    group_effects: Floats
    group_classes: tuple[int, ...]

    def directions(self) -> Floats:
        """All that icons are drawn for: positions that fire, single neurons, the first two together, groups."""
        single = np.zeros((len(self.units), self.vectors.shape[1]), np.float32)
        single[np.arange(len(self.units)), self.units] = 1
        pair = single[:2].sum(axis=0, keepdims=True)
        return np.concatenate([self.vectors[self.firing], single, pair, self.group_vectors])

    def said(self) -> dict[str, Any]:
        """Lengths, logits, and what positions say of the classes, as the content of a page has them."""
        first = np.argsort(-self.logits, kind="stable")[: self.classes]
        order = np.argsort(-self.attribution, axis=1, kind="stable")[:, : self.classes]
        return {
            "norms": [six_digits(value) for value in np.linalg.norm(self.vectors, axis=1)],
            "logits": [[int(label), six_digits(self.logits[label])] for label in first],
            "positions": [
                [[int(label), six_digits(row[label])] for label in best if row[label] > 0]
                for row, best in zip(self.attribution, order, strict=True)
            ],
            "attribution": {
                str(int(label)): [six_digits(value) for value in self.attribution[:, label]] for label in first
            },
        }

    def neurons(self) -> list[dict[str, Any]]:
        """The strongest neurons of the strongest position."""
        at = [self.strongest // self.grid[1], self.strongest % self.grid[1]]
        return [
            {"unit": unit, "value": six_digits(self.vectors[self.strongest, unit]), "position": at}
            for unit in self.units
        ]

    def groups(self) -> list[dict[str, Any]]:
        """Each group's map, its share of all groups, and the classes that it speaks for most."""
        total = max(float(self.group_maps.sum()), 1e-12)
        found = []
        for positions, effects in zip(self.group_maps, self.group_effects, strict=True):
            best = np.argsort(-effects, kind="stable")[:_SAID]
            found.append(
                {
                    "map": [six_digits(value) for value in positions],
                    "share": six_digits(positions.sum() / total),
                    "attribution": [[self.group_classes[index], six_digits(effects[index])] for index in best],
                }
            )
        return found


def image_parts(
    network: Network,
    photograph: Image.Image,
    box: Box,
    layer: Layer,
    *,
    groups: int = 4,
    classes: int = 5,
    units: int = 3,
    seed: int = 0,
) -> ImageParts:
    """Read a photograph's view `box` in a layer.

    Groups are non-negative factors of the activations (`pellucid.visualize.factors`); what they say of the classes is
    gradient times the part of the activations that is theirs, for the classes of the ten largest logits. Raises
    `AtlasError` if nothing fires, or the network gives no logits.
    """
    pixels = load_view(photograph, box, network)[None].to(network.device, network.dtype)
    with torch.no_grad():
        logits = network(pixels)
        output = network.activations(pixels, [layer.name])[layer.name]
        maps = layer.maps(output)
    if logits.ndim != 2:
        raise AtlasError(f"{network.name} gives {tuple(logits.shape[1:])} for an image, not logits")
    grid = (maps.shape[2], maps.shape[3])
    vectors = maps[0].flatten(1).T.float().cpu().numpy()
    norms = np.linalg.norm(vectors, axis=1)
    firing = np.flatnonzero(norms)
    if not len(firing):
        raise AtlasError(f"nothing in {layer.name} fires for this photograph: there is nothing to draw")
    places = torch.stack(torch.meshgrid(*map(torch.arange, grid), indexing="ij"), dim=-1).reshape(1, -1, 2)
    attribution = logit_attributions(network, pixels, layer, output, places)[0].float().cpu().numpy()
    strongest = int(norms.argmax())
    found = factors(network, layer.name, pixels, groups, seed=seed)
    kept = found.directions.norm(dim=1) > 0  # a group that came to nothing has no direction
    labels = tuple(logits[0].argsort(descending=True, stable=True)[:_CLASSES].tolist())
    effects = [
        found.effects(spatial_attribution(network, pixels, layer.name, logit_of(label)).gradient.cpu().float())[0]
        for label in labels
    ]
    return ImageParts(
        grid,
        vectors,
        firing,
        logits[0].float().cpu().numpy(),
        attribution,
        classes,
        strongest,
        tuple(np.argsort(-vectors[strongest], kind="stable")[:units].tolist()),
        found.directions[kept].float().numpy(),
        found.maps[0].flatten(1)[kept].float().numpy(),
        torch.stack(effects, dim=1)[kept].float().numpy(),
        labels,
    )
