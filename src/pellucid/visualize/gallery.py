"""Pictures of many units in a study: drawn batch by batch, each written as soon as it is done, never drawn twice."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from pellucid.errors import ObjectiveError, StudyError
from pellucid.networks import Network
from pellucid.pictures import encode, sheet, to_pixels
from pellucid.progress import progress_bar
from pellucid.study import GalleryRecord, Manifest, PictureRecord, Study, digest, gallery_folder, write_bytes
from pellucid.visualize.movies import check_movie, save_movie
from pellucid.visualize.objectives import Objective, parse
from pellucid.visualize.render import describe, render
from pellucid.visualize.rendering import Rendering

_SHEET = 64  # pictures on one contact sheet
_ALL = re.compile(r"(?P<layer>[^:\s]+):(?:\*|(?P<first>\d+)-(?P<last>\d+))")
_OWN = ("objectives", "seed", "init", "versions")  # what a picture has for itself


def units(network: Network, text: str) -> list[str]:
    """The objectives that a text means: `layer:*` all units of a layer, `layer:3-9` those from 3 to 9, else itself.

    Raises `LayerError` without such a layer and `ObjectiveError` for a range that it does not have.
    """
    match = _ALL.fullmatch(text.strip())
    if match is None:
        return [text]
    count = network.layer(match["layer"]).channels
    first, last = (0, count - 1) if match["first"] is None else (int(match["first"]), int(match["last"]))
    if not first <= last < count:
        raise ObjectiveError(f"{match['layer']} has units 0 to {count - 1}; there is no range {first}-{last}")
    return [f"{match['layer']}:{unit}" for unit in range(first, last + 1)]


def draw_gallery(
    network: Network,
    objectives: Sequence[Objective | str],
    study: Path | str,
    *,
    name: str = "pictures",
    seeds: Sequence[int] = (0,),
    batch: int = 16,
    movie: str = "",
    frames: int = 32,
    command: str = "",
    progress: bool = False,
    **options: Any,
) -> GalleryRecord:
    """Draw pictures of many objectives into `visualizations/NAME` of a study, and go on where a stopped run ended.

    Text may stand for many units, as in `units`. Every objective is drawn from every one of `seeds`, `batch` pictures
    at a time, by `render` with the `options`. Each picture is a PNG that holds its configuration and the trace of its
    objective; `snapshots` among the options are written beside it, and with `movie` (".gif" or ".mp4") so is a movie of
    `frames` pictures. Contact sheets of 64 pictures come at the end. What is there already, by the same objective, seed
    and configuration, is not drawn again.

    Raises `StudyError` if the study is of other weights, or the gallery of another configuration.
    """
    wanted = [one for given in objectives for one in (units(network, given) if isinstance(given, str) else [given])]
    items = [(parse(one).resolve(network) if isinstance(one, str) else one, seed) for seed in seeds for one in wanted]
    for objective, _ in items:
        objective.check(network)
    if movie:
        check_movie(Path(f"picture{movie}"), fps=12)
    about = describe(network, [objective for objective, _ in items], **options)
    steps = about["steps"]
    config = {**{key: value for key, value in about.items() if key not in _OWN}, "movie": movie}
    folder = _opened(network, study, name, command)
    record = _record(folder, config)
    have = {(picture.objective, picture.seed) for picture in record.pictures}
    missing = [item for item in items if (str(item[0]), item[1]) not in have]
    shown = set(options.pop("snapshots", ()))
    grown = {round(index * steps / frames) for index in range(frames + 1)} if movie else set()
    with progress_bar("rendering", len(items), shown=progress) as advance:
        advance(len(items) - len(missing))
        for some in _batched(missing, batch):
            rendering = render(
                network, [one for one, _ in some], seed=[seed for _, seed in some], batch=batch,
                snapshots=sorted(shown | grown), **options,
            )  # fmt: skip
            written = _Writer(folder, rendering, shown, grown, movie).all(some)
            record = replace(record, pictures=(*record.pictures, *written), sheets=())
            record.write(folder)
            advance(len(some))
    ordered = _ordered(record, items)
    ordered = replace(ordered, sheets=tuple(_sheets(folder, ordered)))
    ordered.write(folder)
    return ordered


def _opened(network: Network, study: Path | str, name: str, command: str) -> Path:
    path = Path(study)
    if (path / "study.json").is_file():
        opened = Study.open(path)
        opened.refuse_other_weights(network.name, network.digest)
    else:
        opened = Study.create(path, Manifest(network.describe(), {}, {"torch": torch.__version__}, command))
    return gallery_folder(opened, name)


def _record(folder: Path, config: dict[str, Any]) -> GalleryRecord:
    config = json.loads(json.dumps(config))
    if not (folder / "gallery.json").exists():
        return GalleryRecord(config)
    record = GalleryRecord.read(folder)
    differing = record.differing(config)
    if differing:
        raise StudyError(
            f"{folder} holds pictures that were made with another {', '.join(differing)}; "
            "give this gallery another name, or remove that folder"
        )
    kept = tuple(picture for picture in record.pictures if (folder / picture.file).is_file())
    return replace(record, pictures=kept)


@dataclass(frozen=True)
class _Writer:
    """Writes the pictures of one batch."""

    folder: Path
    rendering: Rendering
    shown: set[int]
    grown: set[int]
    movie: str

    def all(self, items: Sequence[tuple[Objective, int]]) -> Iterator[PictureRecord]:
        """Every picture of the batch, with its snapshots and movie."""
        row = 0
        for objective, seed in items:
            for index in range(objective.pictures):
                yield self._one(row, str(objective), seed, index)
                row += 1

    def _one(self, row: int, objective: str, seed: int, index: int) -> PictureRecord:
        rendering = self.rendering
        stem = _stem(objective, seed, index)
        about: dict[str, Any] = {
            **{key: value for key, value in rendering.about.items() if key != "objectives"},
            "objective": objective,
            "seed": seed,
            "index": index,
            "value": _short(rendering.values[row].item()),
            "silent": row in rendering.silent,
            **({"ceiling": True} if row in rendering.ceiling else {}),
            "trace": [_short(value) for value in rendering.trace[:, row].tolist()],
        }
        self._write(f"{stem}.png", rendering.images[row], about)
        snapshots = {}
        for step in sorted(self.shown):
            snapshots[str(step)] = f"{stem}-step{step}.png"
            self._write(snapshots[str(step)], rendering.snapshots[step][row], {**about, "step": step})
        film = f"{stem}{self.movie}" if self.movie else ""
        if film:
            images = torch.stack([rendering.snapshots[step][row] for step in sorted(self.grown)])
            save_movie(to_pixels(images)[..., :3], self.folder / film, fps=12)
        return PictureRecord(
            objective, seed, f"{stem}.png", about["value"], index, about["silent"], snapshots, film,
            row in rendering.ceiling,
        )  # fmt: skip

    def _write(self, name: str, image: torch.Tensor, about: Mapping[str, Any]) -> None:
        write_bytes(self.folder / name, encode(sheet(to_pixels(image[None]), 1), ".png", about))


def _stem(objective: str, seed: int, index: int) -> str:
    """A file name that says what the picture is, and tells apart what it cannot say."""
    readable = re.sub(r"[^\w.+-]+", "_", objective)[:60].strip("._")
    return f"{readable}-s{seed}-{digest([objective, seed, index])[:8]}"


def _short(value: float) -> float | None:
    return float(f"{value:.6g}") if value == value else None


def _batched(things: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for at in range(0, len(things), size):
        yield things[at : at + size]


def _ordered(record: GalleryRecord, items: Sequence[tuple[Objective, int]]) -> GalleryRecord:
    """The pictures asked for in the order in which they were asked for, then what else is there."""
    place = {(str(objective), seed): number for number, (objective, seed) in enumerate(items)}
    key = lambda picture: (place.get((picture.objective, picture.seed), len(place)), picture.index)  # noqa: E731
    return replace(record, pictures=tuple(sorted(record.pictures, key=key)))


def _sheets(folder: Path, record: GalleryRecord) -> Iterator[str]:
    for number, some in enumerate(_batched(record.pictures, _SHEET)):
        pixels = []
        for picture in some:
            with Image.open(folder / picture.file) as image:
                pixels.append(np.asarray(image))
        name = f"sheet-{number + 1}.png"
        names = {"objectives": [f"{picture.objective} seed {picture.seed}" for picture in some]}
        columns = min(8, len(pixels))
        write_bytes(folder / name, encode(sheet(pixels, columns, gap=4, background=255), ".png", names))
        yield name
