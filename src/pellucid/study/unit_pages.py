"""Writing unit pages: parts that were made one by one come together in a page, and pages in a layer's list."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pellucid.errors import StudyError
from pellucid.study.files import write_bytes
from pellucid.study.manifest import Study
from pellucid.study.unit_record import INDEX, PARTS, LayerPages, UnitEntry, UnitPage, page_name, unit_folder

_OPEN = ".merging"  # is there while pages may be newer than the list


def merge_pages(study: Study, layer: str, pages: Iterable[UnitPage]) -> LayerPages:
    """Write the parts of these pages into a layer's folder; the parts that they lack stay as they are on disk.

    Pages may be made while they are written. Each is written whole at once, and the layer's list once, after the last;
    after a run that was stopped between the two, the list is made anew from all pages. Files that the pages no longer
    name are removed. Raises `StudyError` for a page of
    another network or layer, and if a page on disk is damaged.
    """
    folder = unit_folder(study, layer)
    listed = _listed(folder, layer)
    entries = {entry.unit: entry for entry in listed.units}
    stale: set[str] = set()
    write_bytes(folder / _OPEN, b"")
    try:
        for page in pages:
            if page.layer != layer or listed.network not in ("", page.network):
                raise StudyError(
                    f"a page of {page.network}, layer {page.layer!r}, does not belong among those of {listed.network}, "
                    f"layer {layer!r}; choose another study"
                )
            listed = replace(listed, network=page.network)
            merged = _merged(folder, page)
            merged.write(folder)
            stale.update(entries[page.unit].files if page.unit in entries else ())
            entries[page.unit] = UnitEntry.of(merged)
    finally:
        listed = replace(listed, units=tuple(entries[unit] for unit in sorted(entries)))
        if entries:
            listed.write(folder)
        for name in (*(stale - {*listed.files()}), _OPEN):
            with suppress(OSError):  # what stays there misleads nobody
                (folder / name).unlink(missing_ok=True)
    return listed


def finished(study: Study, layer: str, units: Collection[int], part: str, stamp: str) -> set[int]:
    """Those of the units whose page has this part from the configuration with this digest, with all its files."""
    folder = unit_folder(study, layer)
    found = set()
    for unit in units:
        if not (folder / page_name(unit)).is_file():
            continue
        page = UnitPage.read(folder / page_name(unit))
        if page.stamps.get(part) == stamp and all((folder / name).is_file() for name in page.files()):
            found.add(unit)
    return found


def layers_with_pages(study: Study) -> list[str]:
    """The layers whose units have pages."""
    return sorted(path.parent.name for path in (study.path / "units").glob(f"*/{INDEX}"))


def _merged(folder: Path, page: UnitPage) -> UnitPage:
    if not (folder / page_name(page.unit)).is_file():
        return page
    there = UnitPage.read(folder / page_name(page.unit))
    kept = {name: getattr(there, name) for name in (*PARTS, "max", "fires") if getattr(page, name) is None}
    stamps = {part: stamp for part, stamp in there.stamps.items() if getattr(page, part, None) is None}
    return replace(page, **kept, stamps={**stamps, **page.stamps})


def _listed(folder: Path, layer: str) -> LayerPages:
    """The list as it is, or made from all pages if a run was stopped before it wrote the list."""
    if (folder / INDEX).is_file() and not (folder / _OPEN).exists():
        return LayerPages.read(folder)
    pages = [UnitPage.read(path) for path in sorted(folder.glob("*.json")) if path.stem.isdecimal()]
    return LayerPages(pages[0].network if pages else "", layer, tuple(UnitEntry.of(page) for page in pages))
