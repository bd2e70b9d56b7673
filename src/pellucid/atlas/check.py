"""Does an atlas tell the truth? Icons are shown to the network again, and the layout is compared with plainer ones."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pellucid.activations import Samples, read_samples
from pellucid.activations.sources import reopen
from pellucid.atlas import tables
from pellucid.atlas.layout import LAYOUTS, PCA, layout_named
from pellucid.atlas.patches import cut_patches
from pellucid.errors import ImagesError, StudyError
from pellucid.networks import Network
from pellucid.pictures import cut
from pellucid.progress import progress_bar
from pellucid.study import AtlasRecord, LevelRecord, Study

_NEAREST = 15  # neighbours in the trustworthiness
_SAMPLE = 3000  # activations that it is measured on


@dataclass(frozen=True)
class LevelCheck:
    """How faithful the icons of one level are.

    `icon` is the mean cosine between the activation that an icon gives at its centre and its cell's mean activation.
    Beside it: `shuffled`, the same for icons of other cells (all pairs), `mean_icon`, for the mean of all icons, and
    `best_patch`, for the best of each cell's photograph patches. `*_centred` subtract the layer's mean activation from
    both sides first. `own_first` is the share of icons that are nearer to their own cell's mean than to any other's.
    """

    grid: int
    cells: int
    icon: float
    icon_p10: float
    shuffled: float
    mean_icon: float
    best_patch: float | None
    icon_centred: float
    shuffled_centred: float
    own_first: float


@dataclass(frozen=True)
class LayoutCheck:
    """Trustworthiness (Venna and Kaski 2001; cosine, k = 15) of the layout, of PCA's, and of shuffled positions."""

    samples: int
    layout: float
    pca: float
    shuffled: float


@dataclass(frozen=True)
class AtlasCheck:
    """All that `check` measured."""

    layer: str
    cells: int
    icon: float  # over the icons of all levels
    shuffled: float
    levels: tuple[LevelCheck, ...]
    layout: LayoutCheck

    def as_dict(self) -> dict[str, Any]:
        """The numbers as plain values, for JSON."""
        return asdict(self)


def check(network: Network, study: Study, layer: str | None = None) -> AtlasCheck:
    """Measure a finished atlas: the icons as they are on its sheets, and its layout.

    Raises `StudyError` if the study has no such atlas or is of another network.
    """
    study.refuse_other_weights(network.name, network.digest)
    folder = _atlas_folder(study, layer)
    record = AtlasRecord.read(folder)
    samples = read_samples(study, record.layer)
    center = samples.activation.astype(np.float64).mean(axis=0).astype(np.float32)
    checks = [_check_level(network, study, record, folder, level, samples, center) for level in record.levels]
    cells = sum(level.cells for level in checks)
    return AtlasCheck(
        record.layer,
        cells,
        sum(level.icon * level.cells for level in checks) / cells,
        sum(level.shuffled * level.cells for level in checks) / cells,
        tuple(checks),
        check_layout(samples.activation, tables.read_layout(folder / "layout.parquet")),
    )


def _atlas_folder(study: Study, layer: str | None) -> Path:
    folders = {path.parent.name: path.parent for path in sorted((study.path / "atlas").glob("*/atlas.json"))}
    if not folders:
        raise StudyError(
            f"the study in {study.path} has no finished atlas; build one with 'pellucid atlas {study.path}'"
        )
    if layer is None and len(folders) > 1:
        raise StudyError(f"the study in {study.path} has several atlases; choose one of {', '.join(folders)}")
    name = layer or next(iter(folders))
    if name not in folders:
        raise StudyError(f"the study in {study.path} has no atlas of {name!r}; it has {', '.join(folders)}")
    return folders[name]


def _check_level(
    network: Network,
    study: Study,
    record: AtlasRecord,
    folder: Path,
    level: LevelRecord,
    samples: Samples,
    center: NDArray[np.float32],
) -> LevelCheck:
    cells = tables.read_cells(folder / f"cells-{level.grid}.parquet")
    means = torch.from_numpy(cells.mean)
    with Image.open(folder / level.icons.file) as sheet:
        icons = cut(sheet, level.icons.size, level.icons.columns, level.cells)
    seen = encode_centers(network, record.layer, icons)
    cosines = _cosines(seen, means)
    average = encode_centers(network, record.layer, icons.mean(axis=0, keepdims=True).round().astype(np.uint8))
    middle = torch.from_numpy(center)
    centred = _cosines(seen - middle, means - middle)
    return LevelCheck(
        level.grid,
        level.cells,
        float(cosines.diagonal().mean()),
        float(cosines.diagonal().quantile(0.1)),
        _off_diagonal(cosines),
        float(_cosines(average, means).mean()),
        _best_patches(network, study, record, samples, cells, means),
        float(centred.diagonal().mean()),
        _off_diagonal(centred),
        float((cosines.argmax(dim=1) == torch.arange(len(means))).float().mean()),
    )


def encode_centers(network: Network, layer: str, pixels: NDArray[np.uint8], *, batch: int = 32) -> Tensor:
    """What 8-bit pictures (N, size, size, 3) give at the centre of a layer's map: (N, C)."""
    found = network.spatial_layer(layer)
    parts = []
    for at in range(0, len(pixels), batch):
        some = torch.from_numpy(pixels[at : at + batch].astype(np.float32) / 255).permute(0, 3, 1, 2)
        some = some if network.channels == 3 else some.mean(dim=1, keepdim=True)
        with torch.no_grad():
            maps = found.maps(network.activations(some.to(network.device, network.dtype), [layer])[layer])
        parts.append(maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2].float().cpu())
    return torch.cat(parts)


def _best_patches(
    network: Network, study: Study, record: AtlasRecord, samples: Samples, cells: tables.CellTable, means: Tensor
) -> float | None:
    size = record.config["icons"]["size"]
    layer = network.spatial_layer(record.layer)
    try:
        source = reopen(study.manifest.images)
        patches = cut_patches(network, layer, samples, cells.patches, source, size, size)
    except ImagesError:  # the photographs have been moved; the atlas itself can still be checked
        return None
    order = sorted(patches)
    seen = encode_centers(network, record.layer, np.stack([patches[sample] for sample in order]))
    row = {sample: index for index, sample in enumerate(order)}
    best = [
        float(_cosines(seen[[row[sample] for sample in chosen]], means[cell : cell + 1]).max())
        for cell, chosen in enumerate(cells.patches)
    ]
    return float(np.mean(best))


def _cosines(first: Tensor, second: Tensor) -> Tensor:
    return F.normalize(first.double(), dim=1) @ F.normalize(second.double(), dim=1).T


def _off_diagonal(matrix: Tensor) -> float:
    count = len(matrix)
    if count < 2:
        return float("nan")
    return float((matrix.sum() - matrix.diagonal().sum()) / (count * (count - 1)))


def check_layout(activations: NDArray, points: NDArray[np.float32], *, seed: int = 0) -> LayoutCheck:
    """Trustworthiness of a layout (N, 2) of activations (N, C), on 3,000 of them, beside PCA's and shuffled places."""
    chosen = _some(activations, seed)
    values, places = activations[chosen].astype(np.float64), points[chosen]
    shuffled = np.random.default_rng(seed).permutation(places)
    return LayoutCheck(len(chosen), trust(values, places), trust(values, PCA()(values)), trust(values, shuffled))


def trust(activations: NDArray, points: NDArray) -> float:
    """Trustworthiness by the 15 nearest neighbours in cosine (Venna and Kaski 2001): 1 if none is a false one."""
    from sklearn.manifold import trustworthiness  # slow to import

    nearest = max(1, min(_NEAREST, len(points) // 2 - 1))
    return float(trustworthiness(activations, points, n_neighbors=nearest, metric="cosine"))


@dataclass(frozen=True)
class LayoutTrial:
    """A layout by name: its trustworthiness and the seconds that it took; shuffled places take none."""

    name: str
    trust: float
    seconds: float


def compare_layouts(
    activations: NDArray, names: Sequence[str] = LAYOUTS, *, seed: int = 0, progress: bool = False
) -> tuple[LayoutTrial, ...]:
    """Lay out activations (N, C) in each way, and measure all on the same 3,000 of them, beside shuffled places."""
    chosen = _some(activations, seed)
    values = activations[chosen].astype(np.float64)
    trials, places = [], None
    with progress_bar("laying out", len(names), shown=progress) as advance:
        for name in names:
            layout = layout_named(name, seed=seed)
            layout(activations[: 4 * _NEAREST])  # what is imported and compiled first is not part of it
            before = time.perf_counter()
            points = layout(activations)
            seconds = time.perf_counter() - before
            places = points[chosen]
            trials.append(LayoutTrial(name, trust(values, places), seconds))
            advance(1)
    if places is not None:
        trials.append(LayoutTrial("shuffled", trust(values, np.random.default_rng(seed).permutation(places)), 0.0))
    return tuple(trials)


def _some(activations: NDArray, seed: int) -> NDArray[np.intp]:
    count = len(activations)
    return np.sort(np.random.default_rng(seed).choice(count, size=min(_SAMPLE, count), replace=False))
