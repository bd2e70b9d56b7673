"""Laying out several layers, checkpoints or networks so that like lies in the same place of every map."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.activations import Samples
from pellucid.activations.store import layer_folder
from pellucid.atlas import tables
from pellucid.atlas.aligned_layout import REGULARISATION, PairCheck, aligned_points, check_pair
from pellucid.atlas.class_atlas import attributions_of
from pellucid.atlas.config import AtlasConfig
from pellucid.atlas.drawing import draw_atlas
from pellucid.atlas.gathered import open_samples
from pellucid.atlas.placement import Points
from pellucid.atlas.trust import sampled_trust
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.study import AtlasRecord, Study, digest
from pellucid.study.files import read_json


@dataclass(frozen=True)
class Slice:
    """One map of several: a harvested layer of a network, and `atlas`, the name that its atlas is to have."""

    network: Network
    study: Study
    layer: str
    atlas: str

    @cached_property
    def harvest(self) -> dict[str, Any]:
        """How the layer was harvested."""
        assert len(self.samples)  # which says so if it was not
        return read_json(layer_folder(self.study, self.layer) / "config.json")

    @cached_property
    def samples(self) -> Samples:
        """The layer's activations. Raises `StudyError` if it is not harvested."""
        return open_samples(self.study, self.layer)

    def __str__(self) -> str:
        return f"{self.network.name}/{self.layer}"


@dataclass(frozen=True)
class AlignmentCheck:
    """Of each map its trustworthiness (cosine, k = 15, on 3,000 activations), and how near pairs lie.

    `pairs` are those of each map with the next; `names` are the maps.
    """

    names: tuple[str, ...]
    pairs: tuple[PairCheck, ...]
    trust: tuple[float, ...]


def align(
    slices: Sequence[Slice],
    *,
    name: str = "aligned",
    config: AtlasConfig | None = None,
    regularisation: float = REGULARISATION,
    progress: bool = False,
) -> tuple[tuple[AtlasRecord, ...], AlignmentCheck]:
    """Lay out slices together and draw an atlas of each, all of them in the study of the first slice.

    Slices are harvests of the same views at the same places (`HarvestConfig.aligned`): layers of one network, its
    checkpoints, or several networks. Neighbouring slices hold each other (`aligned_points`). The atlases say
    `aligned = name`; those of the first network are of the kind "layer", the others "network". A run that was stopped
    goes on.

    Raises `AtlasError` if the slices are not of the same places, `StudyError` if one is not harvested.
    """
    config = config or AtlasConfig()
    check_pairs(slices)
    host = slices[0].study
    folders = [host.path / "atlas" / slice.atlas for slice in slices]
    stamp = _stamp(slices, config, regularisation)
    maps = _kept(folders, stamp)
    if maps is None:
        with progress_bar("laying out together", 1, shown=progress) as advance:
            maps = aligned_points(
                [slice.samples.activation for slice in slices],
                neighbors=config.neighbors,
                min_dist=config.min_dist,
                regularisation=regularisation,
                seed=config.seed,
            )
            for folder, points in zip(folders, maps, strict=True):
                tables.write_layout(folder / "layout.parquet", points, stamp)
            advance(1)
    records = []
    for slice, folder, points in zip(slices, folders, maps, strict=True):
        own = slice.network.digest == slices[0].network.digest
        records.append(
            draw_atlas(
                slice.network,
                host,
                slice.samples,
                points,
                attributions_of(slice.study, slice.layer),
                folder,
                layer=slice.layer,
                config=config,
                kind="layer" if own else "network",
                title=f"{slice.layer} ({name})" if own else f"{slice.network.name} {slice.layer} ({name})",
                about={"slices": [other.atlas for other in slices], "regularisation": regularisation},
                aligned=name,
                made=slice.harvest,
                progress=progress,
            )
        )
    return tuple(records), check_alignment(slices, maps, seed=config.seed)


def check_pairs(slices: Sequence[Slice]) -> None:
    """Raise `AtlasError` unless row i of every slice is of the same place of the same view."""
    if len(slices) < 2:
        raise AtlasError("one map cannot be aligned with itself: give two layers, checkpoints or networks at least")
    names = [slice.atlas for slice in slices]
    if len(set(names)) < len(names):
        raise AtlasError(f"atlases {', '.join(names)} of one study must have names of their own")
    first = slices[0]
    for slice in slices:
        slice.study.refuse_other_weights(slice.network.name, slice.network.digest)
        if not slice.harvest.get("aligned"):
            raise AtlasError(
                f"{slice} was harvested at places of its own; harvest it with --aligned (HarvestConfig.aligned) into "
                "a new study"
            )
    for slice in slices[1:]:
        for what, ours, theirs in (
            ("photographs", *(_views(each.study) for each in (first, slice))),
            *((key, first.harvest.get(key), slice.harvest.get(key)) for key in ("seed", "positions")),
        ):
            if ours != theirs:
                raise AtlasError(f"{first} and {slice} were harvested with other {what}: {ours} and {theirs}")
        if not np.array_equal(first.samples.image, slice.samples.image):
            raise AtlasError(f"{first} and {slice} are not of the same photographs: some could be read in one alone")


def _views(study: Study) -> list[Any]:
    images = study.manifest.images
    return [images.get(key) for key in ("digest", "count", "crops", "random_crops", "crop_seed")]


def _stamp(slices: Sequence[Slice], config: AtlasConfig, regularisation: float) -> str:
    said = [[slice.network.digest, slice.study.manifest.images, slice.layer, slice.harvest] for slice in slices]
    return digest({"slices": said, "layout": [config.neighbors, config.min_dist, config.seed, regularisation]})


def _kept(folders: Sequence[Path], stamp: str) -> list[Points] | None:
    paths = [folder / "layout.parquet" for folder in folders]
    return [tables.read_layout(path) for path in paths] if all(tables.stamp_of(p) == stamp for p in paths) else None


def check_alignment(slices: Sequence[Slice], maps: Sequence[Points], *, seed: int = 0) -> AlignmentCheck:
    """Measure how near pairs lie in neighbouring maps, and how far each map can be trusted."""
    pairs = [check_pair(first, second, seed=seed) for first, second in pairwise(maps)]
    trusts = [
        sampled_trust(slice.samples.activation, points, seed=seed) for slice, points in zip(slices, maps, strict=True)
    ]
    return AlignmentCheck(tuple(map(str, slices)), tuple(pairs), tuple(trusts))
