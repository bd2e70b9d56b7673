"""What computes for the page: paints, tries patches out, and finds images (`pellucid serve --live`)."""

import base64
import copy
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.activations.decode import open_image
from pellucid.activations.images import load_view, views
from pellucid.activations.sources import find_images
from pellucid.activations.store import harvested_layers
from pellucid.atlas.live_images import LiveImages
from pellucid.atlas.paint import PaintConfig, Painting, Stroke, canvas_size, paint
from pellucid.atlas.painting_jobs import PaintingJobs, png
from pellucid.atlas.palette import Cell, Palette
from pellucid.atlas.patches import patch_box
from pellucid.atlas.patching.compositing import pasted, patch_size, shrunk
from pellucid.atlas.query import Found, ImageIndex
from pellucid.errors import AtlasError, ImagesError, PellucidError
from pellucid.networks import Network
from pellucid.study import Study, atlases
from pellucid.visualize import Callback

_SHOWN = 6  # classes that a trial tells
_WAITING = 4  # trials that may wait for their turn


class LiveWorker:
    """Paints, tries patches and answers queries for the page of a study.

    `images` are further images to try patches on; those of the study come first, as long as they are where they were.
    `patches` is a folder of pictures. The network is held twice, so that a patch can be tried while a painting is made.
    Raises `StudyError` if the study is of other weights, `ImagesError` for images or patches that are none.
    """

    def __init__(
        self, network: Network, study: Study, *, images: str | Path | None = None, patches: Path | None = None
    ) -> None:
        study.refuse_other_weights(network.name, network.digest)
        self.study = study
        network.layers()  # found by a pass that no other may disturb
        self._network, self._trying = network, copy.deepcopy(network)
        self._images = LiveImages(study, images, network.channels)
        self._patches = _patches(patches, network.channels) if patches else {}
        self._palettes: dict[str, tuple[int, Palette]] = {}
        self._indices: dict[str, ImageIndex] = {}
        self._indexing, self._turn, self._places = threading.Lock(), threading.Lock(), threading.Semaphore(_WAITING)
        self._jobs = PaintingJobs(self._painted, network)

    def close(self) -> None:
        """End what is running."""
        self._jobs.close()

    def about(self) -> dict[str, Any]:
        """What there is to paint with, to try and to find."""
        return {
            "format": 1,
            "network": self._network.name,
            "paint": [self._canvas(name, palette) for name, palette in self._usable().items()],
            "patches": list(self._patches),
            "images": len(self._images),
            "query": bool(harvested_layers(self.study)),
            "limits": {"steps": 512, "size": 320},
        }

    def paint(self, atlas: str, strokes: Sequence[Stroke], *, steps: int, size: int, seed: int) -> str | None:
        """Begin a painting; its job's name, None if too many wait. Raises `AtlasError` for cells that are not there."""
        palette = self._palette(atlas)
        for brush in {tuple(cells) for _, _, cells in strokes}:
            palette.mix(brush)
        return self._jobs.add(atlas, strokes, PaintConfig(steps=steps, size=size, seed=seed))

    def job(self, name: str) -> dict[str, Any] | None:
        """How far a painting is."""
        job = self._jobs.get(name)
        return job and job.said()

    def picture(self, name: str) -> bytes | None:
        """A painting as it is now."""
        job = self._jobs.get(name)
        return job and job.picture

    def cancel(self, name: str) -> dict[str, Any] | None:
        """End a painting."""
        job = self._jobs.cancel(name)
        return job and job.said()

    def patch(self, image: int, patch: str, *, size: float, corner: int) -> dict[str, Any] | None:
        """The likeliest classes of an image before and after a patch is pasted in; None if too many are waiting."""
        if patch not in self._patches:
            raise AtlasError(f"there is no patch {patch!r}")
        if not self._places.acquire(blocking=False):
            return None
        try:
            with self._turn:
                return self._tried(image, self._patches[patch], size, corner)
        finally:
            self._places.release()

    def find(self, text: str, limit: int) -> list[Mapping[str, Any]]:
        """The first images whose name has the text in it."""
        return [{"index": index, "name": self._images.name(index)} for index in self._images.find(text, limit)]

    def image(self, index: int) -> bytes | None:
        """A small version of an image; None if there is none, or it cannot be read."""
        return self._images.thumbnail(index)

    def query(self, atlas: str, cells: Sequence[Cell], limit: int) -> list[Mapping[str, Any]]:
        """The images with the activations nearest to a mixture of cells."""
        palette = self._palette(atlas)
        found = self._index(palette.record.layer).images(palette.mix(cells), limit)
        return [
            {"index": one.image, "name": one.name, "score": one.score, "box": self._shown(palette, one)}
            for one in found
        ]

    def _painted(self, atlas: str, strokes: Sequence[Stroke], config: PaintConfig, callback: Callback) -> Painting:
        return paint(self._network, self._palette(atlas), strokes, config=config, callbacks=[callback])

    def _tried(self, image: int, patch: Image.Image, size: float, corner: int) -> dict[str, Any]:
        network = self._trying
        picture = self._images.open(image)
        box = views(picture.size, (1.0,), network.crop)[0]
        before = load_view(picture, box, network)[None]
        after = pasted(before, shrunk(patch, patch_size(size, network.size)), corner)
        with torch.no_grad():
            logits = network(torch.cat([before, after]).to(network.device, network.dtype)).float().flatten(1).cpu()
        said = [self._classes(row) for row in logits]
        return {"before": said[0], "after": said[1], "picture": base64.b64encode(png(after[0])).decode()}

    def _classes(self, logits: Tensor) -> list[list[Any]]:
        names, probabilities = self._network.labels, logits.softmax(dim=0)
        best = logits.topk(min(_SHOWN, len(logits))).indices.tolist()
        return [[names[i] if names else str(i), float(logits[i]), float(probabilities[i])] for i in best]

    def _usable(self) -> dict[str, Palette]:
        """The atlases whose cells can be painted with, as they are now."""
        usable = {}
        for name in atlases(self.study):
            with suppress(PellucidError, OSError):  # one that is damaged, being made anew, or of another network
                usable[name] = self._palette(name)
        return usable

    def _palette(self, name: str) -> Palette:
        path = self.study.path / "atlas" / name / "atlas.json"
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        held = self._palettes.get(name)
        if held is None or held[0] != changed:
            palette = Palette.open(self.study, name)
            canvas_size(self._network, palette)
            held = self._palettes[name] = (changed, palette)
        return held[1]

    def _canvas(self, name: str, palette: Palette) -> dict[str, Any]:
        rows, columns = canvas_size(self._network, palette)
        return {"atlas": name, "layer": palette.record.layer, "rows": rows, "columns": columns}

    def _index(self, layer: str) -> ImageIndex:
        with self._indexing:  # made once, however many ask for it
            if layer not in self._indices:
                self._indices[layer] = ImageIndex.open(self.study, layer)
            return self._indices[layer]

    def _shown(self, palette: Palette, found: Found) -> list[float]:
        """The box around what was found, as shares of the image's width and height; all of it if it cannot be read."""
        layer = self._network.spatial_layer(palette.record.layer)
        try:
            width, height = self._images.open(found.image).size
        except ImagesError:
            return [0.0, 0.0, 1.0, 1.0]
        pixels = palette.record.config.get("icons", {}).get("size", 96)
        box = patch_box(self._network, layer, np.array(found.box), np.array(found.place), pixels)
        edges = (box.left / width, box.top / height, box.right / width, box.bottom / height)
        return [min(1.0, max(0.0, edge)) for edge in edges]


def _patches(folder: Path, channels: int) -> dict[str, Image.Image]:
    return {Path(name).stem: open_image(folder / name, channels) for name in find_images(folder)}
