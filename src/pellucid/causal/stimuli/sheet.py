"""The stimuli of an experiment in one picture, for their makers to look at: it tells which query is which."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pellucid.activations.contact_sheet import Cell, Line, contact_sheet
from pellucid.errors import ImagesError
from pellucid.pictures import Pixels, sheet
from pellucid.study.experiments import Query, Stimuli, Stimulus
from pellucid.study.experiments.stimuli import picture_path

_COLUMNS = 3  # of a grid of references


def stimuli_sheet(folder: Path | str, *, roles: Sequence[str] = ("main",), side: int = 160) -> Image.Image:
    """Draw the stimuli of some roles, a row each: base, larger and smaller query, and each condition's references.

    `side` is that of a picture in pixels; references are a grid of smaller ones. Raises `ImagesError` if there are no
    stimuli of these roles.
    """
    folder = Path(folder)
    stimuli = Stimuli.read(folder)
    chosen = stimuli.of_role(*roles)
    if not chosen:
        raise ImagesError(f"the experiment {stimuli.name} has no stimuli for {', '.join(roles)}")
    lines = [_line(folder, stimuli, one, side) for one in chosen]
    return contact_sheet(f"{stimuli.name}: {stimuli.network}, {stimuli.task}", lines)


def _line(folder: Path, stimuli: Stimuli, one: Stimulus, side: int) -> Line:
    queries = [("base", one.base), ("larger", one.larger), ("smaller", one.smaller)]
    cells = [_query(folder, name, query, side) for name, query in queries if query is not None]
    for kind, by_condition in (("", one.references), ("least: ", one.minimal)):
        for condition in stimuli.conditions:
            if by_condition.get(condition):
                cells.append(_grid(folder, kind + condition, by_condition[condition], side))
    difference = one.relative_difference
    told = "" if difference is None else f", relative difference {difference:.2f}"
    return Line(f"{one.address}, {one.role}, image set {one.image_set}{told}", cells)


def _query(folder: Path, name: str, query: Query, side: int) -> Cell:
    return Cell((_small(folder, query.picture, side),), (f"{name} {query.activation:.4g}",))


def _grid(folder: Path, name: str, pictures: Sequence[str], side: int) -> Cell:
    some = [_small(folder, picture, side // _COLUMNS - 2) for picture in pictures]
    return Cell((sheet(some, _COLUMNS, gap=2, background=255),), (name,))


def _small(folder: Path, picture: str, side: int) -> Pixels:
    with Image.open(picture_path(folder, picture)) as image:
        return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))
