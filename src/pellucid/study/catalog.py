"""What a study holds for people to see: the one list that the server and the exporter go by."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.study.found_record import FOUND, found_in
from pellucid.study.gallery import GalleryRecord, galleries, gallery_folder
from pellucid.study.label_record import label_tasks
from pellucid.study.manifest import Study
from pellucid.study.page_record import PAGE
from pellucid.study.page_record import pages as pages_of
from pellucid.study.records import AtlasRecord
from pellucid.study.records import atlases as atlases_of
from pellucid.study.unit_pages import layers_with_pages
from pellucid.study.unit_record import INDEX, LayerPages, unit_folder


@dataclass(frozen=True)
class Catalog:
    """The results of a study and the files that a browser may ask for, relative to the study's folder.

    The pictures of labelling tasks, `labels`, are not among the files: only a server that keeps answers gives them.
    `curves` is what a search for curve detectors found, None where there was none.
    """

    study: dict[str, Any]
    atlases: tuple[dict[str, Any], ...]
    files: tuple[str, ...]
    units: tuple[dict[str, Any], ...] = ()
    galleries: tuple[dict[str, Any], ...] = ()
    labels: tuple[dict[str, Any], ...] = ()
    curves: dict[str, Any] | None = None
    pages: tuple[dict[str, Any], ...] = ()

    def public(self) -> dict[str, Any]:
        """What `catalog.json` tells the browser."""
        return {
            "format": 1,
            "study": self.study,
            "atlases": list(self.atlases),
            "units": list(self.units),
            "galleries": list(self.galleries),
            "labels": list(self.labels),
            "curves": self.curves,
            "pages": list(self.pages),
        }


def read_catalog(path: Path | str) -> Catalog:
    """List the finished results of a study. Raises `StudyError` if the folder holds no study."""
    study = Study.open(path)
    atlases: list[dict[str, Any]] = []
    units: list[dict[str, Any]] = []
    pictures: list[dict[str, Any]] = []
    files: list[str] = []
    for folder in atlases_of(study).values():
        record = AtlasRecord.read(folder)
        prefix = f"atlas/{folder.name}"
        said = {"kind": record.kind, "title": record.title, "about": record.about, "aligned": record.aligned}
        where = {"name": folder.name, "layer": record.layer, "url": f"{prefix}/atlas.json"}
        atlases.append({**where, "network": record.network, **said})
        files += [f"{prefix}/{name}" for name in record.files()]
    for layer in layers_with_pages(study):
        pages = LayerPages.read(unit_folder(study, layer))
        units.append({"layer": layer, "url": f"units/{layer}/{INDEX}", "count": len(pages.units)})
        files += [f"units/{layer}/{name}" for name in pages.files()]
    for name in galleries(study):
        pictures.append({"name": name, "url": f"visualizations/{name}/gallery.json"})
        files += [f"visualizations/{name}/{file}" for file in _gallery_files(gallery_folder(study, name))]
    found = found_in(study)
    if found is not None:
        files.append(FOUND)
    shown = []
    for kind, name, page in pages_of(study):
        prefix = f"pages/{kind}/{name}"
        shown.append({"kind": kind, "name": name, "title": page.title, "url": f"{prefix}/{PAGE}"})
        files += [f"{prefix}/{file}" for file in (PAGE, *page.files)]
    about = {
        "name": study.path.resolve().name,
        "network": study.manifest.network.get("name", ""),
        "images": study.manifest.images.get("count", 0),
    }
    labels = tuple(
        {"layer": task.layer, "unit": task.unit, "url": f"labels/{task.layer}:{task.unit}", "count": len(task.images)}
        for task in label_tasks(study)
    )
    curves = None if found is None else found.entry()
    return Catalog(about, tuple(atlases), tuple(files), tuple(units), tuple(pictures), labels, curves, tuple(shown))


def _gallery_files(folder: Path) -> Iterator[str]:
    """The record and those of its pictures that are there: one may be removed, to be drawn again."""
    record = GalleryRecord.read(folder)
    there = {path.name for path in folder.iterdir()}
    yield "gallery.json"
    for picture in record.pictures:
        yield from (name for name in (picture.file, *picture.snapshots.values()) if name in there)
    yield from (name for name in record.sheets if name in there)
