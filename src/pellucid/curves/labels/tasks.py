"""Making labelling tasks: pictures of what a unit sees, a fixed number from each bin of its activation."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pellucid.activations.harvested import Harvested, check_units
from pellucid.activations.quilt import Quilt, quilt
from pellucid.activations.summary import Summary
from pellucid.curves.labels.rubric import CURVE_POSITIVE, CURVE_RUBRIC
from pellucid.errors import ImagesError, PellucidError
from pellucid.pictures import encode
from pellucid.study import GalleryRecord, Study, galleries, gallery_folder, write_bytes
from pellucid.study.label_answers import raters
from pellucid.study.label_record import (
    TASK,
    Label,
    LabelKey,
    LabelledImage,
    LabelTask,
    check_labels,
    image_name,
    label_folder,
    picture_name,
)

_REFERENCE = 256  # side of the reference in pixels


def prepare_labels(
    study: Study,
    layer: str,
    unit: int,
    *,
    per_bin: int = 24,
    columns: int | Sequence[float] | None = None,
    bin_width: float | None = None,
    tap: str | None = None,
    labels: Sequence[Label] | None = None,
    positive: Sequence[str] | None = None,
    reference: Path | str | None = None,
    source: Any = None,
    size: int = 256,
    seed: int = 0,
    progress: bool = False,
) -> LabelTask:
    """Write a labelling task of a unit of a harvested layer into the study: `per_bin` random positions from each bin.

    Bins are those of the unit's `quilt`: of equal width, at most 18, or as `columns` says; or as wide as `bin_width`,
    with an edge at 0 where the harvest has one. Each picture is what the unit sees there, cut out of the photograph,
    `size` pixels a side. Its name tells nothing, and `seed` decides the order for each rater. `labels` are by default
    the four of the Curve Detectors article, of which `positive`, by default curve and imperfect, or the first of other
    labels, speak for the unit. `reference`, a picture of what the unit is for, stands beside the rubric; by default the
    one that was rendered for the unit into a gallery of the study. `source` says where the photographs are now.

    A task may be made anew at any time until somebody has answered, and after that with more images: what `per_bin`
    adds does not change those that were there. Raises `StudyError` for a layer or tap that was not harvested and for
    labels that are none, `ObjectiveError` for a unit that the layer does not have, `SummaryError` for bins that are
    none, `ImagesError` if a photograph cannot be opened, and `PellucidError` if the harvest kept fewer positions, or
    answers would lose their images.
    """
    given = tuple(CURVE_RUBRIC if labels is None else labels)
    speaking = tuple(positive or (CURVE_POSITIVE if labels is None else (label.name for label in given[:1])))
    check_labels(given, speaking)
    harvested = Harvested.read(study, layer, source)
    check_units(layer, [unit], harvested.record.units)
    side = tap or harvested.tap
    summary = harvested.summary(side)
    _refuse_more_than_kept(study, layer, summary, per_bin)
    wanted = columns if bin_width is None else _edges(summary, unit, columns, bin_width)
    sewn = quilt(
        study, layer, [unit], tap=side, columns=wanted, rows=per_bin, source=source, crop=size, progress=progress
    )
    (found,) = sewn.values()
    key = _key(found, {"per_bin": per_bin, "size": size, "harvest": harvested.stamp({"part": "labels", "tap": side})})
    names = tuple(sorted(one.image for one in key.images))
    folder = label_folder(study, layer, unit)
    task = LabelTask(layer, unit, given, speaking, names, size, "", seed)
    before = _refuse_other(folder, task, key, reference)
    shown = before.reference if before else _write_reference(study, folder, layer, unit, reference)
    task = replace(task, reference=shown)
    _write_pictures(folder, found, layer, unit)
    key.write(folder)
    task.write(folder)
    _remove_others(folder, task)
    return task


def _refuse_more_than_kept(study: Study, layer: str, summary: Summary, per_bin: int) -> None:
    kept = summary.samples.values.shape[2]
    if not 1 <= per_bin <= kept:
        network = study.manifest.network.get("name", "NETWORK")
        raise PellucidError(
            f"{per_bin} images of each bin cannot be had: the harvest kept {kept} random positions of each; harvest "
            f"with more, 'pellucid harvest {network} --images WHERE --layer {layer} --samples {max(per_bin, 1)} "
            "-o STUDY', or take fewer"
        )


def _edges(summary: Summary, unit: int, columns: Any, width: float) -> list[float]:
    """Edges of bins of this width, from the first bin that holds something to the last; the outermost are open."""
    if columns is not None:
        raise PellucidError("give the width of the bins or the columns, not both")
    edges = summary.samples.edges[unit]
    own = float(edges[1] - edges[0])
    step = round(width / own) if math.isfinite(width) else 0
    if step < 1 or abs(step * own - width) > 1e-3 * own:
        raise PellucidError(
            f"bins of the harvest are joined, so that their width is a multiple of {own:.8g}, not {width:g}; harvest "
            "with --limits and --groups for another"
        )
    zero = int(np.abs(edges).argmin())
    first = zero % step if abs(edges[zero]) < 1e-6 * own else 0
    cuts = sorted({0, *range(first, len(edges), step), len(edges) - 1})
    held = [summary.samples.counts[unit, low:high].sum() > 0 for low, high in pairwise(cuts)]
    if not any(held):
        raise PellucidError(f"unit {unit} has no finite activation at all")
    low, high = held.index(True), len(held) - held[::-1].index(True)
    ends = {0: -math.inf, len(edges) - 1: math.inf}
    return [ends.get(cut, float(edges[cut])) for cut in cuts[low : high + 1]]


def _key(found: Quilt, config: dict[str, Any]) -> LabelKey:
    """What raters are not told of the pictures of a quilt."""
    missing = [one for column in found.columns for one in column.examples if one.error]
    if missing:
        raise ImagesError(
            f"{len(missing)} pictures cannot be cut, the first because {missing[0].error}; say where the photographs "
            "are now with --images WHERE"
        )
    images: dict[str, LabelledImage] = {}
    for number, column in enumerate(found.columns):
        for one in column.examples:
            assert one.field is not None
            name = image_name(found.layer, found.unit, one.name, one.place, one.field)
            left, top, right, bottom = one.field
            field = (left, top, right, bottom)
            images[name] = LabelledImage(name, one.value, one.name, one.place, field, number)
    if not images:
        raise PellucidError(f"unit {found.unit} of {found.layer} has no activations to take images from")
    edges = (found.columns[0].low, *(column.high for column in found.columns))
    return LabelKey(found.tap, edges, tuple(images[name] for name in sorted(images)), config)


def _refuse_other(folder: Path, task: LabelTask, key: LabelKey, reference: Any) -> LabelTask | None:
    """The task that raters have answered to, if any did; refuse what would leave their answers without the question."""
    people = raters(folder)
    if not people or not (folder / TASK).is_file():
        return None
    before = LabelTask.read(folder)
    ours, theirs = (
        (one.labels, one.positive, one.size, one.seed, tap)
        for one, tap in ((before, LabelKey.read(folder).tap), (task, key.tap))
    )
    if ours != theirs or reference is not None or not {*before.images} <= {*task.images}:
        raise PellucidError(
            f"{', '.join(people)} answered to another task of {task.layer}:{task.unit}; a task with answers may get "
            "more images, but labels, reference, tap, size, seed and the images that it has stay: move "
            f"{folder} away to begin anew"
        )
    return before


def _write_pictures(folder: Path, found: Quilt, layer: str, unit: int) -> None:
    crops = {
        image_name(layer, unit, one.name, one.place, one.field): one.crop
        for column in found.columns
        for one in column.examples
        if one.field is not None
    }
    for name in sorted(crops):  # in an order that tells nothing, for the times of the files are seen
        write_bytes(folder / picture_name(name), encode(Image.fromarray(crops[name]), ".webp"))


def _write_reference(study: Study, folder: Path, layer: str, unit: int, given: Path | str | None) -> str:
    path = _rendered(study, f"{layer}:{unit}") if given is None else Path(given)
    if path is None:
        return ""
    try:
        with Image.open(path) as image:
            shown = image.convert("RGB")
    except (OSError, ValueError) as error:
        raise ImagesError(f"the reference {path} cannot be opened: {error}") from error
    shown.thumbnail((_REFERENCE, _REFERENCE))
    write_bytes(folder / "reference.webp", encode(shown, ".webp"))
    return "reference.webp"


def _rendered(study: Study, objective: str) -> Path | None:
    """The first picture in a gallery that was rendered for a unit and shows something of it."""
    for name in galleries(study):
        folder = gallery_folder(study, name)
        for picture in GalleryRecord.read(folder).pictures:
            if picture.objective == objective and not picture.silent and (folder / picture.file).is_file():
                return folder / picture.file
    return None


def _remove_others(folder: Path, task: LabelTask) -> None:
    wanted = {folder / picture_name(image) for image in task.images}
    for path in {*(folder / picture_name("0")).parent.glob("*.webp")} - wanted:
        path.unlink(missing_ok=True)
    if not task.reference:
        (folder / "reference.webp").unlink(missing_ok=True)
