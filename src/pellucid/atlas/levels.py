"""Drawing the zoom levels of an atlas: icons, patches, tables, cards, each level once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.activations import Samples
from pellucid.activations.sources import reopen
from pellucid.activations.store import read_image_list
from pellucid.atlas import tables
from pellucid.atlas.cards import describe_cards, level_cards
from pellucid.atlas.classes import describe_classes, write_class_means
from pellucid.atlas.config import AtlasConfig
from pellucid.atlas.grid import Grid
from pellucid.atlas.icon_engines import IconEngine
from pellucid.atlas.icons import Parents, describe, draw_icons, forget_parts, mean_activation, parent_cells, whitening
from pellucid.atlas.patches import cut_patches
from pellucid.atlas.sheets import read_icons
from pellucid.atlas.survey import Survey, survey
from pellucid.atlas.tiles import describe_sheet, write_sheet
from pellucid.networks import Network
from pellucid.study import CellRecord, LevelRecord, Study, digest
from pellucid.study.records import write_cards, write_cells


@dataclass(frozen=True)
class Levels:
    """The levels of an atlas in the making: `stamp` says what decides over its samples and their places."""

    network: Network
    study: Study
    samples: Samples
    layer: str
    folder: Path
    config: AtlasConfig
    grids: list[Grid]
    stamp: str
    engine: IconEngine | None

    @cached_property
    def metric(self) -> Tensor | None:
        """What makes the covariance of the activations the identity, for objectives that want it."""
        icons = self.config.icons
        return whitening(self.samples.activation, icons.ridge).float() if icons.whiten else None

    @cached_property
    def center(self) -> NDArray[np.float32]:
        """The mean of all activations."""
        return mean_activation(self.samples.activation)

    def stamp_of(self, number: int) -> str:
        """What decides over a level; over one whose icons start from their parents', the coarser ones too."""
        config = self.config
        shown = [config.min_count, config.labels, config.patches, config.patch_size]
        parent = self.stamp_of(number - 1) if config.icons.from_parent and number else None
        said = {"layout": self.stamp, "grid": self.grids[number].size, "shown": shown, "parent": parent}
        return digest({**said, "icons": describe(config.icons), "format": 2})

    def drawn(self, attributions: Iterable[NDArray], advance: Callable[[int], None]) -> list[LevelRecord]:
        """All levels, from coarse to fine; those that are there from the same configuration are left as they are."""
        missing = [at for at in range(len(self.grids)) if tables.stamp_of(self._table(at)) != self.stamp_of(at)]
        if missing:  # what is there must not seem to be this atlas while this one is being drawn
            (self.folder / "atlas.json").unlink(missing_ok=True)
        surveys = survey([self.grids[at] for at in missing], self.samples, attributions, self.config.patches)
        advance(sum(len(grid) for at, grid in enumerate(self.grids) if at not in missing))
        for number, found in zip(missing, surveys, strict=True):
            self._draw(number, found, advance)
        return [self.record(number, tables.classes_of(self._table(number))) for number in range(len(self.grids))]

    def _table(self, number: int) -> Path:
        return self.folder / f"cells-{self.grids[number].size}.parquet"

    def record(self, number: int, classes: int) -> LevelRecord:
        """The record of a level, which names its files."""
        grid, config = self.grids[number], self.config
        return LevelRecord(
            grid.size,
            len(grid),
            f"level-{grid.size}.json",
            describe_sheet("level", grid, config.icons.size),
            describe_sheet("patches", grid, config.patch_size, config.patches),
            describe_classes(grid.size, len(grid), classes),
            describe_cards(grid.size, len(grid)),
        )

    def _draw(self, number: int, found: Survey, advance: Callable[[int], None]) -> None:
        """Draw and write one level. Its table of means comes last: it says that all the rest is there."""
        grid, config, classes = self.grids[number], self.config, found.classes.mean.shape[1]
        record = self.record(number, classes)
        parts = self.folder / f".icons-{grid.size}-{self.stamp_of(number)[:16]}"
        icons = draw_icons(
            self.network,
            self.layer,
            found.mean,
            config.icons,
            parts,
            advance,
            self.metric,
            center=self.center,
            parents=self._parents(number),
            engine=self.engine,
        )
        write_sheet(self.folder, record.icons, grid, icons)
        write_sheet(self.folder, record.patches, grid, self._patches(found.patches))
        if record.classes:
            write_class_means(self.folder, record.classes, found.classes.mean)
        if record.cards:
            write_cards(self.folder, record.cards, level_cards(found, config.labels))
        write_cells(self.folder / record.table, grid.size, self._cells(found))
        table = tables.CellTable(grid.row, grid.column, grid.count, found.mean, found.patches, classes)
        tables.write_cells(self._table(number), table, self.stamp_of(number))
        forget_parts(parts)

    def _parents(self, number: int) -> Parents | None:
        """The icons of the level before, as its sheet holds them: the same if this run did not draw them."""
        if not (self.config.icons.from_parent and number):
            return None
        coarse, fine = self.grids[number - 1 : number + 1]
        icons = read_icons(self.folder, self.record(number - 1, 0).icons, coarse.row, coarse.column)
        return Parents(
            icons, parent_cells((coarse.row, coarse.column, coarse.size), (fine.row, fine.column, fine.size))
        )

    def _cells(self, found: Survey) -> tuple[CellRecord, ...]:
        paths = read_image_list(self.study)
        grid, image = found.grid, self.samples.image
        labels = found.classes.strongest(self.config.labels)
        return tuple(
            CellRecord(
                int(grid.row[cell]),
                int(grid.column[cell]),
                int(grid.count[cell]),
                tuple((label, value) for label, value, _ in labels[cell]),
                bool(found.classes.stable[cell]),
                tuple(paths[image[sample]] for sample in found.patches[cell]),
            )
            for cell in range(len(grid))
        )

    def _patches(self, chosen: list[list[int]]) -> list[NDArray[np.uint8]]:
        config = self.config
        layer, source = self.network.spatial_layer(self.layer), reopen(self.study.manifest.images)
        cut = cut_patches(self.network, layer, self.samples, chosen, source, config.patch_size, config.icons.size)
        blank = np.zeros((config.patch_size, config.patch_size, 3), dtype=np.uint8)
        return [cut[cell[place]] if place < len(cell) else blank for cell in chosen for place in range(config.patches)]
