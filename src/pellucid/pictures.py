"""Arrays as pictures: 8-bit conversion, sheets of equal pictures, PNG files that say what they are. Without torch."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pellucid.errors import PellucidError

Pixels = NDArray[np.uint8]  # (H, W, 3)


def to_pixels(images: Any) -> Pixels:
    """Images (N, C, H, W) in [0, 1], a tensor on the CPU or an array, as 8-bit pixels (N, H, W, 3).

    One channel becomes grey; other numbers of channels than 1 and 3 are refused.
    """
    values = np.asarray(images, dtype=np.float64)
    if values.ndim != 4 or values.shape[1] not in (1, 3):
        raise PellucidError(f"pictures have one or three channels, (N, C, H, W); these are {values.shape}")
    values = np.repeat(values, 3, axis=1) if values.shape[1] == 1 else values
    return np.round(np.clip(values, 0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)


def sheet(pixels: Sequence[Pixels] | Pixels, columns: int, *, gap: int = 0, background: int = 0) -> Image.Image:
    """One picture with the given ones (all of one size) row by row."""
    height, width = pixels[0].shape[:2]
    rows = -(-len(pixels) // columns)
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), background, dtype=np.uint8)
    for index, picture in enumerate(pixels):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        canvas[top : top + height, left : left + width] = picture
    return Image.fromarray(canvas)


def cut(image: Image.Image, size: int, columns: int, count: int) -> Pixels:
    """The pictures of a sheet again: (count, size, size, 3)."""
    pixels = np.asarray(image.convert("RGB"))
    parts = []
    for index in range(count):
        top, left = (index // columns) * size, (index % columns) * size
        parts.append(pixels[top : top + size, left : left + size])
    return np.stack(parts) if parts else np.zeros((0, size, size, 3), dtype=np.uint8)


def check_suffix(path: Path) -> None:
    """Refuse a file name whose ending names no format that pictures are written in."""
    suffix = path.suffix
    if suffix.lower() not in (".png", ".webp", ".jpg", ".jpeg"):
        raise PellucidError(f"pictures are written as .png, .webp or .jpg, not {suffix!r}")


def encode(image: Image.Image, suffix: str, about: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a picture file: `.png`, with what it is about in its metadata, or `.webp`, `.jpg`."""
    buffer = io.BytesIO()
    match suffix.lower():
        case ".png":
            info = PngInfo()
            if about:
                info.add_itxt("pellucid", json.dumps(about, ensure_ascii=False))
            image.save(buffer, "PNG", pnginfo=info)
        case ".webp":
            image.save(buffer, "WEBP", quality=92, method=4)
        case ".jpg" | ".jpeg":
            image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def save(path: Path, image: Image.Image, about: Mapping[str, Any] | None = None) -> None:
    """Write a picture; the ending of the name chooses the format."""
    check_suffix(path)
    content = encode(image, path.suffix, about)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise PellucidError(f"cannot write {path}: {error.strerror or error}") from error
