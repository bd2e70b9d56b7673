"""The images that a live page can show and try patches on: those of the study, and further ones."""

from functools import cached_property
from io import BytesIO
from pathlib import Path

from PIL import Image

from pellucid.activations.sources import Source, open_source, reopen
from pellucid.activations.store import read_image_list
from pellucid.errors import ImagesError, StudyError
from pellucid.study import Study

_THUMBNAIL = 320  # pixels of the longer side


class LiveImages:
    """Images numbered from 0: the study's own by their numbers in its list, and behind them those of another source.

    The study's own keep their numbers also where they have been moved and cannot be opened. Raises `ImagesError` if
    `further` is no source of images.
    """

    def __init__(self, study: Study, further: str | Path | None, channels: int) -> None:
        self._channels = channels
        self._own = _own_names(study)
        self._parts: list[Source | None] = [_own_source(study), open_source(str(further)) if further else None]

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        """The name of an image in its source."""
        return self._names[index]

    def open(self, index: int) -> Image.Image:
        """An image as a network of these channels takes it. Raises `ImagesError` if it cannot be read."""
        own, further = self._parts
        source, number = (own, index) if index < len(self._own) else (further, index - len(self._own))
        if source is None or not 0 <= number < len(source):
            raise ImagesError(f"image {index} of {len(self)} is not where it was")
        return source.open(number, self._channels)

    def find(self, text: str, limit: int) -> list[int]:
        """The first images that can be opened and have the text in their name, whatever its case, "_" read as " "."""
        wanted, found = _plain(text), []
        for index in range(0 if self._parts[0] is not None else len(self._own), len(self)):
            if len(found) == limit:
                break
            if wanted in _plain(self._names[index]):
                found.append(index)
        return found

    def thumbnail(self, index: int) -> bytes | None:
        """An image of 320 pixels at most, as JPEG; None if there is none of this number or it cannot be read."""
        try:
            picture = self.open(index)
        except ImagesError:
            return None
        picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
        buffer = BytesIO()
        picture.convert("RGB").save(buffer, "JPEG", quality=85)
        return buffer.getvalue()

    @cached_property
    def _names(self) -> list[str]:
        further = self._parts[1]
        return [*self._own, *([further.name(index) for index in range(len(further))] if further else [])]


def _own_names(study: Study) -> list[str]:
    try:
        return read_image_list(study)
    except StudyError:  # a study may have none
        return []


def _own_source(study: Study) -> Source | None:
    try:
        return reopen(study.manifest.images) if study.manifest.images else None
    except ImagesError:  # moved since; a query can still name them
        return None


def _plain(name: str) -> str:
    return name.casefold().replace("_", " ")
