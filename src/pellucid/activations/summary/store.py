"""Summaries on disk: one archive of arrays for each tap of a layer, and a record that says what they are of."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.summary.summary import Summary
from pellucid.errors import StudyError, SummaryError
from pellucid.study import Study, write_json, writing
from pellucid.study.files import read_record

_FORMAT = 1


@dataclass(frozen=True)
class LayerRecord:
    """What a finished harvest says of one layer: `summaries/LAYER/summary.json`.

    A map has `rows` x `columns` positions; a layer of vectors has one, tokens without a grid stand in one row. `field`
    is the receptive field of a position in pixels of the `input` (height, width): `size`, `offset`, `stride` and
    `whole`, each (vertical, horizontal), None where a unit has no place. `taps` are the sides of its rectifier that
    there are summaries of; `config` is what made them. `classes` are the names of the source's labels.
    """

    layer: str
    units: int
    rows: int
    columns: int
    taps: tuple[str, ...]
    input: tuple[int, int]
    field: dict[str, Any] | None
    images: int
    items: int
    classes: tuple[str, ...]
    config: dict[str, Any]
    format: int = _FORMAT

    @property
    def rectified(self) -> bool:
        """Whether the layer's output comes out of a rectifier."""
        return "pre" in self.taps

    @property
    def seed(self) -> int:
        """The seed of the random samples."""
        return self.config["seed"]

    @classmethod
    def read(cls, folder: Path) -> "LayerRecord":
        """Read `summary.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        path = folder / "summary.json"
        content = read_record(path, _FORMAT, "the record of a summary")
        try:
            lists = {name: tuple(content[name]) for name in ("taps", "input", "classes")}
            return cls(**{**content, **lists})
        except (TypeError, KeyError) as error:
            raise StudyError(f"{path} is not the record of a summary: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `summary.json` into a folder: from then on the layer is finished."""
        write_json(folder / "summary.json", asdict(self))


def summary_folder(study: Study, layer: str) -> Path:
    """Where a layer's summaries lie."""
    return study.path / "summaries" / layer


def summarized(study: Study) -> list[str]:
    """The layers that a study has summaries of."""
    return sorted(path.parent.name for path in (study.path / "summaries").glob("*/summary.json"))


def layer_record(study: Study, layer: str) -> LayerRecord:
    """What a study's summary of a layer is of. Raises `StudyError` if there is none."""
    folder = summary_folder(study, layer)
    if not (folder / "summary.json").is_file():
        have = summarized(study)
        others = f"; it has {', '.join(have)}" if have else ""
        raise StudyError(
            f"the study in {study.path} has no finished summary of layer {layer!r}{others}; make one with "
            f"'pellucid harvest NETWORK --images DIR --layer {layer} -o {study.path}'"
        )
    return LayerRecord.read(folder)


def taps(study: Study, layer: str) -> tuple[str, ...]:
    """The taps that a study has of a layer: `post`, its output, and `pre`, in front of its rectifier."""
    return layer_record(study, layer).taps


def read_summary(study: Study, layer: str, tap: str = "post") -> Summary:
    """A layer's summary, of its output (`post`) or of what its rectifier was given (`pre`).

    Raises `StudyError` if the study has none.
    """
    record = layer_record(study, layer)
    if tap not in record.taps:
        raise StudyError(
            f"layer {layer!r} has no summary of {tap!r}, only of {', '.join(map(repr, record.taps))}"
            + ("; its output does not come out of a rectifier" if tap == "pre" else "")
        )
    path = summary_folder(study, layer) / f"{tap}.npz"
    try:
        with path.open("rb") as file, np.load(file) as archive:
            return Summary.from_arrays({name: archive[name] for name in archive.files})
    except (OSError, ValueError, SummaryError, zipfile.BadZipFile) as error:
        raise StudyError(f"{path} cannot be read: {error}; harvest the layer again") from error


def write_summary(study: Study, layer: str, tap: str, summary: Summary) -> None:
    """Write a layer's summary of one tap."""
    path = summary_folder(study, layer) / f"{tap}.npz"
    with writing(path) as temporary, temporary.open("wb") as file:
        write_arrays(file, summary.arrays().items(), level=1)


def write_arrays(file: Any, arrays: Iterable[tuple[str, NDArray[Any]]], *, level: int = 0) -> None:
    """Write named arrays as an .npz archive one after the other; the same arrays always give the same bytes.

    `file` is open for writing bytes; `level` is that of the compression of whole numbers, 0 for none. Others hardly
    get smaller.
    """
    with zipfile.ZipFile(file, "w", compresslevel=level or None) as archive:
        for name, array in arrays:
            entry = zipfile.ZipInfo(f"{name}.npy")
            packed = level > 0 and np.issubdtype(np.asanyarray(array).dtype, np.integer)
            entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def named(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Arrays under names of their own among those of others."""
    return ((f"{prefix}|{name}", array) for name, array in arrays.items())
