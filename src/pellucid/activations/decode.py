"""Decoding: from an image file, whatever is in it, to upright RGB or grey of 8 bits, or to a reason why not.

- Orientation: turned as the EXIF tag says. A tag that cannot be read leaves the picture as it is stored.
- Transparency: laid on white, which is what most pictures with a transparent ground were made to be seen on. What
  stands under full transparency is accidental and must not reach a network.
- Depth: 16-bit grey is scaled to 8 bits, not cut off at 255; RGB of 16 bits keeps its upper 8. Float is scaled where
  all of it lies in [0, 1]. Numbers without a defined white (signed, 32-bit, float beyond [0, 1]) are refused, for a
  scale taken from the picture's own range would change what it shows.
- CMYK and YCCK become RGB by Pillow's plain formula; colour profiles are not applied.
- Animations and files of several pages: the first frame.
- Size: at most `LARGEST` pixels. A larger JPEG, baseline and of up to four times as many, is decoded at half its width
  and height; everything else is refused.
- Encapsulated PostScript is refused: it is a program, which Pillow would have run by another one.
"""

import io
import stat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from pellucid.activations.pillow_warnings import quiet_pillow
from pellucid.errors import ImagesError

LARGEST = 89_478_485
"""The most pixels of an image: 256 MiB of RGB, which is also Pillow's limit."""

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class _Unusable(Exception):
    """Why a file that can be opened is not taken."""


def open_image(image: Path | str | bytes, channels: int = 3, *, name: str | None = None) -> Image.Image:
    """Open an image file, or the bytes of one, upright and in full: RGB for three channels, grey ("L") for one.

    `name` is what errors call it, by default the file's own name. The picture that is returned holds nothing but
    pixels. Raises `ImagesError` with the reason, in one line, if it cannot be read; no warning of Pillow's escapes.
    """
    _refuse_channels(channels)
    name = printable(name or ("image" if isinstance(image, bytes) else Path(image).name))
    with quiet_pillow:
        return _converted(*_decoded(image, name), channels, name)


def convert_image(image: Image.Image, channels: int = 3, *, name: str = "image") -> Image.Image:
    """Turn a picture that is open already into what `open_image` gives.

    Raises `ImagesError` if it cannot be loaded or has no defined white.
    """
    _refuse_channels(channels)
    with quiet_pillow:
        try:
            _refuse_size(image)
            image.load()
            orientation = _orientation(image)
        except Exception as error:  # as in _decoded: the picture may still be undecoded
            raise ImagesError(f"{name}: {_reason(error, b'')}") from error
        return _converted(image, orientation, channels, name)


def printable(name: str) -> str:
    """A name fit for one line of a report: what cannot be printed, or is no UTF-8, stands as an escape."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()


def _refuse_channels(channels: int) -> None:
    if channels not in (1, 3):
        raise ImagesError(f"photographs have one or three channels; a network of {channels} needs another source")


def _decoded(image: Path | str | bytes, name: str) -> tuple[Image.Image, int]:
    """A picture as it is stored, all of it in memory, and its orientation."""
    try:
        file = _file(image)
    except (OSError, ValueError, _Unusable) as error:  # ValueError: no name of a file at all
        raise ImagesError(f"{name}: {_reason(error, b'')}") from error
    with file:
        head = b""
        try:
            head = file.read(24)
            file.seek(0)
            with _opened(file, head) as picture:
                picture.load()
                return picture, _orientation(picture)
        # Pillow's decoders meet damage with whatever exception comes first (struct.error, KeyError, MemoryError ...),
        # and nothing but Pillow runs here.
        except Exception as error:
            raise ImagesError(f"{name}: {_reason(error, head)}") from error


def _file(image: Path | str | bytes) -> io.BytesIO | io.BufferedReader:
    if isinstance(image, bytes):
        return io.BytesIO(image)
    path = Path(image)
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):  # to open a pipe would wait for ever
        raise _Unusable("is a folder" if stat.S_ISDIR(mode) else "is not a file but a pipe, a socket or a device")
    return path.open("rb")


def _opened(file: io.BytesIO | io.BufferedReader, head: bytes) -> Image.Image:
    if head.startswith(b"\xff\xd8\xff"):
        # Not by Image.open: it refuses what could still be decoded at half its size.
        jpeg = JpegImagePlugin.JpegImageFile(file)
        width, height = jpeg.size
        if LARGEST < width * height <= 4 * LARGEST and not jpeg.info.get(
            "progressive"
        ):  # those are held whole in memory
            jpeg.draft(None, (width // 2, height // 2))
        _refuse_size(jpeg)
        return jpeg
    picture = Image.open(file)
    if picture.format == "EPS":
        raise _Unusable("is a PostScript program, not pixels; save it as PNG")
    _refuse_size(picture)
    return picture


def _refuse_size(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > LARGEST:
        raise _Unusable(f"{width} x {height} = {width * height:,} pixels are too many; the most is {LARGEST:,}")
    if width * height == 0:
        raise _Unusable(f"{width} x {height} pixels: there is nothing to see")


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # odd metadata; the picture itself is fine
        return 1


def _reason(error: Exception, head: bytes) -> str:
    if isinstance(error, UnidentifiedImageError) or (isinstance(error, SyntaxError) and not str(error)):
        return f"cannot identify image file: it begins with {head!r}" if head else "cannot identify image file: empty"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())[:200]
    plain = isinstance(error, OSError | ValueError | SyntaxError | EOFError | _Unusable | Image.DecompressionBombError)
    return text if plain and text else f"{type(error).__name__} {text}".strip()


def _converted(picture: Image.Image, orientation: int, channels: int, name: str) -> Image.Image:
    mode = "RGB" if channels == 3 else "L"
    try:
        if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
            picture = _shallow(picture)
        converted = (_on_white(picture) if _is_transparent(picture) else picture).convert(mode)
    except (_Unusable, ValueError) as error:  # convert() knows no way from LAB, among others
        raise ImagesError(f"{name}: {_reason(error, b'')}") from error
    if orientation in _TURNS:
        converted = converted.transpose(_TURNS[orientation])
    converted.info = {}  # an orientation left in it would be applied a second time
    return converted


def _shallow(picture: Image.Image) -> Image.Image:
    """Grey of more than 8 bits in 8 bits."""
    values = np.asarray(picture)
    tags = getattr(picture, "tag_v2", {})  # of a TIFF
    bits = int(tags.get(258, (16,))[0])
    if picture.mode == "F":
        white = 1.0 if np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1 else None
    elif picture.mode == "I":  # how Pillow opens 16-bit PNG (before version 11) and PGM
        white = 65535 if picture.format in ("PNG", "PPM") and values.min() >= 0 and values.max() <= 65535 else None
    else:
        white = 2**bits - 1
    if white is None:
        raise _Unusable(
            f"has no defined white: values from {values.min():g} to {values.max():g} of {_kind(picture, bits)}; save "
            "it with 8 or 16 bits, or as float in [0, 1]"
        )
    grey = values.astype(np.float64) / white
    if tags.get(262) == 0:  # WhiteIsZero, which Pillow applies to 8 bits only
        grey = 1 - grey
    key = picture.info.get("transparency")
    return Image.fromarray(_bytes(np.where(values == key, 1, grey) if isinstance(key, int) else grey))


def _kind(picture: Image.Image, bits: int) -> str:
    return "float" if picture.mode == "F" else "signed 16-bit integers" if bits == 16 else "32-bit integers"


def _bytes(share: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(share * 255).astype(np.uint8)


def _is_transparent(picture: Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    key = picture.info.get("transparency")
    # A colour of 16 bits, of which the pixels have lost the lower 8: which of them it means cannot be told.
    return not (picture.mode == "RGB" and isinstance(key, tuple) and max(key) > 255)


def _on_white(picture: Image.Image) -> Image.Image:
    layer = picture.convert("RGBA")
    page = Image.new("RGBA", layer.size, "white")
    page.alpha_composite(layer)
    return page
