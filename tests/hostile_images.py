"""Files named as pictures that are none, or are ones that readers often get wrong."""

import os
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

RAMP = (np.arange(24, dtype=np.uint16).reshape(4, 6) * 2849).astype(np.uint16)
"""Grey of 16 bits from black to nearly white."""


def png(width: int, height: int, bits: int, colour: int, data: bytes, *, key: bytes = b"") -> bytes:
    """A PNG file by hand: what Pillow does not write. `data` are the rows, without filters; `key` is its tRNS."""
    step = max(1, len(data) // max(height, 1))
    rows = b"".join(b"\0" + data[at : at + step] for at in range(0, len(data), step))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))]
    chunks += [(b"tRNS", key)] if key else []
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def tiff(width: int, height: int, bits: int, data: bytes, *, photometric: int = 1, sample: int = 1) -> bytes:
    """A grey TIFF file by hand, little-endian; `sample` is 1 for unsigned, 2 for signed numbers, 3 for float."""
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: height}
    tags |= {279: len(data), 339: sample}
    body = data + b"\0" * (len(data) % 2)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + b"\0" * 4


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture in a format."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photograph(mode: str = "RGB", size: tuple[int, int] = (60, 44)) -> Image.Image:
    """A small picture of smooth colours and some noise."""
    random = np.random.default_rng(5)
    rough = Image.fromarray(random.integers(0, 256, (6, 7, 3), dtype=np.uint8)).resize(size)
    return rough.convert(mode)


def turned(orientation: int) -> Image.Exif:
    """Metadata that say how a picture is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def ycck(cmyk: bytes) -> bytes:
    """A CMYK JPEG declared as YCCK."""
    at = cmyk.index(b"Adobe") + 11
    return cmyk[:at] + b"\x02" + cmyk[at + 1 :]


def of_size(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG that says it has another size."""
    at = max(jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2")) + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def readable() -> dict[str, bytes]:
    """Files that must be read, by their names."""
    plain, frames = photograph(), [photograph().rotate(angle) for angle in (0, 90, 180)]
    transparent = photograph("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize(transparent.size))
    return {
        "cmyk.jpg": saved(photograph("CMYK"), "JPEG"),
        "ycck.jpg": ycck(saved(photograph("CMYK"), "JPEG")),
        "progressive.jpg": saved(plain, "JPEG", progressive=True),
        "grey.jpg": saved(photograph("L"), "JPEG"),
        "turned.jpg": saved(plain, "JPEG", exif=turned(6)),
        "odd_metadata.jpg": saved(plain, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage"),
        "turned.tif": saved(plain, "TIFF", exif=turned(8)),
        "deep.png": saved(Image.fromarray(RAMP), "PNG"),
        "deep.tif": saved(Image.fromarray(RAMP), "TIFF"),
        "deep.pgm": saved(Image.fromarray(RAMP), "PPM"),
        "deep_colour.png": png(6, 4, 16, 2, np.stack([RAMP] * 3, axis=-1).astype(">u2").tobytes()),
        "deep_alpha.png": png(6, 4, 16, 4, np.stack([RAMP] * 2, axis=-1).astype(">u2").tobytes()),
        "float.tif": saved(Image.fromarray((RAMP / 65535).astype(np.float32)), "TIFF"),
        "bitmap.png": saved(photograph("1"), "PNG"),
        "palette.png": saved(plain.quantize(8), "PNG"),
        "palette_key.png": saved(plain.quantize(8), "PNG", transparency=3),
        "palette_alpha.png": saved(plain.quantize(8), "PNG", transparency=bytes(range(0, 256, 32))),
        "alpha.png": saved(transparent, "PNG"),
        "alpha.webp": saved(transparent, "WEBP"),
        "grey_alpha.png": saved(transparent.convert("LA"), "PNG"),
        "animated.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "animated.webp": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "animated.png": saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "pages.tif": saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]),
        "one_pixel.png": saved(Image.new("RGB", (1, 1)), "PNG"),
        "thin.png": saved(Image.new("RGB", (900, 1)), "PNG"),
        "misnamed.jpg": saved(plain, "PNG"),
        "capitals.JPEG": saved(plain, "JPEG"),
        "spaces and ümläuts.png": saved(plain, "PNG"),
    }


def unreadable() -> dict[str, tuple[bytes, str]]:
    """Files that must be refused, by their names, and what the reason must match."""
    plain = photograph()
    jpeg, whole = saved(plain, "JPEG"), saved(plain, "PNG")
    broken = bytearray(whole)
    for at in range(len(whole) // 2, len(whole) // 2 + 40):
        broken[at] ^= 0x5A
    numbers = RAMP.astype("<f4")
    return {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"not a picture", "cannot identify"),
        "page.jpg": (b"<!DOCTYPE html><html><title>404</title></html>", "cannot identify .*DOCTYPE"),
        "pointer.png": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "cannot identify .*git"),
        "zeros.jpg": (bytes(5000), "cannot identify"),
        "start.jpg": (jpeg[:2], "cannot identify"),
        "head.jpg": (jpeg[:100], "."),
        "cut.jpg": (jpeg[: len(jpeg) - 200], "truncated"),
        "cut.png": (whole[: len(whole) // 2], "truncated"),
        "cut.gif": (saved(plain, "GIF")[:900], "truncated"),
        "cut.webp": (saved(plain, "WEBP", lossless=True)[:500], "."),
        "cut.tif": (saved(plain, "TIFF")[:3000], "."),
        "cut.bmp": (saved(plain, "BMP")[:3000], "truncated"),
        "broken.png": (bytes(broken), "."),
        "nothing.png": (png(0, 0, 8, 2, b""), "."),
        "bomb.png": (png(40000, 40000, 8, 2, bytes(1000)), "exceeds limit|too many"),
        "large.png": (png(12000, 12000, 8, 2, bytes(1000)), "12000 x 12000 = 144,000,000 pixels are too many"),
        "large.jpg": (of_size(jpeg, 65000, 65000), "65000 x 65000 = 4,225,000,000 pixels are too many"),
        "large_progressive.jpg": (of_size(saved(plain, "JPEG", progressive=True), 12000, 12000), "too many"),
        "signed.tif": (tiff(6, 4, 16, RAMP.astype("<i2").tobytes(), sample=2), "no defined white"),
        "integers.tif": (tiff(6, 4, 32, RAMP.astype("<u4").tobytes()), "no defined white"),
        "beyond.tif": (
            tiff(6, 4, 32, numbers.tobytes(), sample=3),
            "no defined white: values from 0 to 65527 of float",
        ),
        "not_a_number.tif": (tiff(6, 4, 32, (numbers * np.nan).tobytes(), sample=3), "no defined white"),
        "program.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "PostScript"),
        "film.mpg": (b"\0\0\x01\xb3\x16\x01\x20\x13" + bytes(64), "."),
    }


def write_hostile(folder: Path) -> dict[str, str | None]:
    """Write one file of every kind, and say what must become of each.

    By name: None if it must be read, else a pattern that the reason must match. A name that is no UTF-8 stands with
    escapes. There is also a folder named as a picture, which is no image and is to be searched as any other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fates: dict[str, str | None] = {}
    for name, content in readable().items():
        (folder / name).write_bytes(content)
        fates[name] = None
    for name, (content, reason) in unreadable().items():
        (folder / name).write_bytes(content)
        fates[name] = reason
    (folder / "folder.jpg").mkdir()
    for name, (make, reason) in _no_files(folder).items():
        try:
            make()
        except (OSError, NotImplementedError):  # this system does not have such things
            continue
        fates[name] = reason
    if os.name == "posix" and os.geteuid() != 0:  # who may read everything
        (folder / "locked.jpg").write_bytes(saved(photograph(), "JPEG"))
        (folder / "locked.jpg").chmod(0)
        fates["locked.jpg"] = "Permission denied"
    return fates


def _no_files(folder: Path) -> dict[str, tuple[Callable[[], object], str]]:
    strange = os.fsencode(folder) + b"/strange\xff.jpg"
    return {
        "circle.jpg": (lambda: (folder / "circle.jpg").symlink_to("circle.jpg"), "symbolic links"),
        "dangling.jpg": (lambda: (folder / "dangling.jpg").symlink_to("nowhere.jpg"), "No such file"),
        "pipe.jpg": (lambda: os.mkfifo(folder / "pipe.jpg"), "pipe"),
        "strange\\udcff.jpg": (lambda: Path(os.fsdecode(strange)).write_bytes(b"x"), "not UTF-8"),
        "two\\nlines.jpg": (lambda: (folder / "two\nlines.jpg").write_bytes(b"x"), "cannot identify"),
    }
