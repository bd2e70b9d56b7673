"""Data sets of torchvision, and others of the same form: `dataset[index]` is a picture and its class."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from pellucid.activations.decode import convert_image
from pellucid.activations.pillow_warnings import quiet_pillow
from pellucid.activations.sources.files import FileSource
from pellucid.activations.sources.labels import Labels, find_labels
from pellucid.activations.sources.list_file import digest_of_files
from pellucid.activations.sources.names import Names
from pellucid.activations.sources.numbered import NumberedSource
from pellucid.activations.sources.source import Source, about_source
from pellucid.errors import ImagesError, did_you_mean
from pellucid.study import digest

TORCHVISION = "torchvision:"
_FORM = "torchvision:NAME:ROOT[:SPLIT]"


@dataclass(frozen=True, eq=False)
class DatasetSource(NumberedSource):
    """The pictures of a data set that decodes them itself. Names are their numbers, in eight digits."""

    def open(self, index: int, channels: int = 3) -> Image.Image:
        """A picture, as the data set decodes it."""
        name = self.name(index)
        try:
            with quiet_pillow:
                item = self.dataset[index]
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            raise ImagesError(f"{name}: {' '.join(str(error).split())}") from error
        picture = item[0] if isinstance(item, tuple | list) else item
        if not isinstance(picture, Image.Image):
            raise ImagesError(f"{name}: the data set gives a {type(picture).__name__}, not a picture of PIL")
        return convert_image(picture, channels, name=name)


def open_dataset(where: Any, labels: str | None = None) -> Source:
    """The pictures of a data set, or of what `torchvision:NAME:ROOT[:SPLIT]` names; nothing is downloaded.

    NAME is a class of `torchvision.datasets` and ROOT its folder; SPLIT goes to its `split`, `image_set` or `train`
    (train or test). A data set must be without transforms, for a source gives the same picture each time. The class is
    in its `targets` or `labels`, named by its `classes`; the order of these is kept. Files of an `ImageFolder` are
    decoded by `open_image`.

    Raises `ImagesError` if there is no such data set or folder.
    """
    place, more = f"a {type(where).__name__} handed over by a program", {"handed": True}
    if isinstance(where, str):
        place, where = _made(where)
        more = {}
    if not len(where):
        raise ImagesError(f"{place} is empty")
    _refuse_transforms(where)
    count, targets = len(where), _targets(where)
    own = _labels(targets, getattr(where, "classes", ())) if targets else None
    if files := _files(where):
        root = Path(where.root).absolute()
        names = Names(Path(file).absolute().relative_to(root).as_posix() for file in files)
        classes = find_labels(labels, names, own)
        about = about_source("torchvision", place, count, digest_of_files(root, names), classes, **more)
        return FileSource(about, classes, (), root, names)
    classes = find_labels(labels, [f"{index:08d}" for index in range(count)], own)
    about = about_source("torchvision", place, count, digest([type(where).__name__, count, targets]), classes, **more)
    return DatasetSource(about, classes, (), where)


def _made(where: str) -> tuple[str, Any]:
    """The data set that an address names, and the address in full."""
    try:
        from torchvision import datasets
    except ImportError as error:
        raise ImagesError("data sets of torchvision need the package 'torchvision': pip install torchvision") from error
    name, _, root = where.removeprefix(TORCHVISION).partition(":")
    split = None
    if not Path(root).exists() and ":" in root:
        root, _, split = root.rpartition(":")
    parameters = _parameters(getattr(datasets, name, None))
    if "root" not in parameters:
        raise ImagesError(f"torchvision has no data set {name!r}{did_you_mean(name, datasets.__all__)} ({_FORM})")
    if not root or not Path(root).is_dir():
        raise ImagesError(f"no folder {root!r}; give {_FORM}, with the folder that has the data set")
    chosen = (
        {"root": root} | ({"download": False} if "download" in parameters else {}) | _chosen(split, parameters, name)
    )
    try:
        dataset = getattr(datasets, name)(**chosen)
    except (OSError, RuntimeError, ValueError, TypeError, ImportError) as error:
        text = " ".join(str(error).split()).replace(" You can use download=True to download it", "")
        raise ImagesError(f"torchvision's {name} cannot be opened in {root}: {text}") from error
    return f"{TORCHVISION}{name}:{Path(root).resolve()}" + (f":{split}" if split else ""), dataset


def _parameters(kind: Any) -> Sequence[str]:
    return tuple(inspect.signature(kind).parameters) if inspect.isclass(kind) else ()


def _chosen(split: str | None, parameters: Sequence[str], name: str) -> dict[str, Any]:
    if split is None:
        return {}
    for parameter in ("split", "image_set"):
        if parameter in parameters:
            return {parameter: split}
    if "train" not in parameters or split not in ("train", "test"):
        splits = "train and test" if "train" in parameters else "no splits"
        raise ImagesError(f"torchvision's {name} has {splits}, not {split!r}")
    return {"train": split == "train"}


def _refuse_transforms(dataset: Any) -> None:
    while dataset is not None:
        if any(getattr(dataset, name, None) is not None for name in ("transform", "target_transform", "transforms")):
            raise ImagesError(
                f"the {type(dataset).__name__} has transforms, but a source gives the same whole picture each time; "
                "make it without them (transform=None)"
            )
        dataset = getattr(dataset, "dataset", None)  # of which it is a part


def _files(dataset: Any) -> list[str]:
    """The paths of a data set that only opens image files."""
    from torchvision.datasets import DatasetFolder
    from torchvision.datasets.folder import default_loader

    if not isinstance(dataset, DatasetFolder) or dataset.loader is not default_loader:
        return []
    return [path for path, _ in dataset.samples]


def _targets(dataset: Any) -> list[int] | list[str] | None:
    """The classes of all pictures, where a data set says them without opening the pictures."""
    if hasattr(dataset, "dataset") and hasattr(dataset, "indices"):  # a torch.utils.data.Subset
        whole = _targets(dataset.dataset)
        return whole and [whole[index] for index in dataset.indices]
    for name in ("targets", "labels", "_labels"):
        found: Any = getattr(dataset, name, None)
        found = found.tolist() if hasattr(found, "tolist") else found  # an array or a tensor
        if isinstance(found, list) and len(found) == len(dataset):
            for kind in (int, str):
                if all(isinstance(target, kind) for target in found):
                    return found
    return None


def _labels(targets: list[int] | list[str], classes: Sequence[Any]) -> Labels:
    numbers = [target for target in targets if isinstance(target, int)]
    if len(numbers) == len(targets) and min(numbers) >= -1 and max(numbers) < len(classes):
        return Labels.counted("own", [_text(name) for name in classes], numbers)
    return Labels.of("own", map(str, targets))


def _text(name: Any) -> str:
    return ", ".join(name) if isinstance(name, tuple) else str(name)  # ImageNet names a class by its synonyms
