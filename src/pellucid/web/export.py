"""A study as plain files: the same page with its data, for any web server and any of its folders."""

import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pellucid.errors import StudyError
from pellucid.study import read_catalog, write_json, writing
from pellucid.study.files import read_json
from pellucid.web.page import study_files, viewer_files

_MARK = ".pellucid-export.json"  # lists what an export wrote, so that the next one may replace it
_FORMAT = 1


def export(root: Path, target: Path, *, static: Path | None = None) -> Path:
    """Write the page and the data of a study into a folder, and return that folder.

    Labelling tasks are left out: they need `pellucid serve`. `target` is a new or empty folder or an earlier export,
    which is brought up to date: files that the study no longer has are removed, files of others are left alone. The
    page comes after its data, and an export that was interrupted can be repeated. `static` is the folder of the built
    page, by default the package's own. Raises `StudyError` if `root` holds no study, if the page was never built, if a
    file of the study is missing, or if `target` holds anything else.
    """
    catalog = replace(read_catalog(root), labels=())  # nobody would keep the answers
    data = study_files(root, catalog.files)
    missing = sorted({*catalog.files} - {*data})
    if missing:
        raise StudyError(f"the study in {root} lists {missing[0]!r}, which is not in it; make what it belongs to again")
    earlier = _earlier_files(target)
    page = viewer_files(static)
    files = {"data/catalog.json", *(f"data/{name}" for name in data), *page}
    _write_mark(target, files | earlier)
    for name, source in data.items():
        _copy(source, target / "data" / name)
    write_json(target / "data" / "catalog.json", catalog.public())
    # The page last: whoever opens a half-written export sees the one before it.
    for name in sorted(page, key=lambda name: (name == "index.html", name)):
        _copy(page[name], target / name)
    for name in sorted(earlier - files):
        _remove(target, name)
    _write_mark(target, files)
    return target


def _earlier_files(target: Path) -> set[str]:
    """What an earlier export wrote into the target. Raises `StudyError` if something else is there."""
    if target.exists() and not target.is_dir():
        raise StudyError(f"{target} is a file; an export is a folder")
    if not (target / _MARK).is_file():
        if target.is_dir() and any(entry.name != f".{_MARK}.partial" for entry in target.iterdir()):
            raise StudyError(f"{target} is not empty and is no earlier export; choose an empty or a new folder")
        return set()
    mark = read_json(target / _MARK)
    files = mark.get("files") if isinstance(mark, dict) else None
    if not isinstance(files, list):
        raise StudyError(f"{target / _MARK} is not the list of an export; choose an empty or a new folder")
    return {str(name) for name in files}


def _write_mark(target: Path, files: set[str]) -> None:
    write_json(target / _MARK, {"format": _FORMAT, "files": sorted(files)})


def _copy(source: Path, destination: Path) -> None:
    with writing(destination) as temporary:
        shutil.copyfile(source, temporary)


def _remove(target: Path, name: str) -> None:
    """Remove a file that an earlier export wrote, and the folders that it leaves empty."""
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return  # no export wrote such a name
    path = target / name
    try:
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == target or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()
    except OSError as error:
        raise StudyError(f"cannot remove {path}, which an earlier export wrote: {error.strerror or error}") from error
