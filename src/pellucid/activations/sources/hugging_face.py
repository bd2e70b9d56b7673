"""Data sets of the package `datasets` of Hugging Face."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from pellucid.activations.decode import convert_image, open_image
from pellucid.activations.pillow_warnings import quiet_pillow
from pellucid.activations.sources.labels import Labels, find_labels
from pellucid.activations.sources.numbered import NumberedSource
from pellucid.activations.sources.source import about_source
from pellucid.errors import ImagesError
from pellucid.study import digest

HUGGING_FACE = "hf:"
_LABELS = ("label", "labels", "class", "target")


@dataclass(frozen=True, eq=False)
class HuggingFaceSource(NumberedSource):
    """The rows of a `datasets.Dataset` that has one column of images. Names are the rows' numbers, in eight digits."""

    column: str

    def open(self, index: int, channels: int = 3) -> Image.Image:
        """An image, decoded from its bytes or its file."""
        name = self.name(index)
        try:
            cell = self.dataset[index][self.column]
        except (OSError, ValueError) as error:  # of the disk or of Arrow
            raise ImagesError(f"{name}: {' '.join(str(error).split())}") from error
        content = cell and (cell["bytes"] if cell["bytes"] is not None else cell["path"])
        if not content:
            raise ImagesError(f"{name}: the row has no image")
        if isinstance(content, str) and "://" in content:  # in an archive, or on another machine
            return convert_image(_fetched(cell, name), channels, name=name)
        return open_image(content, channels, name=name)


def open_hugging_face(where: Any, labels: str | None = None) -> HuggingFaceSource:
    """The images of a `datasets.Dataset`, or of what `hf:PATH[:SPLIT]` names.

    PATH is a folder that `save_to_disk` wrote, or what `datasets.load_dataset` takes. If it has several splits, one
    must be named. There must be one column of type `Image`. The class is in the column of type `ClassLabel` (`label`
    if there are several), whose order of classes is kept, or else in one of whole numbers or strings called `label`,
    `labels`, `class` or `target`.

    Raises `ImagesError` if the package is missing, or the data set cannot be opened or has no such column.
    """
    datasets = _package()
    place, more = "a data set handed over by a program", {"handed": True}
    if isinstance(where, str):
        place, where = _loaded(datasets, where)
        more = {}
    elif isinstance(where, dict):
        _, where = _split(where, None, place)
    if not isinstance(where, datasets.Dataset):
        raise ImagesError(
            f"a {type(where).__name__} has no numbered images; load it without streaming, or save it with save_to_disk"
        )
    columns = [name for name, kind in where.features.items() if isinstance(kind, datasets.Image)]
    if len(columns) != 1:
        named = ", ".join(f"{name} ({type(kind).__name__})" for name, kind in where.features.items())
        raise ImagesError(f"{place} has {len(columns)} columns of images, not one: {named}; see select_columns")
    if not len(where):
        raise ImagesError(f"{place} has no rows")
    plain = where.with_format(None).cast_column(columns[0], datasets.Image(decode=False))
    classes = find_labels(labels, [f"{index:08d}" for index in range(len(plain))], _labels(datasets, plain))
    # The fingerprint stands for the contents: to measure each image, all would have to be read.
    about = about_source("hf", place, len(plain), digest([where._fingerprint, len(plain)]), classes, **more)
    return HuggingFaceSource(about, classes, (), plain.select_columns(columns), columns[0])


def _package() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise ImagesError("data sets of Hugging Face need the package 'datasets': pip install datasets") from error
    return datasets


def _loaded(datasets: Any, where: str) -> tuple[str, Any]:
    """The data set that an address names, and the address in full."""
    path, split = where.removeprefix(HUGGING_FACE), None
    if not Path(path).exists() and ":" in path:
        path, _, split = path.rpartition(":")
    folder = Path(path)
    if folder.exists():
        path = str(folder.resolve())
    elif folder.is_absolute() or path.startswith("."):
        raise ImagesError(f"no folder {path}; give hf:PATH[:SPLIT], of a data set that save_to_disk wrote")
    saved = (folder / "state.json").exists() or (folder / "dataset_dict.json").exists()
    try:
        found = datasets.load_from_disk(path) if saved else datasets.load_dataset(path, split=split)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise ImagesError(f"{where} cannot be opened: {' '.join(str(error).split())}") from error
    if isinstance(found, dict):
        split, found = _split(found, split, where)
    elif saved and split:
        raise ImagesError(f"{path} has no splits; leave :{split} out")
    return f"{HUGGING_FACE}{path}" + (f":{split}" if split else ""), found


def _split(splits: dict[str, Any], split: str | None, where: str) -> tuple[str, Any]:
    if split is None and len(splits) == 1:
        split = next(iter(splits))
    if split not in splits:
        wanted = "several splits" if split is None else f"no split {split!r}"
        raise ImagesError(f"{where} has {wanted}; it has {', '.join(map(repr, splits))}: name one (hf:PATH:SPLIT)")
    return split, splits[split]


def _labels(datasets: Any, rows: Any) -> Labels | None:
    kinds = {name: kind for name, kind in rows.features.items() if isinstance(kind, datasets.ClassLabel)}
    if kinds:
        column = "label" if "label" in kinds else next(iter(kinds))
        numbers = [-1 if number is None else number for number in rows[column]]
        return Labels.counted("own", kinds[column].names, numbers)
    for column in _LABELS:
        kind = getattr(rows.features.get(column), "dtype", "")
        if "int" in kind or kind in ("string", "large_string"):
            return Labels.of("own", (None if label is None else str(label) for label in rows[column]))
    return None


def _fetched(cell: dict[str, Any], name: str) -> Image.Image:
    try:
        with quiet_pillow:
            return _package().Image().decode_example(cell)
    except Exception as error:  # of a decoder or of any file system that fsspec knows
        raise ImagesError(f"{name}: {' '.join(str(error).split()) or type(error).__name__}") from error
