"""What a study holds for people to see: the one list that the server and the exporter go by."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.study.manifest import Study
from pellucid.study.records import AtlasRecord


@dataclass(frozen=True)
class Catalog:
    """The results of a study and the files that a browser may ask for, relative to the study's folder."""

    study: dict[str, Any]
    atlases: tuple[dict[str, Any], ...]
    files: tuple[str, ...]

    def public(self) -> dict[str, Any]:
        """What `catalog.json` tells the browser."""
        return {"format": 1, "study": self.study, "atlases": list(self.atlases)}


def read_catalog(path: Path | str) -> Catalog:
    """List the finished results of a study. Raises `StudyError` if the folder holds no study."""
    study = Study.open(path)
    atlases: list[dict[str, Any]] = []
    files: list[str] = []
    for record_file in sorted((study.path / "atlas").glob("*/atlas.json")):
        folder = record_file.parent
        record = AtlasRecord.read(folder)
        prefix = f"atlas/{folder.name}"
        atlases.append({"name": folder.name, "layer": record.layer, "url": f"{prefix}/atlas.json"})
        files += [f"{prefix}/{name}" for name in record.files()]
    about = {
        "name": study.path.resolve().name,
        "network": study.manifest.network.get("name", ""),
        "images": study.manifest.images.get("count", 0),
    }
    return Catalog(about, tuple(atlases), tuple(files))
