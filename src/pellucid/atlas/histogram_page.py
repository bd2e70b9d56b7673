"""Two sets of images over the cells of an atlas, as a page of a study."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.activations import read_samples
from pellucid.activations.sources import reopen
from pellucid.activations.store import read_image_list
from pellucid.atlas.atlas_map import AtlasMap
from pellucid.atlas.histogram import Comparison, compare_histograms
from pellucid.atlas.image_classes import classes_of_names, image_classes
from pellucid.atlas.page_names import page_name
from pellucid.errors import ImagesError, StudyError
from pellucid.networks import Labels
from pellucid.networks.labels import imagenet
from pellucid.study import LevelRecord, PageRecord, Study, page_folder
from pellucid.study.page_record import six_digits
from pellucid.study.records import read_cells

_LABELS = 3  # classes said of a cell
_FAR = 99  # percentile of the atlas's own activations beyond which others are outside


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Activations of some images in the plane of an atlas: `points` (N, 2), and the `image` (N,) of each.

    `distance` (N,) is 1 - cosine to the nearest activation of the atlas that is of another image; None where it was not
    asked for.
    """

    name: str
    points: NDArray[np.float32]
    image: NDArray[np.int64]
    distance: NDArray[np.float32] | None = None

    @property
    def images(self) -> int:
        """How many images have activations here."""
        return len(np.unique(self.image))


def part_of_atlas(atlas: AtlasMap, images: NDArray[np.int64], name: str) -> ImageSet:
    """The atlas's own activations of some of its study's images, where they stand."""
    rows = np.isin(atlas.samples.image, images)
    return ImageSet(name, atlas.points[rows], atlas.samples.image[rows].astype(np.int64))


def whole_atlas(atlas: AtlasMap, name: str) -> ImageSet:
    """All of the atlas's own activations, placed as strangers are: by activations of other images."""
    placed = atlas.place(atlas.samples.activation, atlas.samples.image)
    return ImageSet(name, placed.points, atlas.samples.image.astype(np.int64), placed.distance)


def strangers(atlas: AtlasMap, other: Study, name: str) -> ImageSet:
    """The activations that another study harvested of the same layer, placed in the atlas.

    Raises `StudyError` if it is of another network, or has no such harvest.
    """
    ours, theirs = atlas.study.manifest.network, other.manifest.network
    if ours.get("weights_sha256") != theirs.get("weights_sha256"):
        raise StudyError(
            f"{other.path} is a study of {theirs.get('name')!r}, with other weights than {ours.get('name')!r} in "
            f"{atlas.study.path}; only activations of one network share an atlas"
        )
    samples = read_samples(other, atlas.record.layer)
    placed = atlas.place(samples.activation)
    return ImageSet(name, placed.points, samples.image.astype(np.int64), placed.distance)


def study_classes(study: Study, names: tuple[str, ...]) -> tuple[list[str], NDArray[np.int64]]:
    """The names of a study's images, and the classes (N,) that they are of as far as labels or names say so.

    `names` are those of the network's classes.
    """
    labels = imagenet() if names == imagenet().names else Labels(names)  # which have WordNet ids too
    images = read_image_list(study)
    try:
        return images, image_classes(reopen(study.manifest.images), labels)
    except ImagesError:  # the images have been moved; their names are known
        return images, classes_of_names(images, labels)


def compare_sets(
    atlas: AtlasMap, level: LevelRecord, first: ImageSet, second: ImageSet, *, permutations: int = 10_000, seed: int = 0
) -> Comparison:
    """Compare how two sets of images fill the cells of a level (`compare_histograms`)."""
    cell = atlas.cell_of(np.concatenate([first.points, second.points]), level)
    _, one = np.unique(first.image, return_inverse=True)
    _, two = np.unique(second.image, return_inverse=True)
    members = np.arange(first.images + second.images) >= first.images
    image = np.concatenate([one, two + first.images])
    return compare_histograms(cell, image, members, level.cells, permutations=permutations, seed=seed)


def histogram_page(
    atlas: AtlasMap,
    first: ImageSet,
    second: ImageSet,
    *,
    grid: int | None = None,
    permutations: int = 10_000,
    rate: float = 0.05,
    seed: int = 0,
    name: str | None = None,
) -> PageRecord:
    """Compare two sets of images over the cells of an atlas and write `pages/histogram/NAME` of its study.

    `grid` is the level, by default the finest whose cells hold 20 activations in the median. Cells count as different
    at the false discovery `rate`. Raises what `compare_histograms` does.
    """
    level = atlas.level(grid)
    folder = page_folder(atlas.study, "histogram", name or page_name(first.name, second.name))
    found = compare_sets(atlas, level, first, second, permutations=permutations, seed=seed)
    table = atlas.cells(level)
    cells = zip(table.row, table.column, found.first, found.second, found.ratio, found.p, found.q, strict=True)
    content = {
        "atlas": atlas.folder.name,
        "grid": level.grid,
        "names": list(atlas.record.classes),
        "first": {"name": first.name, "activations": len(first.points), "images": first.images},
        "second": {"name": second.name, "activations": len(second.points), "images": second.images},
        "cells": [[int(row), int(column), *(six_digits(value) for value in rest)] for row, column, *rest in cells],
        "z": [round(float(value), 3) for value in found.z],
        "labels": [[label for label, _ in cell.labels[:_LABELS]] for cell in read_cells(atlas.folder / level.table)],
        "different": found.different(rate).tolist(),
        "rate": rate,
        "p": found.p_all,
        "statistic": six_digits(found.statistic),
        "permutations": permutations,
        "elsewhere": [six_digits(value) for value in found.elsewhere],
        "outside": _outside(first, second),
    }
    config = {"grid": level.grid, "permutations": permutations, "rate": rate, "seed": seed}
    record = PageRecord("histogram", f"{first.name} and {second.name}", (), content, config)
    record.write(folder)
    return record


def _outside(first: ImageSet, second: ImageSet) -> dict[str, float] | None:
    """The shares of activations further from the atlas than all but a hundredth of the first set's."""
    if first.distance is None or second.distance is None:
        return None
    limit = float(np.percentile(first.distance, _FAR))
    one, two = (six_digits(np.mean(each > limit)) for each in (first.distance, second.distance))
    return {"limit": six_digits(limit), "first": one, "second": two}
