"""The pictures of a page, as they are drawn and written."""

from pathlib import Path

from PIL import Image

from pellucid.pictures import encode
from pellucid.study import write_bytes


class PageFiles:
    """The files beside a page's record: `files` are those that were written, in their order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[str] = []

    def picture(self, file: str, picture: Image.Image) -> str:
        """Write a picture, and give its name."""
        write_bytes(self.folder / file, encode(picture, Path(file).suffix))
        self.files.append(file)
        return file
