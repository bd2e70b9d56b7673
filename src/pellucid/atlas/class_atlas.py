"""The atlas of one class: the activations that matter to it, laid out by themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from pellucid.activations import Samples
from pellucid.activations.store import joined, layer_folder, read_shards
from pellucid.atlas.config import AtlasConfig
from pellucid.atlas.drawing import draw_atlas
from pellucid.atlas.gathered import take
from pellucid.atlas.layout import layout_named, normalize
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.study import AtlasRecord, Study
from pellucid.study.files import read_json

FILTERS = ("rank", "magnitude", "both")
_MOST, _FEWEST, _SHARE = 2000, 200, 20


@dataclass(frozen=True)
class ClassFilter:
    """Which activations matter to a class (Carter et al. 2019, "Focusing on a Single Classification").

    `how` is one of `FILTERS`: "rank" takes the activations that speak for no class more than for this one,
    "magnitude" the `most` of those with a positive attribution to it whose attribution is largest, "both" the union,
    in which each is once. If it is not said, `most` is 2,000, as published, but no more than a twentieth of all
    activations (and 200 at least): the 2,000 of the article were of a million.
    """

    how: str = "both"
    most: int | None = None

    def __post_init__(self) -> None:
        if self.how not in FILTERS:
            raise AtlasError(f"there is no filter {self.how!r}; filters are {', '.join(FILTERS)}")
        if self.most is not None and self.most < 1:
            raise AtlasError(f"most = {self.most} activations must be at least 1")

    def limit(self, count: int) -> int:
        """How many of so many activations are taken by magnitude."""
        return min(_MOST, max(_FEWEST, count // _SHARE)) if self.most is None else self.most

    def said(self) -> dict[str, str | int]:
        """What the record of an atlas says of it."""
        return {"filter": self.how, **({} if self.most is None else {"most": self.most})}


def class_atlas(
    network: Network,
    study: Study,
    layer: str,
    index: int,
    *,
    wanted: ClassFilter | None = None,
    config: AtlasConfig | None = None,
    progress: bool = False,
) -> AtlasRecord:
    """Choose a harvested layer's activations that matter to a class, lay them out, and draw their atlas.

    It lies in `atlas/LAYER@cINDEX` of the study, with the filter at the end of its name unless that is "both". By
    default (`class_config`) it has one grid of 8 x 8 cells, as published. A run that was stopped goes on.

    Raises `StudyError` if the layer is not harvested or the study is of another network, `AtlasError` for a class that
    there is not, for fewer than 10 activations, and if no cell holds enough.
    """
    wanted, config = wanted or ClassFilter(), config or class_config()
    study.refuse_other_weights(network.name, network.digest)
    chosen = choose(attributions_of(study, layer), [index], wanted)
    name = class_name(network, index)
    if len(chosen) == 0:
        raise AtlasError(f"no activation of {layer!r} matters to class {index} ({name}) by {wanted.how}")
    samples = gather(study, layer, chosen)
    layout = layout_named(config.layout, neighbors=config.neighbors, min_dist=config.min_dist, seed=config.seed)
    return draw_atlas(
        network,
        study,
        samples,
        normalize(layout(samples.activation)),
        [samples.attribution],
        study.path / "atlas" / class_folder(layer, index, wanted),
        layer=layer,
        config=config,
        kind="class",
        title=name,
        about={"class": index, **wanted.said()},
        chosen=chosen,
        made=made_of(study, layer, index, wanted.how, wanted.most),
        progress=progress,
    )


def class_folder(layer: str, index: int, wanted: ClassFilter) -> str:
    """What the atlas of a class is called: `LAYER@cINDEX`, with the filter at the end unless that is "both"."""
    return f"{layer}@c{index}" if wanted.how == "both" else f"{layer}@c{index}-{wanted.how}"


def class_config(**changes: object) -> AtlasConfig:
    """The settings of an atlas of a class: t-SNE where openTSNE is installed, else UMAP with 20 neighbours and 0.02.

    The article found t-SNE better here, where the data are sparse (footnote), and published UMAP.
    """
    layout = "tsne" if find_spec("openTSNE") else "umap"
    published = {"grids": (8,), "min_count": 4, "neighbors": 20, "min_dist": 0.02, "layout": layout}
    return AtlasConfig(**{**published, **changes})  # pyright: ignore[reportArgumentType]


def choose(attributions: Iterable[NDArray], indices: Sequence[int], wanted: ClassFilter) -> NDArray[np.int64]:
    """The rows, from first to last, of the attributions (N, K), given in parts, that matter to any of some classes.

    Raises `AtlasError` for a class that there is not.
    """
    columns: list[NDArray] = []
    first: list[NDArray] = []
    for part in attributions:
        for index in indices:
            if not 0 <= index < part.shape[1]:
                raise AtlasError(f"there is no class {index}: there are classes 0 to {part.shape[1] - 1}")
        columns.append(part[:, list(indices)].astype(np.float32))
        first.append(part.argmax(axis=1))
    values, winners = np.concatenate(columns), np.concatenate(first)
    kept, limit = np.zeros(len(winners), dtype=bool), wanted.limit(len(winners))
    for index, value in zip(indices, values.T, strict=True):
        if wanted.how != "magnitude":
            kept |= winners == index
        if wanted.how != "rank":
            positive = np.flatnonzero(value > 0)
            kept[positive[np.argsort(-value[positive], kind="stable")[:limit]]] = True
    return np.flatnonzero(kept)


def attributions_of(study: Study, layer: str) -> Iterable[NDArray]:
    """The attributions of a harvested layer, shard by shard. Raises `StudyError` if it is not harvested."""
    return (shard.attribution for shard in read_shards(study, layer))


def class_count(study: Study, layer: str) -> int:
    """How many classes the attributions of a harvested layer are of."""
    return next((part.shape[1] for part in attributions_of(study, layer)), 0)


def gather(study: Study, layer: str, rows: NDArray[np.int64]) -> Samples:
    """Some rows of a harvested layer, given from first to last, with their attributions."""
    parts = []
    at = 0
    for shard in read_shards(study, layer):
        low, high = np.searchsorted(rows, [at, at + len(shard)])
        own = rows[low:high] - at
        at += len(shard)
        if len(own):
            parts.append(take(shard, own))
    return joined(parts)


def class_name(network: Network, index: int) -> str:
    """What a network calls a class."""
    return network.class_names[index] if index < len(network.class_names) else f"class {index}"


def made_of(study: Study, layer: str, *choice: object) -> dict[str, object]:
    """What decides over the activations that were chosen of a layer."""
    return {"harvest": read_json(layer_folder(study, layer) / "config.json"), "choice": list(choice)}
