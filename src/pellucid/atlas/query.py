"""Which images a concept is in: those with the harvested activations nearest to a cell, a path or a mixture."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.store import layer_folder, read_image_list, read_shards
from pellucid.atlas.gathered import sampled_places
from pellucid.atlas.nearest import Nearest
from pellucid.errors import AtlasError
from pellucid.study import Study, digest
from pellucid.study.files import read_json

INDEX = "nearest.usearch"
"""The file of a layer's index, beside its activations."""


@dataclass(frozen=True)
class Found:
    """An image that was found, by its best activation.

    `image` counts in the study's list, `name` is its name there, `score` the cosine, `sample` the activation among all
    of the layer's, `box` (left, top, right, bottom) the view in the image's pixels, `place` row and column in the map.
    """

    image: int
    name: str
    score: float
    sample: int
    box: tuple[int, int, int, int]
    place: tuple[int, int]


@dataclass(frozen=True)
class ImageIndex:
    """All harvested activations of a layer, to be searched, and where each of them is from."""

    names: list[str]
    image: NDArray[np.int32]
    box: NDArray[np.int32]
    place: NDArray[np.int16]
    nearest: Nearest

    @classmethod
    def open(cls, study: Study, layer: str, *, exact: bool = False) -> "ImageIndex":
        """The index of a harvested layer; made at the first time, and kept beside the activations.

        `exact` compares with every single activation instead. Raises `StudyError` if the layer is not harvested.
        """
        folder = layer_folder(study, layer)
        places = sampled_places(study, layer)
        if exact:
            nearest = Nearest.joined(_activations(study, layer), exact=True)
        else:
            stamp = digest(
                {
                    "network": study.manifest.network,
                    "images": study.manifest.images,
                    "layer": layer,
                    "harvest": [read_json(folder / name) for name in ("config.json", "harvest.json")],
                }
            )
            nearest = Nearest.kept(folder / INDEX, stamp, _activations(study, layer))
        return cls(read_image_list(study), places.image, places.box, places.place, nearest)

    def images(self, vectors: NDArray, limit: int = 20) -> list[Found]:
        """The images with the activations nearest to one of the vectors (M, C) or (C,), each once, best first.

        An image's score is the cosine of that of its activations which is nearest to any of the vectors. Raises
        `AtlasError` for vectors of another number of channels.
        """
        if limit < 1:
            raise AtlasError(f"limit = {limit} must be at least 1")
        vectors = np.atleast_2d(vectors)
        count = min(max(4 * limit, 64), self.nearest.count)
        while True:
            samples, cosines = self.nearest.search(vectors, count)
            best = self._best(samples.ravel(), cosines.ravel())
            # With each search the count doubles: one image may hold all the nearest activations.
            if len(best) >= limit or count == self.nearest.count or samples.shape[1] < count:
                return best[:limit]
            count = min(2 * count, self.nearest.count)

    def _best(self, samples: NDArray[np.int64], cosines: NDArray[np.float32]) -> list[Found]:
        order = np.lexsort((samples, -cosines))
        _, first = np.unique(self.image[samples[order]], return_index=True)
        return [self._found(int(samples[at]), float(cosines[at])) for at in order[np.sort(first)]]

    def _found(self, sample: int, score: float) -> Found:
        image = int(self.image[sample])
        left, top, right, bottom = (int(edge) for edge in self.box[sample])
        row, column = (int(number) for number in self.place[sample])
        return Found(image, self.names[image], score, sample, (left, top, right, bottom), (row, column))


def _activations(study: Study, layer: str) -> Iterator[NDArray[np.float16]]:
    return (shard.activation for shard in read_shards(study, layer, attribution=False))
