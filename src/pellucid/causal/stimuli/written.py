"""Pictures as they are written: 8 bits, under names that tell nothing, and read back as the network takes them."""

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.pictures import encode, to_pixels
from pellucid.study import write_bytes
from pellucid.study.experiments import PictureFile
from pellucid.study.experiments.stimuli import picture_path


@dataclass(frozen=True, eq=False)
class Picture:
    """A PNG in memory, and the image (C, H, W) that one reads from it."""

    content: bytes
    image: Tensor

    @classmethod
    def of(cls, image: Tensor) -> "Picture":
        """Encode an image (C, H, W) in [0, 1] of one or three channels."""
        content = encode(Image.fromarray(to_pixels(image.detach().cpu()[None])[0]), ".png")
        with Image.open(io.BytesIO(content)) as opened:
            pixels = np.asarray(opened.convert("L" if len(image) == 1 else "RGB"), dtype=np.float32) / 255
        tensor = torch.from_numpy(pixels)
        return cls(content, tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1))


@dataclass
class Pictures:
    """The pictures of an experiment. A name follows from the seed and the content, so it is the same in every run."""

    folder: Path
    seed: int
    files: dict[str, PictureFile] = field(default_factory=dict)

    def keep(self, picture: Picture) -> str:
        """Write a picture and give its name."""
        digest = hashlib.sha256(picture.content).hexdigest()
        name = hashlib.sha256(f"{self.seed}|{digest}".encode()).hexdigest()[:16]
        if name not in self.files:
            path = picture_path(self.folder, name)
            if not path.is_file() or path.read_bytes() != picture.content:
                write_bytes(path, picture.content)
            self.files[name] = PictureFile(digest, picture.image.shape[1], picture.image.shape[2])
        return name

    def prune(self, shown: set[str]) -> dict[str, PictureFile]:
        """Remove what is not shown, also what a stopped run left; give the files that are, by name."""
        for path in (self.folder / "pictures").glob("*.png"):
            if path.stem not in shown:
                path.unlink()
        return {name: self.files[name] for name in sorted(shown)}
