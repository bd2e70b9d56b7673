"""One photograph as a layer sees it, as a page: from single neurons to pairs, to the whole image, to the atlas."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.activations.views import views
from pellucid.atlas.atlas_map import AtlasMap
from pellucid.atlas.icons import IconConfig, describe, draw_icons
from pellucid.atlas.image_parts import ImageParts, image_parts
from pellucid.atlas.page_files import PageFiles
from pellucid.atlas.page_names import page_name
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.pictures import sheet
from pellucid.progress import progress_bar
from pellucid.study import PageRecord, Study, digest, page_folder

_LARGEST = 1024  # positions of a map that are drawn
_SHOWN = 640  # pixels a side of the photograph on the page


@dataclass(frozen=True)
class ImageConfig:
    """What a page of a photograph shows.

    `groups` groups of neurons, `classes` classes of each position, as many of the whole image have maps; `units` the
    strongest neurons of the strongest position. Icons are drawn as those of an atlas. `seed` is that of the groups.
    """

    groups: int = 4
    classes: int = 5
    units: int = 3
    seed: int = 0
    icons: IconConfig = field(default_factory=IconConfig)

    def __post_init__(self) -> None:
        if self.groups < 1 or self.classes < 1 or self.units < 2:
            raise AtlasError(
                f"groups = {self.groups} and classes = {self.classes} must be at least 1, and units = {self.units} at "
                "least 2: a pair is drawn of them"
            )


def image_page(
    network: Network,
    study: Study,
    photograph: Image.Image,
    layer: str,
    *,
    title: str,
    name: str | None = None,
    config: ImageConfig | None = None,
    progress: bool = False,
) -> PageRecord:
    """Draw what a layer sees at every position of a photograph and write it to `pages/image/NAME` of a study.

    The page has: the network's own view of the `photograph` and its first classes; an icon for each position's
    activation, whose length says how large it is drawn, and the classes that it speaks for; maps of the first classes'
    attributions; the strongest neurons of the strongest position, and the first two together; and the image taken apart
    into a few groups of neurons, each with its icon, map and classes. Where the study has an atlas of the layer, each
    position knows its cell there. A run that was stopped goes on, a finished one is kept.

    Carter et al., Activation Atlas (Distill 2019), "Looking at a Single Image"; groups as in Olah et al., The Building
    Blocks of Interpretability (Distill 2018). Raises `LayerError` for a layer without positions, `AtlasError` for a map
    of more than 1,024 of them.
    """
    config = config or ImageConfig()
    study.refuse_other_weights(network.name, network.digest)
    found = network.spatial_layer(layer)
    assert found.size is not None
    if found.size[0] * found.size[1] > _LARGEST:
        raise AtlasError(
            f"layer {layer!r} has a {found.size[0]}x{found.size[1]} map: {found.size[0] * found.size[1]} icons are too "
            f"many for a page (at most {_LARGEST}); take a later layer"
        )
    folder = page_folder(study, "image", name or page_name(f"{Path(title).stem}@{layer}"))
    atlas = _atlas(study, layer)
    stamp = _stamp(network, photograph, layer, config, atlas)
    kept = PageRecord.kept(folder, stamp)
    if kept is not None:
        return kept
    box = views(photograph.size, (1.0,), network.crop)[0]
    parts = image_parts(
        network, photograph, box, found, groups=config.groups, classes=config.classes, units=config.units,
        seed=config.seed,
    )  # fmt: skip
    drawing = _Drawing(network, layer, folder, config.icons, stamp)
    with progress_bar("drawing icons", len(parts.directions()), shown=progress) as advance:
        content = drawing.content(parts, advance)
    shown = photograph.crop(box)
    shown.thumbnail((_SHOWN, _SHOWN), Image.Resampling.LANCZOS)
    drawing.picture("photo.webp", shown.convert("RGB"))
    content = {
        "photo": "photo.webp",
        "network": network.name,
        "layer": layer,
        "classes": list(network.class_names),
        **content,
        "atlas": atlas.folder.name if atlas else "",
        "cells": _cells(parts, atlas),
    }
    said = {"stamp": stamp, "layer": layer, "box": list(box), "groups": config.groups, "icons": describe(config.icons)}
    record = PageRecord("image", title, tuple(drawing.files), content, said)
    record.write(folder)
    shutil.rmtree(drawing.parts, ignore_errors=True)
    return record


def _atlas(study: Study, layer: str) -> AtlasMap | None:
    return AtlasMap.open(study, layer) if (study.path / "atlas" / layer / "atlas.json").is_file() else None


def _stamp(network: Network, photograph: Image.Image, layer: str, config: ImageConfig, atlas: AtlasMap | None) -> str:
    pixels = hashlib.sha256(photograph.tobytes()).hexdigest()
    shown = {**asdict(config), "icons": describe(config.icons)}
    place = [atlas.record.config.get("layout"), [level.grid for level in atlas.record.levels]] if atlas else None
    return digest([network.describe(), pixels, list(photograph.size), layer, shown, place])


def _cells(parts: ImageParts, atlas: AtlasMap | None) -> list[list[int] | None]:
    """The finest cell that is drawn where each position's activation comes to stand: [grid, row, column]."""
    cells: list[list[int] | None] = [None] * len(parts.vectors)
    if atlas is None or not len(parts.firing):
        return cells
    points = atlas.place(parts.vectors[parts.firing]).points
    for level in atlas.record.levels:  # from coarse to fine
        table = atlas.cells(level)
        for position, cell in zip(parts.firing, atlas.cell_of(points, level), strict=True):
            if cell >= 0:
                cells[position] = [level.grid, int(table.row[cell]), int(table.column[cell])]
    return cells


class _Drawing(PageFiles):
    def __init__(self, network: Network, layer: str, folder: Path, icons: IconConfig, stamp: str) -> None:
        super().__init__(folder)
        self.network, self.layer, self.icons = network, layer, icons
        self.parts = folder / f".icons-{stamp[:16]}"

    def content(self, parts: ImageParts, advance: Callable[[int], None]) -> dict[str, Any]:
        """Draw everything at once, so that batches are full, and say where it is."""
        pixels = draw_icons(self.network, self.layer, parts.directions(), self.icons, self.parts, advance)
        positions, neurons, pair, groups = np.split(
            pixels, np.cumsum([len(parts.firing), len(parts.units), 1]).tolist()
        )
        icons = np.full((len(parts.vectors), *pixels.shape[1:]), 128, dtype=np.uint8)
        icons[parts.firing] = positions
        columns = parts.grid[1]
        return {
            "grid": list(parts.grid),
            "icons": {
                "file": self.picture("icons.webp", sheet(icons, columns)),
                "size": self.icons.size,
                "columns": columns,
            },
            **parts.said(),
            "neurons": [
                {**said, "file": self.picture(f"neuron-{index}.webp", Image.fromarray(icon))}
                for index, (said, icon) in enumerate(zip(parts.neurons(), neurons, strict=True))
            ],
            "pair": {"units": list(parts.units[:2]), "file": self.picture("pair.webp", Image.fromarray(pair[0]))},
            "groups": self._groups(parts, groups),
        }

    def _groups(self, parts: ImageParts, icons: NDArray[np.uint8]) -> list[dict[str, Any]]:
        return [
            {"icon": self.picture(f"group-{index}.webp", Image.fromarray(icon)), **said}
            for index, (said, icon) in enumerate(zip(parts.groups(), icons, strict=True))
        ]
