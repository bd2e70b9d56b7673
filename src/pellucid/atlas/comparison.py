"""The atlas of two classes: across it the difference of what activations say for them, down it what is alike."""

import warnings

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
from pellucid.atlas.layout import FEWEST
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.study import AtlasRecord, Study

LINES = ("tsne", "umap", "pca")
_PERPLEXITY = 50  # of the published plots


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


def line(activations: NDArray, name: str = "tsne", *, neighbors: int = 20, seed: int = 0) -> NDArray[np.float64]:
    """Places of activations (N, C) on a line, from 0 to 1, where those of a high cosine lie near each other: (N,).

    `name` is "tsne" (perplexity 50, as published), "umap" or "pca". What lies outside of the 1st and 99th percentiles,
    widened by a tenth of their distance, is moved to the ends. Raises `AtlasError` for another name, and for fewer
    than 10 activations.
    """
    if len(activations) < FEWEST:
        raise AtlasError(f"{len(activations)} activations are too few to lay out; harvest at least {FEWEST}")
    values = np.asarray(activations, dtype=np.float32)
    if name == "tsne":
        places = _tsne(values, seed)
    elif name == "umap":
        places = _umap(values, neighbors, seed)
    elif name == "pca":
        places = _pca(values)
    else:
        raise AtlasError(f"activations cannot be laid out on a line by {name!r}; choose one of {', '.join(LINES)}")
    flat = np.asarray(places, dtype=np.float64).ravel()
    low, high = np.percentile(flat, [1, 99])
    margin = 0.1 * (high - low)
    extent = high - low + 2 * margin
    return np.clip((flat - low + margin) / (extent if extent > 0 else 1.0), 0.0, 1.0)


def _tsne(values: NDArray[np.float32], seed: int) -> NDArray:
    try:
        import openTSNE
    except ImportError as error:
        raise AtlasError("the layout 'tsne' needs openTSNE; install it: pip install 'pellucid[layouts]'") from error
    perplexity = min(_PERPLEXITY, (len(values) - 1) // 3)
    found = openTSNE.TSNE(1, perplexity=perplexity, metric="cosine", random_state=seed, n_jobs=1)
    return np.asarray(found.fit(values))


def _umap(values: NDArray[np.float32], neighbors: int, seed: int) -> NDArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # that its part for TensorFlow is not there
        import umap

    count = min(neighbors, len(values) - 1)
    found = umap.UMAP(n_neighbors=count, n_components=1, metric="cosine", random_state=seed, n_jobs=1)
    return np.asarray(found.fit_transform(values))


def _pca(values: NDArray[np.float32]) -> NDArray:
    from sklearn import decomposition

    unit = values.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True).clip(1e-12)
    return decomposition.PCA(1, random_state=0).fit_transform(unit)
