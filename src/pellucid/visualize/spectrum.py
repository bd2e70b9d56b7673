"""The spectrum of a unit: from the picture that drives it down, through images, to the picture that drives it up."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from pellucid import pictures
from pellucid.errors import ImagesError, ObjectiveError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.visualize.objectives import Objective, parse
from pellucid.visualize.render import render
from pellucid.visualize.rendering import Rendering
from pellucid.visualize.responses import ImageSource, Shortlist, batches, count_of, observe, refuse_nan
from pellucid.visualize.spectrum_sheet import Cell, labelled_sheet

NAMES = (
    "optimized negative",
    "minimum",
    "slightly negative",
    "slightly positive",
    "maximum",
    "optimized positive",
)
_RECTIFIED = (
    "The unit is nowhere negative, as behind a rectifier. What drives it down shows in the layer directly in front of "
    "the rectifier; in front of a normalization, signs and scales may be others."
)
_FLAT = "The unit gives 0 for every image: it may be dead."


@dataclass(frozen=True, eq=False)
class Column:
    """One part of a spectrum, the most telling picture first.

    `images` (n, C, H, W) in [0, 1] with the unit's `values` (n,); of dataset examples also their `numbers` in the
    order of the source, and `below`, the share of all images with a lower value. `note` says why there is none.
    """

    name: str
    images: Tensor
    values: Tensor
    numbers: tuple[int, ...] = ()
    below: tuple[float, ...] = ()
    note: str = ""

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The six columns of a unit's spectrum, from optimized negative to optimized positive, and what it is of.

    `columns` go by the names in `NAMES`; `notes` are remarks on the whole.
    """

    unit: str
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Column:
        """A column by its name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise ObjectiveError(f"a spectrum has no column {name!r}; its columns are {', '.join(map(repr, NAMES))}")

    def sheet(self) -> Image.Image:
        """The columns side by side, each with its name, and under every picture the activation.

        Under examples stands also how much of the images lies below. Raises `PellucidError` for pictures of other than
        one or three channels.
        """
        cells = {column.name: _cells(column) for column in self.columns}
        empty = {column.name: column.note for column in self.columns}
        title = f"{self.about['network']} {self.unit}" if "network" in self.about else self.unit
        return labelled_sheet(title, cells, empty=empty, notes=self.notes)

    def save(self, path: Path | str) -> None:
        """Write the sheet to a `.png`, `.webp` or `.jpg` file; a PNG also holds the numbers, as its metadata."""
        columns = [
            {
                "name": column.name,
                "activations": [round(value, 6) for value in column.values.tolist()],
                "images": list(column.numbers),
                "below": [round(share, 6) for share in column.below],
                "note": column.note,
            }
            for column in self.columns
        ]
        about = {**self.about, "unit": self.unit, "columns": columns, "notes": list(self.notes)}
        pictures.save(Path(path), self.sheet(), about)


def unit_spectrum(
    network: Network,
    unit: Objective | str,
    images: ImageSource,
    *,
    count: int = 4,
    seeds: Sequence[int] = (0,),
    batch: int = 32,
    progress: bool = False,
    **rendering: Any,
) -> Spectrum:
    """The spectrum of a unit over images (Feature Visualization, Distill 2017, "The spectrum of activation").

    `unit` is `"layer:unit"` or any objective of one picture; a channel's activation is the mean over its map. `images`
    is a tensor (N, C, H, W) in [0, 1] or batches of such, of one size, gone through once. `count` examples are taken
    of the lowest activation (minimum) and of the highest (maximum), and on each side of 0 those nearest to it
    (slightly negative, slightly positive; 0 itself belongs to neither). Where a side has few images or none, an image
    may stand in two columns. One picture is optimized down and one up for each of `seeds`; `rendering` goes
    to `render` (`steps`, `size`, ...). `progress` shows bars on standard error.

    A unit that is never negative, as behind a rectifier, has an empty column of slightly negative examples, and an
    empty one of optimized negatives unless a picture below 0 was found; both say so. Raises `ImagesError` if there are
    fewer than `count` images.
    """
    objective = (parse(unit) if isinstance(unit, str) else unit).resolve(network)
    if objective.pictures != 1:
        raise ObjectiveError(f"a spectrum is of an objective of one picture; {objective} is of {objective.pictures}")
    if count < 1 or not seeds:
        raise ObjectiveError(f"count = {count} must be at least 1, and there must be a seed at least")
    objective.check(network)
    values, lists = _examples(network, objective, images, count, batch, progress)
    examples = {name: _column(name, lists[name], values) for name in lists}
    with warnings.catch_warnings():
        # A unit that nothing drives down is no surprise here: its column says so.
        warnings.filterwarnings("ignore", "no gradient came")
        down, up = (
            render(network, [aim] * len(seeds), seed=list(seeds), progress=progress, **rendering)
            for aim in (-objective, objective)
        )
    lowest = _optimized(NAMES[0], down, 0.0 - down.values, down.values > 0)  # without a negative zero
    notes = []
    if not len(lowest) and not len(examples["slightly negative"]):
        notes.append(_RECTIFIED)
    if not bool(values.any()):
        notes.append(_FLAT)
    silent = torch.zeros(len(seeds), dtype=torch.bool)
    silent[list(up.silent)] = True
    highest = _optimized(NAMES[5], up, up.values, ~silent | (up.values > 0))
    columns = (lowest, *(examples[name] for name in NAMES[1:5]), highest)
    about = {
        **{key: value for key, value in up.about.items() if key not in ("objectives", "values")},
        "network": network.name,
        "of": len(values),
        "lowest": float(values.min()),
        "highest": float(values.max()),
    }
    return Spectrum(str(objective), columns, tuple(notes), about)


def _examples(
    network: Network, objective: Objective, images: ImageSource, count: int, batch: int, progress: bool
) -> tuple[Tensor, dict[str, Shortlist]]:
    """The values of all images, and the images of each column."""
    lists = {name: Shortlist(count) for name in NAMES[1:5]}
    found: list[Tensor] = []
    seen = 0
    with progress_bar("reading images", count_of(images), shown=progress) as advance:
        for part in batches(images, batch):
            values = objective(observe(network, part, objective.layers)).double().cpu()
            refuse_nan(values, objective, seen)
            numbers = torch.arange(seen, seen + len(part))
            never = torch.full_like(values, -torch.inf)
            keys = (-values, torch.where(values < 0, values, never), torch.where(values > 0, -values, never), values)
            for kept, key in zip(lists.values(), keys, strict=True):
                kept.offer(key, images=part, numbers=numbers, values=values)
            found.append(values)
            seen += len(part)
            advance(len(part))
    if seen < count:
        raise ImagesError(f"count = {count} is more than the {seen} images there are; give more images or lower it")
    return torch.cat(found), lists


def _optimized(name: str, rendering: Rendering, values: Tensor, good: Tensor) -> Column:
    """The pictures that are what the column says, the most telling first."""
    order = rendering.values.argsort(descending=True, stable=True)
    order = order[good[order]]
    reached = float(values[rendering.values.argmax()])
    which = "not negative" if name.endswith("negative") else "and no gradient comes to the picture"
    note = "" if len(order) else f"none: the optimization came to {reached:.3g}, {which}"
    return Column(name, rendering.images[order], values[order], note=note)


def _column(name: str, kept: Shortlist, values: Tensor) -> Column:
    own = kept.rows["values"]
    below = tuple(float((values < value).double().mean()) for value in own)
    side = "below" if name.endswith("negative") else "above"
    note = (
        "" if len(kept) else f"none: no image is {side} 0; the values run from {values.min():.3g} to {values.max():.3g}"
    )
    return Column(name, kept.rows["images"], own, tuple(kept.rows["numbers"].tolist()), below, note)


def _cells(column: Column) -> list[Cell]:
    pixels = pictures.to_pixels(column.images.detach().cpu()) if len(column) else []
    captions = [f"{value:.3g}" for value in column.values.tolist()]
    if column.below:
        captions = [f"{text} (above {share:.0%})" for text, share in zip(captions, column.below, strict=True)]
    return [Cell(Image.fromarray(picture), text) for picture, text in zip(pixels, captions, strict=True)]
