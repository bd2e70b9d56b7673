"""From harvested activations to an atlas on disk."""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.activations import Samples, read_samples
from pellucid.activations.sources import reopen
from pellucid.activations.store import layer_folder, read_image_list, read_shards
from pellucid.atlas import tables
from pellucid.atlas.grid import Grid, make_grid
from pellucid.atlas.icons import IconConfig, describe, draw_icons, forget_parts, whitening
from pellucid.atlas.labels import label_cells
from pellucid.atlas.layout import Layout, layout_named, normalize
from pellucid.atlas.patches import choose_patches, cut_patches
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.pictures import encode, sheet
from pellucid.progress import progress_bar
from pellucid.study import AtlasRecord, CellRecord, LevelRecord, SheetRecord, Study, digest, write_bytes
from pellucid.study.files import read_json
from pellucid.study.records import write_cells

_LARGEST_SHEET = 8192  # pixels a side; graphics hardware takes no larger textures


@dataclass(frozen=True)
class AtlasConfig:
    """How an atlas is made.

    `layout` is one of `LAYOUTS`; `neighbors` and `min_dist` are UMAP's (the published atlases: 50 and 0.05, cosine).
    `grids` are the cells a side of each zoom level from coarse to fine, `min_count` the activations that a cell must
    hold, `labels` and `patches` how many a cell shows, `patch_size` their side in pixels, `seed` that of the layout.
    """

    grids: tuple[int, ...] = (5, 10, 20)
    min_count: int = 10
    layout: str = "umap"
    neighbors: int = 50
    min_dist: float = 0.05
    seed: int = 0
    labels: int = 5
    patches: int = 4
    patch_size: int = 64
    icons: IconConfig = field(default_factory=IconConfig)


def build(
    network: Network, study: Study, layer: str, *, config: AtlasConfig | None = None, progress: bool = False
) -> AtlasRecord:
    """Lay out a harvested layer of a study, average it over grids, draw an icon for each cell, and write the atlas.

    Everything lies in `atlas/LAYER` of the study. What is there already from the same configuration is kept, so that a
    run that was stopped goes on. Raises `StudyError` if the layer is not harvested or the study is of another network,
    `AtlasError` if a grid has no cell.
    """
    config = config or AtlasConfig()
    _check(network, study, layer, config)
    builder = _Builder(network, study, layer, config)
    points = builder.layout(progress)
    grids = [make_grid(points, size, config.min_count) for size in config.grids]
    builder.forget_other_atlas()
    with progress_bar("drawing icons", sum(map(len, grids)), shown=progress) as advance:
        levels = [builder.level(grid, advance) for grid in grids]
    record = builder.record(levels)
    record.write(builder.folder)
    return record


def _check(network: Network, study: Study, layer: str, config: AtlasConfig) -> None:
    study.refuse_other_weights(network.name, network.digest)
    network.spatial_layer(layer)
    _layout(config)
    if list(config.grids) != sorted(set(config.grids)) or not config.grids:
        raise AtlasError(f"grids = {config.grids} must grow from level to level, such as 5, 10, 20")
    if min(config.icons.size, config.icons.steps, config.patches, config.patch_size, config.labels) < 1:
        raise AtlasError("icon size, steps, patches, their size and labels must be at least 1")


def _layout(config: AtlasConfig) -> Layout:
    return layout_named(config.layout, neighbors=config.neighbors, min_dist=config.min_dist, seed=config.seed)


def _described(config: AtlasConfig) -> list[Any]:
    """What decides over the places."""
    return [config.layout, *asdict(_layout(config)).values()]


@dataclass(frozen=True)
class _Builder:
    """One atlas in the making."""

    network: Network
    study: Study
    layer: str
    config: AtlasConfig
    _held: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.study.path / "atlas" / self.layer

    @property
    def samples(self) -> Samples:
        if "samples" not in self._held:
            self._held["samples"] = read_samples(self.study, self.layer)
        return self._held["samples"]

    @property
    def metric(self) -> Tensor | None:
        if not self.config.icons.whiten:
            return None
        if "metric" not in self._held:
            self._held["metric"] = whitening(self.samples.activation, self.config.icons.ridge).float()
        return self._held["metric"]

    def layout_stamp(self) -> str:
        harvest = layer_folder(self.study, self.layer)
        return digest(
            {
                "network": self.study.manifest.network,
                "images": self.study.manifest.images,
                "harvest": read_json(harvest / "config.json"),
                "layer": self.layer,
                "layout": _described(self.config),
            }
        )

    def level_stamp(self, size: int) -> str:
        config = self.config
        shown = [config.min_count, config.labels, config.patches, config.patch_size]
        return digest({"layout": self.layout_stamp(), "grid": size, "shown": shown, "icons": describe(config.icons)})

    def layout(self, progress: bool) -> NDArray[np.float32]:
        """The activations' places in the unit square, computed once."""
        activations = self.samples.activation  # first: says so if the layer is not harvested
        path, stamp = self.folder / "layout.parquet", self.layout_stamp()
        if tables.stamp_of(path) != stamp:
            with progress_bar("laying out", 1, shown=progress) as advance:
                points = _layout(self.config)(activations)
                tables.write_layout(path, normalize(points), stamp)
                advance(1)
        return tables.read_layout(path)

    def forget_other_atlas(self) -> None:
        """An atlas of another configuration must not seem to be this one's while this one is being drawn."""
        path = self.folder / "atlas.json"
        if path.exists() and read_json(path).get("config", {}).get("layout") != self.layout_stamp():
            path.unlink()

    def level(self, grid: Grid, advance: Callable[[int], None]) -> LevelRecord:
        """Average, label and draw one level, unless it is there from the same configuration."""
        size, stamp = grid.size, self.level_stamp(grid.size)
        icons = self._sheet(f"level-{size}.webp", len(grid), self.config.icons.size)
        patches = self._sheet(
            f"patches-{size}.webp", len(grid) * self.config.patches, self.config.patch_size, self.config.patches
        )
        record = LevelRecord(size, len(grid), f"level-{size}.json", icons, patches)
        cells_path = self.folder / f"cells-{size}.parquet"
        if tables.stamp_of(cells_path) == stamp:
            advance(len(grid))
            return record
        means = grid.means([self.samples.activation])
        labels, stable = label_cells(grid, self._attributions(), self.config.labels)
        chosen = choose_patches(grid, means, self.samples, self.config.patches)
        parts = self.folder / f".icons-{size}-{stamp[:16]}"
        pixels = draw_icons(self.network, self.layer, means, self.config.icons, parts, advance, self.metric)
        self._write_sheet(icons, list(pixels))
        paths = read_image_list(self.study)
        self._write_sheet(patches, self._patches(chosen))
        cells = [
            CellRecord(
                int(grid.row[cell]),
                int(grid.column[cell]),
                int(grid.count[cell]),
                labels[cell],
                bool(stable[cell]),
                tuple(paths[self.samples.image[sample]] for sample in chosen[cell]),
            )
            for cell in range(len(grid))
        ]
        write_cells(self.folder / record.table, size, tuple(cells))
        table = tables.CellTable(grid.row, grid.column, grid.count, means, chosen)
        tables.write_cells(cells_path, table, stamp)
        forget_parts(parts)
        return record

    def record(self, levels: list[LevelRecord]) -> AtlasRecord:
        labels = self.network.labels
        config = {**asdict(self.config), "layout": self.layout_stamp()}
        config["grids"] = list(self.config.grids)
        harvest = read_json(layer_folder(self.study, self.layer) / "harvest.json")
        names = labels.names if labels else ()
        return AtlasRecord(
            self.network.name, self.layer, len(self.samples), harvest["images"], names, tuple(levels), config
        )

    def _attributions(self) -> Iterator[NDArray]:
        return (shard.attribution for shard in read_shards(self.study, self.layer))

    def _patches(self, chosen: list[list[int]]) -> list[NDArray[np.uint8]]:
        config = self.config
        cut = cut_patches(
            self.network,
            self.network.spatial_layer(self.layer),
            self.samples,
            chosen,
            reopen(self.study.manifest.images),
            config.patch_size,
            config.icons.size,
        )
        blank = np.zeros((config.patch_size, config.patch_size, 3), dtype=np.uint8)
        return [cut[cell[place]] if place < len(cell) else blank for cell in chosen for place in range(config.patches)]

    def _sheet(self, name: str, count: int, size: int, per_cell: int = 1) -> SheetRecord:
        columns = math.ceil(math.sqrt(count))
        return SheetRecord(name, min(size, max(1, _LARGEST_SHEET // columns)), columns, per_cell)

    def _write_sheet(self, record: SheetRecord, pixels: list[NDArray[np.uint8]]) -> None:
        picture = sheet(pixels, record.columns)
        if pixels and record.size != pixels[0].shape[0]:
            rows = -(-len(pixels) // record.columns)
            picture = picture.resize((record.columns * record.size, rows * record.size))
        write_bytes(self.folder / record.file, encode(picture, Path(record.file).suffix))
