"""How units respond to all photographs of a source, kept in the study shard by shard."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.activations.fingerprints import BITS, Fingerprint
from pellucid.activations.images import load_view
from pellucid.activations.sources import Source
from pellucid.activations.views import ViewPlan
from pellucid.causal.stimuli.activity import Activity, Summary
from pellucid.causal.stimuli.scan import BATCH
from pellucid.errors import ImagesError, StudyError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.study import Study, digest, writing

_SHARD = 256  # photographs; a run that is stopped loses at most so many
_BYTES = BITS // 8


class PhotographViews:
    """Photographs as the network sees them: the middle of each, (channels, H, W) in [0, 1]."""

    def __init__(self, source: Source, network: Network) -> None:
        self.source = source
        self.network = network
        self.load = lru_cache(maxsize=64)(self._load)  # the same photographs come up again and again

    def _load(self, index: int) -> Tensor:
        return self.opened(index)[0]

    def opened(self, index: int) -> tuple[Tensor, Fingerprint]:
        """The view and the fingerprint of it."""
        image = self.source.open(index, self.network.channels)
        box = ViewPlan(center=self.network.crop).boxes(image.size, self.source.name(index))[0]
        return load_view(image, box, self.network), Fingerprint.of(image.crop(box))


@dataclass(frozen=True, eq=False)
class PhotographActivity:
    """Activations of all photographs: for each layer (photographs, units), in the order of the source.

    A photograph that could not be read has NaN and its reason in `skipped`, by its number; `prints` tell near
    duplicates.
    """

    values: dict[str, NDArray[np.float32]]
    prints: tuple[Fingerprint | None, ...]
    skipped: dict[int, str] = field(default_factory=dict)

    def of(self, layer: str, unit: int) -> NDArray[np.float32]:
        """The activations of one unit."""
        return self.values[layer][:, unit]


def photograph_activity(
    study: Study,
    source: Source,
    network: Network,
    layers: tuple[str, ...],
    *,
    summary: Summary = "mean",
    batch: int = BATCH,
    progress: bool = False,
) -> PhotographActivity:
    """Measure how all units of some layers respond to all photographs, or read what the study has of it already.

    The numbers lie in `photographs/KEY/shard-N.npz`, 256 photographs each; a run that was stopped goes on with the next
    shard. Raises `ImagesError` if not one photograph can be read.
    """
    about = {
        "network": network.describe(), "images": source.describe(), "layers": list(layers), "summary": summary,
        "batch": batch,
    }  # fmt: skip
    folder = study.path / "photographs" / digest(about)[:16]
    views = PhotographViews(source, network)
    activity = Activity(network, layers, summary)
    shards = []
    with progress_bar("photographs", len(source), shown=progress) as advance:
        for at in range(0, len(source), _SHARD):
            some = range(at, min(at + _SHARD, len(source)))
            path = folder / f"shard-{at // _SHARD:05d}.npz"
            if not path.is_file():
                _write(path, _measured(views, activity, some, batch))
            shards.append(_read(path, layers, len(some)))
            advance(len(some))
    return _joined(shards, layers, source)


def _measured(views: PhotographViews, activity: Activity, some: range, batch: int) -> dict[str, Any]:
    reasons: dict[int, str] = {}
    seen: list[int] = []
    prints: list[Fingerprint] = []

    def view(index: int) -> tuple[Tensor, Fingerprint] | str:
        try:
            return views.opened(index)
        except ImagesError as error:
            return str(error)

    def batches() -> Iterator[Tensor]:
        waiting: list[Tensor] = []
        with ThreadPoolExecutor(4) as threads:
            for at in range(0, len(some), 4 * batch):
                indices = some[at : at + 4 * batch]
                for index, found in zip(indices, threads.map(view, indices), strict=True):
                    if isinstance(found, str):
                        reasons[index] = found
                        continue
                    waiting.append(found[0])
                    seen.append(index)
                    prints.append(found[1])
                while len(waiting) >= batch:
                    yield torch.stack(waiting[:batch])
                    del waiting[:batch]
        if waiting:
            yield torch.stack(waiting)

    found = list(activity.each(batches()))
    rows = [index - some.start for index in seen]
    content: dict[str, Any] = {
        "seen": np.array(rows, np.int64),
        "bits": np.array([list(one.bits.to_bytes(_BYTES, "big")) for one in prints], np.uint8).reshape(-1, _BYTES),
        "thumbnails": np.array([one.thumbnail for one in prints], np.float32).reshape(len(prints), -1),
        "skipped": np.array(json.dumps(reasons)),
    }
    for number, layer in enumerate(activity.layers):
        if found:
            content[f"layer{number}"] = torch.cat([one[layer] for one in found]).float().numpy()
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    with writing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **content)


def _read(path: Path, layers: tuple[str, ...], count: int) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError) as error:
        raise StudyError(f"{path} cannot be read: {error}; remove it and run the command again") from error
    for number in range(len(layers)):
        rows = found.get(f"layer{number}")
        if rows is not None:
            whole = np.full((count, rows.shape[1]), np.nan, np.float32)
            whole[found["seen"]] = rows
            found[f"layer{number}"] = whole
    return found


def _joined(shards: list[dict[str, Any]], layers: tuple[str, ...], source: Source) -> PhotographActivity:
    skipped = {int(index): reason for one in shards for index, reason in json.loads(str(one["skipped"])).items()}
    prints: list[Fingerprint | None] = []
    for at, one in enumerate(shards):
        own: list[Fingerprint | None] = [None] * min(_SHARD, len(source) - at * _SHARD)
        for row, bits, thumbnail in zip(one["seen"], one["bits"], one["thumbnails"], strict=True):
            side = round(len(thumbnail) ** 0.5)
            own[int(row)] = Fingerprint(int.from_bytes(bits.tobytes(), "big"), thumbnail.reshape(side, side))
        prints += own
    values = {}
    for number, layer in enumerate(layers):
        known = [one.get(f"layer{number}") for one in shards]
        width = next((one.shape[1] for one in known if one is not None), None)
        if width is None:
            first = next(iter(skipped.values()), "there are none")
            raise ImagesError(f"not one of {len(source)} photographs can be read: {first}")
        counts = [min(_SHARD, len(source) - at * _SHARD) for at in range(len(shards))]
        values[layer] = np.concatenate(
            [
                np.full((count, width), np.nan, np.float32) if one is None else one
                for one, count in zip(known, counts, strict=True)
            ]
        )
    return PhotographActivity(values, tuple(prints), skipped)
