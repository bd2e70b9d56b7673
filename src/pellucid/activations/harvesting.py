"""Harvesting: activations at random positions of many photographs, with their attribution to the classes."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pellucid.activations.images import load_view
from pellucid.activations.manifests import describe_run, unusable
from pellucid.activations.sources import Source, open_source
from pellucid.activations.store import Samples, half, joined, layer_folder, shard_path, write_image_list, write_shard
from pellucid.activations.views import Box, ViewPlan
from pellucid.attribution.logits import check_pooling, logit_attributions
from pellucid.errors import ImagesError, LayerError, NetworkError, StudyError
from pellucid.networks import Layer, Network
from pellucid.progress import progress_bar
from pellucid.study import Study, write_json
from pellucid.study.files import read_json

MARGIN = 1 / 6  # of a view at each edge, which aligned places leave out: a unit at least in maps of six and more
_PLASTIC = 1.32471795724474602596  # the real root of x^3 = x + 1


@dataclass(frozen=True)
class HarvestConfig:
    """How activations are sampled.

    `positions` random positions of each view, at least `border` units from the edge of the map, where padding shows;
    all of them where the map has fewer. Everything random follows from `seed`, the photograph, the view and the layer.
    `shard` photographs make one file, `batch` views one pass.

    `aligned` takes the same places of a view in every layer and every network, so that rows of one harvest belong to
    those of another: places spread over the middle two thirds of the view in both directions, in a map the units that
    they fall into, which in a small map may be the same for some. `pooling` is how attribution passes max-pooling,
    one of `POOLINGS` (`logit_attributions`).
    """

    positions: int = 20
    border: int = 1
    seed: int = 0
    shard: int = 64
    batch: int = 16
    aligned: bool = False
    pooling: str = "exact"

    def stamp(self) -> dict[str, Any]:
        """What a finished harvest must agree in to be taken for this one."""
        said = asdict(self)
        for name in ("aligned", "pooling"):  # harvests of the first releases do not say these
            if said[name] == getattr(HarvestConfig, name):
                del said[name]
        return said


def harvest(
    network: Network,
    images: Source | Path | str | Any,
    layers: str | Sequence[str],
    study: Path | str,
    *,
    config: HarvestConfig | None = None,
    crops: Sequence[float] = (1.0,),
    random_crops: int = 0,
    labels: Path | str | None = None,
    command: str = "",
    progress: bool = False,
) -> Study:
    """Write activations of every readable image of a source to a study.

    For each layer and each view of an image, `config.positions` activations at random positions, with the attribution
    (gradient times activation) of every logit to them. `images` is whatever `open_source` takes, a folder of
    photographs for one. `crops` and `random_crops` say which views of each (`ViewPlan`): 1 the network's own central
    one, smaller numbers windows of that share of the shorter side. Files that cannot be read are left out and
    listed in `activations/skipped.json`. A run that was interrupted goes on where it stopped and ends with the same
    study.

    Raises `ImagesError` without usable photographs, `LayerError` for a layer without maps, `StudyError` if the folder
    holds another study.
    """
    config = config or HarvestConfig()
    check_pooling(config.pooling)
    wanted = [_fit(network, name, config) for name in ([layers] if isinstance(layers, str) else layers)]
    plan = ViewPlan(tuple(float(crop) for crop in crops), network.crop, random_crops, config.seed)
    if not wanted or config.positions < 1:
        raise ImagesError(f"positions = {config.positions} and the number of layers must be positive")
    source = open_source(images, labels=labels)
    new = not (Path(study) / "study.json").exists()
    opened = Study.create(study, describe_run(network, source, plan, command))
    write_image_list(opened, [source.name(index) for index in range(len(source))])
    for layer in wanted:
        _stamp(opened, layer, config)
    shards = [range(at, min(at + config.shard, len(source))) for at in range(0, len(source), config.shard)]
    run = _Run(network, source, plan, config)
    with progress_bar("harvesting", len(source), shown=progress) as advance, ThreadPoolExecutor() as threads:
        for number, shard in enumerate(shards):
            missing = [layer for layer in wanted if not shard_path(layer_folder(opened, layer.name), number).exists()]
            if missing:
                sampled, skipped = run.shard(shard, missing, threads, advance)
                write_json(_skipped_path(opened, number), skipped)
                for name, samples in sampled.items():
                    write_shard(shard_path(layer_folder(opened, name), number), samples)
            else:
                advance(len(shard))
    return _finish(opened, wanted, len(shards), source, new)


def _fit(network: Network, name: str, config: HarvestConfig) -> Layer:
    layer = network.spatial_layer(name)
    assert layer.size is not None
    if min(layer.size) <= 2 * config.border:
        raise LayerError(
            f"layer {name!r} has a {layer.size[0]}x{layer.size[1]} map at {network.size[0]}x{network.size[1]} pixels: "
            f"no position lies {config.border} away from its border; choose a layer with a larger map"
        )
    if config.aligned and config.border > MARGIN * min(layer.size):
        raise LayerError(
            f"layer {name!r} has a {layer.size[0]}x{layer.size[1]} map, of which aligned places leave out a sixth at "
            f"each edge: less than its border of {config.border}; choose a layer with a larger map or a smaller border"
        )
    return layer


def _stamp(study: Study, layer: Layer, config: HarvestConfig) -> None:
    path = layer_folder(study, layer.name) / "config.json"
    if path.exists():
        earlier = read_json(path)
        if earlier != config.stamp():
            now = config.stamp()
            differing = ", ".join(key for key in {**now, **earlier} if earlier.get(key) != now.get(key))
            raise StudyError(
                f"layer {layer.name!r} of the study in {study.path} was harvested with another {differing}; "
                f"remove {path.parent} to harvest it anew, or choose another study"
            )
    else:
        write_json(path, config.stamp())


def _skipped_path(study: Study, number: int) -> Path:
    return study.path / "activations" / ".skipped" / f"part-{number:05d}.json"


def _finish(study: Study, layers: list[Layer], shards: int, source: Source, new: bool) -> Study:
    skipped = [entry for number in range(shards) for entry in read_json(_skipped_path(study, number))]
    count = len(source)
    if len(skipped) == count:
        if new:
            shutil.rmtree(study.path)
        raise ImagesError(f"none of the {count} files named as pictures can be read; the first: {skipped[0]['reason']}")
    write_json(study.path / "activations" / "skipped.json", unusable(source) + skipped)
    for layer in layers:
        write_json(layer_folder(study, layer.name) / "harvest.json", {"shards": shards, "images": count - len(skipped)})
    return study


def aligned_places(count: int, name: str) -> np.ndarray:
    """So many places in a view as shares of its height and width (count, 2), the same for the same name.

    Each is uniform over the middle two thirds in both directions, and they keep a distance from each other: they are
    the first points of the additive sequence of the plastic number (Roberts 2018), moved by a random step.
    """
    steps = (np.arange(count)[:, None] * [1 / _PLASTIC, 1 / _PLASTIC**2] + _draw(name).uniform(size=2)) % 1
    return MARGIN + (1 - 2 * MARGIN) * steps


def _draw(name: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))


class _Item(NamedTuple):
    """A view that is to be shown to the network."""

    image: int
    name: str
    view: int  # its number among the views of the image
    box: Box
    pixels: Tensor


@dataclass(frozen=True)
class _Run:
    """What is the same for every shard."""

    network: Network
    source: Source
    plan: ViewPlan
    config: HarvestConfig

    def shard(
        self,
        images: range,
        layers: list[Layer],
        threads: ThreadPoolExecutor,
        advance: Callable[[int], None],
    ) -> tuple[dict[str, Samples], list[dict[str, str]]]:
        """The samples of some images for each layer, and the images that could not be read."""
        skipped: list[dict[str, str]] = []
        parts: dict[str, list[Samples]] = {layer.name: [] for layer in layers}
        pending: list[_Item] = []
        for number, cut in self._decoded(images, threads):
            name = self.source.name(number)
            if isinstance(cut, str):
                skipped.append({"image": name, "reason": cut})
            else:
                pending.extend(_Item(number, name, place, box, view) for place, (box, view) in enumerate(cut))
            while len(pending) >= self.config.batch:
                self._sample(pending[: self.config.batch], layers, parts)
                del pending[: self.config.batch]
            advance(1)
        if pending:
            self._sample(pending, layers, parts)
        return {name: self._joined(samples, name) for name, samples in parts.items()}, skipped

    def _decoded(
        self, images: range, threads: ThreadPoolExecutor
    ) -> Iterator[tuple[int, list[tuple[Box, Tensor]] | str]]:
        """The images' views, or why there are none; a few are decoded ahead, never the whole shard."""
        ahead = 8
        waiting = [threads.submit(self._views, number) for number in images[:ahead]]
        for offset, number in enumerate(images):
            result = waiting.pop(0).result()
            if offset + ahead < len(images):
                waiting.append(threads.submit(self._views, images[offset + ahead]))
            yield number, result

    def _views(self, number: int) -> list[tuple[Box, Tensor]] | str:
        try:
            image = self.source.open(number, self.network.channels)
            boxes = self.plan.boxes(image.size, self.source.name(number))
        except ImagesError as error:
            return str(error)
        return [(box, load_view(image, box, self.network)) for box in boxes]

    def _sample(self, items: list["_Item"], layers: list[Layer], parts: dict[str, list[Samples]]) -> None:
        pixels = torch.stack([item.pixels for item in items]).to(self.network.device, self.network.dtype)
        with torch.no_grad():
            outputs = self.network.activations(pixels, [layer.name for layer in layers])
        for layer in layers:
            output = outputs[layer.name]
            maps = layer.maps(output)
            places = np.stack([self._places(maps, layer, item) for item in items])
            positions = torch.from_numpy(places)
            attribution = logit_attributions(
                self.network, pixels, layer, output, positions, pooling=self.config.pooling
            )
            if attribution.ndim != 3:
                raise NetworkError(f"{self.network.name} gives {tuple(attribution.shape[2:])} for an image, not logits")
            view = torch.arange(len(items))[:, None]
            sampled = maps.movedim(1, -1).cpu()[view, positions[..., 0], positions[..., 1]]
            count = places.shape[1]
            parts[layer.name].append(
                Samples(
                    np.repeat([item.image for item in items], count).astype(np.int32),
                    np.repeat([item.box for item in items], count, axis=0).astype(np.int32),
                    places.reshape(-1, 2).astype(np.int16),
                    half(sampled.flatten(0, 1).float().numpy()),
                    half(attribution.flatten(0, 1).float().cpu().numpy()),
                )
            )

    def _places(self, maps: Tensor, layer: Layer, item: "_Item") -> np.ndarray:
        if self.config.aligned:
            # The number of the view and not its box, which differs where networks see different shares of an image.
            shares = aligned_places(self.config.positions, f"{self.config.seed}|{item.name}|{item.view}")
            return (shares * maps.shape[2:]).astype(np.int64)
        height, width = (length - 2 * self.config.border for length in maps.shape[2:])
        name = f"{self.config.seed}|{layer.name}|{item.name}|{tuple(item.box)}"
        count = min(self.config.positions, height * width)
        chosen = _draw(name).choice(height * width, size=count, replace=False)
        return np.stack([chosen // width, chosen % width], axis=1) + self.config.border

    def _joined(self, parts: list[Samples], layer: str) -> Samples:
        if not parts:
            units, classes = self.network.layer(layer).channels, len(self.network.labels or ())
            empty = (np.zeros(0, np.int32), np.zeros((0, 4), np.int32), np.zeros((0, 2), np.int16))
            return Samples(*empty, np.zeros((0, units), np.float16), np.zeros((0, max(classes, 1)), np.float16))
        return joined(parts)
