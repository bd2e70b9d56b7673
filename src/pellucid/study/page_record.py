"""The records of pages: results that are a page of their own in the viewer.

`pages/KIND/NAME/page.json` holds one `PageRecord`; its files lie beside it.
"""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import read_record, write_json
from pellucid.study.manifest import Study

PAGE = "page.json"
KINDS = ("image", "patch", "histogram", "networks")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


@dataclass(frozen=True)
class PageRecord:
    """A page: its kind, one of `KINDS`, its title, the files that belong to it, and what its kind has to say."""

    kind: str
    title: str
    files: tuple[str, ...]
    content: dict[str, Any]
    config: dict[str, Any]
    format: int = 1

    @classmethod
    def read(cls, folder: Path) -> "PageRecord":
        """Read `page.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        path = folder / PAGE
        content = read_record(path, cls.format, "the record of a page")
        try:
            record = cls(**{**content, "files": tuple(content["files"])})
        except (TypeError, KeyError) as error:
            raise StudyError(f"{path} is not the record of a page: {error}") from None
        if record.kind not in KINDS or not isinstance(record.content, dict):
            raise StudyError(f"{path} is not the record of a page: its kind is {record.kind!r}")
        return record

    @classmethod
    def kept(cls, folder: Path, stamp: str) -> "PageRecord | None":
        """The page that a folder has, if what made it has this stamp (`config["stamp"]`)."""
        record = cls.read(folder) if (folder / PAGE).exists() else None
        return record if record is not None and record.config.get("stamp") == stamp else None

    def write(self, folder: Path) -> None:
        """Write `page.json` into a folder."""
        write_json(folder / PAGE, asdict(self))


def six_digits(value: Any) -> float:
    """A number as a page says it."""
    return float(f"{float(value):.6g}")


def page_folder(study: Study, kind: str, name: str) -> Path:
    """Where a page lies. Raises `StudyError` for a name that is no plain folder name."""
    if not _NAME.fullmatch(name):
        raise StudyError(f"{name!r} cannot be the name of a page: give letters, digits and . _ @ + -")
    return study.path / "pages" / kind / name


def pages(study: Study) -> list[tuple[str, str, PageRecord]]:
    """The finished pages of a study: kind, name, record."""
    found = sorted((study.path / "pages").glob(f"*/*/{PAGE}"))
    return [(path.parent.parent.name, path.parent.name, PageRecord.read(path.parent)) for path in found]
