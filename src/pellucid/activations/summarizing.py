"""Summarizing: what an entire dataset does to every unit of the chosen layers, in one pass that can be interrupted."""

import io
import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pellucid.activations.batches import Decoder, Geometry, decoded
from pellucid.activations.engines import Engine, Job, LocalEngine
from pellucid.activations.manifests import describe_run, unusable
from pellucid.activations.parts import Key, Part, PartStore, Tree, finish, missing_shards
from pellucid.activations.shards import PRECISIONS, ShardWork
from pellucid.activations.sources import Source, open_source
from pellucid.activations.summary import Bins, LayerRecord
from pellucid.activations.summary.store import summary_folder, write_arrays, write_summary
from pellucid.activations.views import ViewPlan
from pellucid.errors import ImagesError, StudyError, SummaryError
from pellucid.networks import Network, receptive_fields
from pellucid.networks.one_thread import one_thread
from pellucid.networks.taps import tapped
from pellucid.study import Study, write_json
from pellucid.study.files import digest

_BATCH = 64
_BATCH_ON_CPU = 4  # larger tensors are given back to the system and fetched again at every layer
_FIRST_LOOK = 32  # images that the bins are laid around


@dataclass(frozen=True)
class SummaryConfig:
    """What is kept of each unit.

    `examples` highest and lowest images, `samples` random positions of each of `groups` groups of `bins` bins, drawn by
    `seed`. The bins are laid around the values of a first look at 32 images spread over the source, unless `low` and
    `high` fix them for all units. `covariance` is how many random positions of each view the products of each two
    units are of, 0 for none. `shard` images are one unit of work, `batch` views one pass (4 on a CPU, 64 elsewhere,
    unless said), in the arithmetic of `precision` (float32, bfloat16, float16).
    """

    examples: int = 100
    samples: int = 24
    bins: int = 288
    groups: int = 18
    low: float | None = None
    high: float | None = None
    covariance: int = 32
    seed: int = 0
    shard: int = 512
    batch: int | None = None
    precision: str = "float32"

    def __post_init__(self) -> None:
        if min(self.examples, self.samples, self.bins, self.groups, self.shard, self.batch or 1) < 1:
            raise SummaryError("examples, samples, bins, groups, shard and batch must be positive")
        if self.covariance < 0:
            raise SummaryError(f"covariance = {self.covariance} positions must not be negative; 0 leaves it out")
        if self.precision not in PRECISIONS:
            raise SummaryError(f"precision {self.precision!r} is none of {', '.join(PRECISIONS)}")
        if self.bins % self.groups:
            raise SummaryError(f"bins = {self.bins} must be a multiple of groups = {self.groups}")
        if (self.low is None) != (self.high is None):
            raise SummaryError("low and high go together: give both or neither")

    def views_at_once(self, network: Network) -> int:
        """The views in one pass: `batch`, or what suits the device of the network."""
        return self.batch or (_BATCH_ON_CPU if network.device.type == "cpu" else _BATCH)

    def stamp(self) -> dict[str, Any]:
        """What a finished summary must agree in to be taken for this one."""
        return asdict(self)


def summarize(
    network: Network,
    images: Source | Path | str | Any,
    layers: str | Sequence[str],
    study: Path | str,
    *,
    config: SummaryConfig | None = None,
    crops: Sequence[float] = (1.0,),
    random_crops: int = 0,
    labels: Path | str | None = None,
    engine: Engine | None = None,
    command: str = "",
    progress: bool = False,
) -> Study:
    """Summarize what images do to every unit of the chosen layers, after and before their rectifiers.

    For each unit, over all positions: count, moments, extremes, a histogram, the share that fires, the examples that
    excite it most and least, random positions of each bin of activation, sums for each class, and how units are active
    together: a `Summary`, to be read by `read_summary`. `images` is whatever `open_source` takes; `crops` and
    `random_crops` say which views of each (`ViewPlan`), `labels` where classes come from.

    Images that cannot be read are left out and listed in `summaries/skipped.json`. A run that was interrupted goes on
    where it stopped, and ends with the same study; layers that are finished are not done again. `engine` says where the
    work is done, by default here.

    Raises `ImagesError` without a usable image, `LayerError` for a layer without activations, `StudyError` if the
    folder holds another study or the layer was summarized in another way.
    """
    config = config or SummaryConfig()
    engine = engine or LocalEngine()
    source = open_source(images, labels=labels)
    plan = ViewPlan(tuple(float(crop) for crop in crops), network.crop, random_crops, config.seed)
    names = list(dict.fromkeys([layers] if isinstance(layers, str) else layers))
    if not names:
        raise SummaryError("no layer is named; give one at least")
    for name in names:
        network.layer(name).check()
    new = not (Path(study) / "study.json").exists()
    opened = Study.create(study, describe_run(network, source, plan, command))
    names = [name for name in names if not _finished(opened, name, config)]
    if not names:
        return opened
    key = digest([config.stamp(), names])[:12]
    store = engine.store(opened.path / "summaries" / f".parts-{key}")
    decoder = Decoder(source, plan, Geometry.of(network))
    try:
        bins = _bins(network, decoder, names, config, store)
    except ImagesError:
        if new:
            shutil.rmtree(opened.path)
        raise
    work = ShardWork(
        network, bins, config.views_at_once(network), config.examples, config.samples,
        config.seed, config.covariance, config.precision,
    )  # fmt: skip
    tree = Tree(-(-len(source) // config.shard))
    engine.run(Job(work, decoder, store, tree, config.shard), missing_shards(store, tree), progress=progress)
    _write(opened, network, source, names, config, finish(store, tree))
    store.clear()
    return opened


def _finished(study: Study, layer: str, config: SummaryConfig) -> bool:
    folder = summary_folder(study, layer)
    if not (folder / "summary.json").is_file():
        return False
    earlier = LayerRecord.read(folder).config
    differing = ", ".join(key for key, value in config.stamp().items() if earlier.get(key) != value)
    if differing:
        raise StudyError(
            f"layer {layer!r} of the study in {study.path} was summarized with another {differing}; remove {folder} to "
            "summarize it anew, or choose another study"
        )
    return True


def _bins(
    network: Network, decoder: Decoder, layers: list[str], config: SummaryConfig, store: PartStore
) -> dict[Key, Bins]:
    """The bins of each layer and tap; those of a run that was interrupted."""
    earlier = store.read_file("bins.npz")
    if earlier is not None:
        with np.load(io.BytesIO(earlier)) as archive:
            keys = json.loads(archive["keys"].tobytes())
            stacks = [archive[str(number)] for number in range(len(keys))]
        return {
            (layer, tap): Bins(low, width, pivot, config.bins, config.groups)
            for (layer, tap), (low, width, pivot) in zip(keys, stacks, strict=True)
        }
    found = _first_look(network, decoder, layers, config)
    content = io.BytesIO()
    keys = np.frombuffer(json.dumps(list(found)).encode(), np.uint8)
    arrays = {str(number): np.stack([bins.low, bins.width, bins.pivot]) for number, bins in enumerate(found.values())}
    write_arrays(content, [("keys", keys), *arrays.items()])
    store.write_file("bins.npz", content.getvalue())
    return found


def _first_look(network: Network, decoder: Decoder, layers: list[str], config: SummaryConfig) -> dict[Key, Bins]:
    """Bins around the activations of a few images from the whole source; others take the place of unreadable ones."""
    total = len(decoder)
    spread = np.linspace(0, total - 1, min(total, _FIRST_LOOK)).astype(int).tolist()
    order = list(dict.fromkeys([*spread, *range(total)]))
    views: list[torch.Tensor] = []
    reason = ""
    for image in decoded(decoder, order):
        if image.views is None:
            reason = reason or image.reason
            continue
        views.append(image.views[0])
        if len(views) == min(total, _FIRST_LOOK):
            break
    if not views:
        raise ImagesError(f"none of the {total} images can be read; the first: {reason}")
    looks: list[dict[Key, np.ndarray]] = []
    with one_thread(network.device):
        for some in torch.stack(views).split(config.views_at_once(network)):
            found = tapped(network, some.to(network.device, network.dtype) / 255, layers)
            looks.append({key: _extent(values) for key, values in found.items()})
    bins = {}
    for key in looks[0]:
        seen = np.stack([look[key] for look in looks])
        low, high, mean = seen[:, 0].min(0), seen[:, 1].max(0), seen[:, 2].mean(0)
        if config.low is not None and config.high is not None:
            fixed = Bins.fixed(len(mean), config.low, config.high, count=config.bins, groups=config.groups)
            bins[key] = Bins(fixed.low, fixed.width, mean, config.bins, config.groups)
        else:
            bins[key] = Bins.around(low, high, mean, count=config.bins, groups=config.groups)
    return bins


def _extent(values: torch.Tensor) -> np.ndarray:
    """The least, the largest and the mean finite activation of each unit (3, C); zeros where there is none."""
    flat = values.cpu().double().transpose(0, 1).flatten(1)
    valid = flat.isfinite()
    count = valid.sum(1)
    low = torch.where(valid, flat, torch.inf).amin(1)
    high = torch.where(valid, flat, -torch.inf).amax(1)
    mean = torch.where(valid, flat, 0).sum(1) / count.clamp(min=1)
    return torch.where(count > 0, torch.stack([low, high, mean]), 0).numpy()


def _write(
    study: Study, network: Network, source: Source, layers: list[str], config: SummaryConfig, part: Part
) -> None:
    if len(part.skipped) == len(source):
        raise ImagesError(f"none of the {len(source)} images can be read; the first: {part.skipped[0]['reason']}")
    write_json(study.path / "summaries" / "skipped.json", unusable(source) + list(part.skipped))
    spatial = [network.layer(name) for name in layers if network.layer(name).spatial]
    fields = receptive_fields(network, spatial) if spatial else {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        list(threads.map(lambda key: write_summary(study, key[0], key[1], part.summaries[key]), part.summaries))
    for name in layers:
        layer = network.layer(name)
        taps = {tap: summary for (owner, tap), summary in part.summaries.items() if owner == name}
        post = taps["post"]
        places = int(post.moments.count.max() + post.invalid.max()) // max(post.items, 1)
        rows, columns = layer.size or (1, max(places, 1))
        record = LayerRecord(
            name,
            layer.channels,
            rows,
            columns,
            tuple(sorted(taps)),
            network.size,
            asdict(fields[name]) if name in fields else None,
            post.images,
            post.items,
            source.classes,
            config.stamp(),
        )
        record.write(summary_folder(study, name))
