"""Images in files of their own, wherever their names come from."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pellucid.activations.decode import open_image
from pellucid.activations.sources.names import Names
from pellucid.activations.sources.source import Source


@dataclass(frozen=True, eq=False)
class FileSource(Source):
    """Images whose `names` are paths below `root`, or absolute, of a folder, a list or one by one."""

    root: Path
    names: Names

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """The path of an image, relative where it lies below the source."""
        return self.names[index]

    def open(self, index: int, channels: int = 3) -> Image.Image:
        """An image, decoded from its file."""
        name = self.names[index]
        return open_image(self.root / name, channels, name=name)
