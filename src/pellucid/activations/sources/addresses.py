"""From an address, or whatever else has images, to a source; and back to it from a study."""

from pathlib import Path
from typing import Any

from pellucid.activations.sources.folder import open_folder
from pellucid.activations.sources.hugging_face import HUGGING_FACE, open_hugging_face
from pellucid.activations.sources.list_file import LIST_ENDINGS, open_list, open_paths
from pellucid.activations.sources.source import Source
from pellucid.activations.sources.tar_shards import is_tar, open_tars
from pellucid.activations.sources.torchvision_dataset import TORCHVISION, open_dataset
from pellucid.errors import ImagesError


def open_source(where: Any, *, labels: str | Path | None = None) -> Source:
    """Open images, wherever they are.

    `where` is an address (see the package), a list of paths, a `datasets.Dataset`, a data set of torchvision or of the
    same form, or a `Source`. `labels` says what the classes are: "folders" (the first folder below the source), "names"
    (a file's name up to its first `_`), "own" (what the source itself says), a CSV file with the columns path and
    label, or "none". By default the source's own, else the folders if every image lies in one and there are at least
    two, else none.

    Raises `ImagesError` if there are no images, or no such labels.
    """
    mode = None if labels is None else str(labels)
    if isinstance(where, Source):
        if mode not in (None, where.labels.mode):
            raise ImagesError(f"the source is open, with labels = {where.labels.mode!r}; open it anew with {mode!r}")
        return where
    if isinstance(where, str | Path):
        return _of_address(str(where), mode)
    if isinstance(where, list | tuple):
        return open_paths(where, mode)
    if type(where).__module__.partition(".")[0] == "datasets":
        return open_hugging_face(where, mode)
    if hasattr(where, "__getitem__") and hasattr(where, "__len__"):
        return open_dataset(where, mode)
    raise ImagesError(f"a {type(where).__name__} is no source of images; give a folder, a list or a data set")


def reopen(about: dict[str, Any], where: Any = None) -> Source:
    """Open the source again that `describe` told of, at the same place or at `where`.

    Raises `ImagesError` if it has gone, or holds other images than it did.
    """
    if where is None:
        if about.get("handed"):
            raise ImagesError(f"the images were {about['source']}, which cannot be found again; hand it over anew")
        root = about.get("source")
        where = [Path(str(root)) / path for path in about["paths"]] if "paths" in about else root
    if where is None:
        raise ImagesError("nothing says where the images are")
    try:
        source = open_source(where, labels=None if isinstance(where, Source) else about.get("labels"))
    except ImagesError as error:
        raise ImagesError(f"the images of the study cannot be opened again: {error}") from error
    _refuse_other(about, source)
    return source


def _of_address(where: str, labels: str | None) -> Source:
    if where.startswith(HUGGING_FACE):
        return open_hugging_face(where, labels)
    if where.startswith(TORCHVISION):
        return open_dataset(where, labels)
    path = Path(where).expanduser()
    if path.is_dir():
        return open_folder(path, labels)
    if is_tar(where):
        return open_tars(str(path), labels)
    if path.suffix.lower() in LIST_ENDINGS and path.is_file():
        return open_list(path, labels)
    if path.is_file():
        raise ImagesError(
            f"{where} is a file; give a folder of photographs, a list (.txt, .lst, .csv) or tar files (.tar)"
        )
    return open_folder(path, labels)  # which says that it is not there


def _refuse_other(about: dict[str, Any], source: Source) -> None:
    now = source.describe()
    for key, title in (
        ("count", "images"),
        ("digest", "digest of names and sizes"),
        ("labels_digest", "sha256 of labels"),
    ):
        if key in about and about[key] != now.get(key):
            raise ImagesError(
                f"{now['source']} has changed since the study was made: its {title}, then {about[key]}, is "
                f"{now.get(key)} now; put the images back as they were, or harvest into another study"
            )
