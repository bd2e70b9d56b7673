"""The records of a gallery: pictures of units in a study, with everything that made them.

`visualizations/NAME/gallery.json` holds one `GalleryRecord`. Each of its pictures is a PNG file beside it, which holds
its own configuration and trace as well.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import read_record, write_json
from pellucid.study.manifest import Study


@dataclass(frozen=True)
class PictureRecord:
    """One picture: what it was optimized for, from which seed, and what came of it."""

    objective: str
    seed: int
    file: str
    value: float  # of the objective on the picture, before it was rounded to 8 bits
    index: int = 0  # among the pictures of its objective
    silent: bool = False  # no gradient came to it: it shows nothing of its objective
    snapshots: dict[str, str] = field(default_factory=dict)  # steps -> file
    movie: str = ""
    ceiling: bool = False  # it started as high as its objective goes, so no gradient came to it


@dataclass(frozen=True)
class GalleryRecord:
    """Pictures of one configuration; sheets show them together, in their order."""

    config: dict[str, Any]
    pictures: tuple[PictureRecord, ...] = ()
    sheets: tuple[str, ...] = ()
    format: int = 1

    @classmethod
    def read(cls, folder: Path) -> "GalleryRecord":
        """Read `gallery.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        path = folder / "gallery.json"
        content = read_record(path, cls.format, "the record of a gallery")
        try:
            pictures = tuple(PictureRecord(**picture) for picture in content["pictures"])
            return cls(**{**content, "pictures": pictures, "sheets": tuple(content["sheets"])})
        except (TypeError, KeyError) as error:
            raise StudyError(f"{path} is not the record of a gallery: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `gallery.json` into a folder."""
        write_json(folder / "gallery.json", asdict(self))

    def differing(self, config: dict[str, Any]) -> list[str]:
        """The parts in which another configuration differs."""
        keys = sorted({*self.config, *config})
        return [key for key in keys if self.config.get(key) != config.get(key)]


def gallery_folder(study: Study, name: str) -> Path:
    """Where the gallery of a name lies. Raises `StudyError` for a name that is no plain folder name."""
    if not name or name.startswith(".") or any(sign in name for sign in '/\\:*?"<>|'):
        raise StudyError(f"{name!r} cannot be the name of a gallery: give a plain folder name")
    return study.path / "visualizations" / name


def galleries(study: Study) -> list[str]:
    """The names of a study's galleries."""
    return sorted(path.parent.name for path in (study.path / "visualizations").glob("*/gallery.json"))
