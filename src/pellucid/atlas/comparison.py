"""The atlas of two classes: across it the difference of what activations say for them, down it what is alike."""

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.class_atlas import (
    ClassFilter,
    attributions_of,
    choose,
    class_config,
    class_name,
    gather,
    made_of,
)
from pellucid.atlas.config import AtlasConfig
from pellucid.atlas.drawing import draw_atlas
from pellucid.atlas.layout import PCA, TSNE, UMAP, Layout, normalize
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.study import AtlasRecord, Study

_PERPLEXITY = 50  # of the published plots
_MIN_DIST = 0.1


def comparison_atlas(
    network: Network,
    study: Study,
    layer: str,
    left: int,
    right: int,
    *,
    wanted: ClassFilter | None = None,
    config: AtlasConfig | None = None,
    progress: bool = False,
) -> AtlasRecord:
    """Draw the activations that matter to either of two classes on a plane of their own (Carter et al. 2019).

    Across lies the attribution to `right` minus that to `left`, in units of the 99th percentile of its size, the
    record's `about["scale"]`, clipped to -1 and 1, with 0 in the middle; down lies an embedding of the cosine between
    activations in one dimension (`line`). It lies in `atlas/LAYER@cLEFT-cRIGHT` of the study, by default on one grid of
    10 x 10 cells. A run that was stopped goes on.

    Raises what `class_atlas` raises, and `AtlasError` if the classes are one or all attributions to them are the same.
    """
    wanted, config = wanted or ClassFilter(), config or class_config(grids=(10,))
    if left == right:
        raise AtlasError(f"a comparison is of two classes, and both are {left}")
    study.refuse_other_weights(network.name, network.digest)
    chosen = choose(attributions_of(study, layer), [left, right], wanted)
    names = class_name(network, left), class_name(network, right)
    if len(chosen) == 0:
        raise AtlasError(f"no activation of {layer!r} matters to {names[0]} or {names[1]} by {wanted.how}")
    samples = gather(study, layer, chosen)
    across, scale = difference(samples.attribution, left, right)
    down = line(samples.activation, config.layout, neighbors=config.neighbors, seed=config.seed)
    return draw_atlas(
        network,
        study,
        samples,
        np.stack([(across + 1) / 2, down], axis=1).astype(np.float32),
        [samples.attribution],
        study.path / "atlas" / comparison_folder(layer, left, right, wanted),
        layer=layer,
        config=config,
        kind="comparison",
        title=f"{names[0]} | {names[1]}",
        about={"left": left, "right": right, "scale": scale, **wanted.said()},
        chosen=chosen,
        made=made_of(study, layer, left, right, wanted.how, wanted.most),
        progress=progress,
    )


def comparison_folder(layer: str, left: int, right: int, wanted: ClassFilter) -> str:
    """What the atlas of two classes is called: `LAYER@cLEFT-cRIGHT`, with the filter at the end unless it is "both"."""
    return f"{layer}@c{left}-c{right}" if wanted.how == "both" else f"{layer}@c{left}-c{right}-{wanted.how}"


def difference(attribution: NDArray, left: int, right: int) -> tuple[NDArray[np.float64], float]:
    """Attribution (N, K) to one class minus that to another, over the 99th percentile of its size and clipped: (N,).

    Gives the percentile, too. Raises `AtlasError` if it is 0.
    """
    found = attribution[:, right].astype(np.float64) - attribution[:, left].astype(np.float64)
    scale = float(np.percentile(np.abs(found), 99))
    if scale == 0:
        raise AtlasError(f"classes {left} and {right} have the same attribution to nearly all activations")
    return np.clip(found / scale, -1, 1), scale


def line(activations: NDArray, name: str = "tsne", *, neighbors: int = 20, seed: int = 0) -> NDArray[np.float32]:
    """Places of activations (N, C) on a line, from 0 to 1, where those of a high cosine lie near each other: (N,).

    `name` is "tsne" (perplexity 50, as published), "umap" or "pca". What lies outside of the 1st and 99th percentiles,
    widened by a tenth of their distance, is moved to the ends. Raises `AtlasError` for another name, and for fewer
    than 10 activations.
    """
    lines: dict[str, Layout] = {
        "tsne": TSNE(_PERPLEXITY, seed),
        "umap": UMAP(neighbors, _MIN_DIST, seed),
        "pca": PCA(),
    }
    if name not in lines:
        raise AtlasError(f"activations cannot be laid out on a line by {name!r}; choose one of {', '.join(lines)}")
    return normalize(lines[name](activations, 1))[:, 0]
