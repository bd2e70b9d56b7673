"""Does an atlas tell the truth? Icons are shown to the network again, and the layout is compared with plainer ones."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.activations import Samples
from pellucid.activations.sources import reopen
from pellucid.atlas import tables
from pellucid.atlas.classes import neighbour_correlation, read_class_means
from pellucid.atlas.gathered import open_samples, take
from pellucid.atlas.icons import mean_activation, whitening
from pellucid.atlas.jittered import center_attributions, encode_centers, jittered_cosines
from pellucid.atlas.likeness import Agreement, agreement, likeness
from pellucid.atlas.patches import cut_patches
from pellucid.atlas.sheets import read_icons
from pellucid.atlas.trust import LayoutCheck as LayoutCheck
from pellucid.atlas.trust import LayoutTrial as LayoutTrial
from pellucid.atlas.trust import check_layout as check_layout
from pellucid.atlas.trust import compare_layouts as compare_layouts
from pellucid.atlas.trust import trust as trust
from pellucid.errors import ImagesError, StudyError
from pellucid.networks import Network
from pellucid.study import AtlasRecord, LevelRecord, Study, atlases
from pellucid.study.records import read_cells

_RIDGE = 1e-2  # of the whitened cosine, whatever the icons were drawn for
_SHOWN = 300  # cells of a level whose patches and moved icons are measured


@dataclass(frozen=True)
class LevelCheck:
    """How faithful the icons of one level are.

    `icon` is the mean cosine between the activation that an icon gives at its centre and its cell's mean activation,
    `icon_p10` that which nine of ten icons exceed, `icon_moved` the mean while icons are moved about. Beside it:
    `shuffled`, the same for icons of other cells (all pairs), `mean_icon`, for the mean of all icons, and `best_patch`,
    for the best of each cell's photograph patches. `*_centred` subtract the layer's mean activation from both sides
    first, `*_whitened` bring both into the space in which the activations have unit covariance.

    `own_first` is the share of icons that are nearer to their own cell's mean than to any other's, `own_five` of those
    with their own among the five nearest; `chance_*` are the shares for icons drawn at random, `patch_first` that of
    the best patches. `labels` tells whether icons speak for their cells' classes. `unstable` is the share of cells
    whose first class is another in each half of their activations; `neighbours` is the correlation between the
    attributions of cells that touch, `strangers` that of any two. What an atlas does not hold is None.
    """

    grid: int
    cells: int
    icon: float
    icon_p10: float
    icon_moved: float
    shuffled: float
    mean_icon: float
    best_patch: float | None
    icon_centred: float
    shuffled_centred: float
    icon_whitened: float
    shuffled_whitened: float
    own_first: float
    own_five: float
    chance_first: float
    chance_five: float
    patch_first: float | None
    labels: Agreement | None
    unstable: float
    neighbours: float | None
    strangers: float | None


@dataclass(frozen=True)
class AtlasCheck:
    """All that `check` measured; the first numbers are means over the icons of all levels."""

    layer: str
    cells: int
    icon: float
    shuffled: float
    icon_centred: float
    shuffled_centred: float
    icon_whitened: float
    shuffled_whitened: float
    own_first: float
    levels: tuple[LevelCheck, ...]
    layout: LayoutCheck

    def as_dict(self) -> dict[str, Any]:
        """The numbers as plain values, for JSON."""
        return asdict(self)


def check(network: Network, study: Study, layer: str | None = None) -> AtlasCheck:
    """Measure a finished atlas, by its name or its layer's: the icons as they are on its sheets, and its layout.

    Raises `StudyError` if the study has no such atlas or is of another network.
    """
    study.refuse_other_weights(network.name, network.digest)
    folder = _atlas_folder(study, layer)
    record = AtlasRecord.read(folder)
    if record.kind == "network":
        raise StudyError(f"the atlas {folder.name!r} is of {record.network}; check it in a study of that network")
    samples = take(open_samples(study, record.layer), tables.read_chosen(folder / "layout.parquet"))
    level_check = _LevelChecker(network, study, record, folder, samples)
    checks = [level_check(level) for level in record.levels]
    cells = sum(level.cells for level in checks)

    def over(name: str) -> float:
        return sum(getattr(level, name) * level.cells for level in checks) / cells

    return AtlasCheck(
        record.layer,
        cells,
        over("icon"),
        over("shuffled"),
        over("icon_centred"),
        over("shuffled_centred"),
        over("icon_whitened"),
        over("shuffled_whitened"),
        over("own_first"),
        tuple(checks),
        check_layout(samples.activation, tables.read_layout(folder / "layout.parquet")),
    )


def _atlas_folder(study: Study, name: str | None) -> Path:
    folders = atlases(study)
    if not folders:
        raise StudyError(
            f"the study in {study.path} has no finished atlas; build one with 'pellucid atlas {study.path}'"
        )
    if name is None:
        whole = [one for one, folder in folders.items() if AtlasRecord.read(folder).kind == "layer"] or list(folders)
        if len(whole) > 1:
            raise StudyError(f"the study in {study.path} has several atlases; choose one of {', '.join(folders)}")
        name = whole[0]
    if name not in folders:
        raise StudyError(f"the study in {study.path} has no atlas of {name!r}; it has {', '.join(folders)}")
    return folders[name]


class _LevelChecker:
    """Measures the levels of one atlas."""

    def __init__(self, network: Network, study: Study, record: AtlasRecord, folder: Path, samples: Samples) -> None:
        self.network, self.study, self.record, self.folder, self.samples = network, study, record, folder, samples
        self.center = torch.from_numpy(mean_activation(samples.activation))
        self.metric = whitening(samples.activation, _RIDGE)

    def __call__(self, level: LevelRecord) -> LevelCheck:
        """How faithful the icons of a level are."""
        layer = self.record.layer
        cells = tables.read_cells(self.folder / f"cells-{level.grid}.parquet")
        means = torch.from_numpy(cells.mean)
        icons = read_icons(self.folder, level.icons, cells.row, cells.column)
        seen = encode_centers(self.network, layer, icons)
        plain, centred = likeness(seen, means), likeness(seen - self.center, means - self.center)
        white = likeness(seen.double() @ self.metric, means.double() @ self.metric)
        average = encode_centers(self.network, layer, _average(icons))
        some = np.unique(np.linspace(0, level.cells - 1, _SHOWN).astype(int))
        moved = jittered_cosines(
            self.network, layer, icons[some], means[some], [f"{level.grid}|{cell}" for cell in some]
        )
        patches = self._best_patches(cells, means, some)
        classes = read_class_means(self.folder, level)
        table = read_cells(self.folder / level.table)
        correlations = neighbour_correlation(cells.row, cells.column, classes) if classes.shape[1] else (None, None)
        return LevelCheck(
            level.grid,
            level.cells,
            float(plain.own.mean()),
            float(plain.own.quantile(0.1)),
            float(moved.mean()),
            plain.shuffled,
            float(likeness(average.expand(len(means), -1), means).own.mean()),
            patches and patches[0],
            float(centred.own.mean()),
            centred.shuffled,
            float(white.own.mean()),
            white.shuffled,
            plain.within(1),
            plain.within(5),
            1 / level.cells,
            min(1.0, 5 / level.cells),
            patches and patches[1],
            self._labels(icons, classes),
            1 - float(np.mean([cell.stable for cell in table])),
            *correlations,
        )

    def _labels(self, icons: NDArray[np.uint8], classes: NDArray[np.float32]) -> Agreement | None:
        if not classes.shape[1]:
            return None
        return agreement(center_attributions(self.network, self.record.layer, icons), torch.from_numpy(classes))

    def _best_patches(
        self, cells: tables.CellTable, means: Tensor, some: NDArray[np.int_]
    ) -> tuple[float, float] | None:
        """The mean cosine of the best patches of some cells, and the share of them that are nearest to their own."""
        size = self.record.config["icons"]["size"]
        layer = self.network.spatial_layer(self.record.layer)
        chosen = [cells.patches[cell] for cell in some]
        try:
            source = reopen(self.study.manifest.images)
            patches = cut_patches(self.network, layer, self.samples, chosen, source, size, size)
        except ImagesError:  # the photographs have been moved; the atlas itself can still be checked
            return None
        order = sorted(patches)
        seen = encode_centers(self.network, self.record.layer, np.stack([patches[sample] for sample in order]))
        row = {sample: index for index, sample in enumerate(order)}
        best = []
        for cell, own in zip(some, chosen, strict=True):
            vectors = seen[[row[sample] for sample in own]]
            best.append(vectors[likeness(vectors, means, torch.full((len(own),), int(cell))).own.argmax()])
        found = likeness(torch.stack(best), means, torch.from_numpy(some))
        return float(found.own.mean()), found.within(1)


def _average(icons: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return icons.mean(axis=0, keepdims=True).round().astype(np.uint8)
