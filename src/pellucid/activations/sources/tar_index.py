"""Where the images lie in a tar file, and what they are labelled."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tarfile import BLOCKSIZE, TarFile, TarInfo

from pellucid.activations.decode import printable
from pellucid.activations.sources.folder import is_picture

_LARGEST = 1 << 30  # bytes of an image, which is read whole
_LONGEST = 1 << 20  # bytes of a file that may hold a label
_CAPTION = 100  # characters: a longer text is no class
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}
_DAMAGE = (tarfile.TarError, OSError, ValueError, ArithmeticError, LookupError, EOFError)  # how tarfile meets it


@dataclass
class Shard:
    """The images of one tar file, in its order: names, places in bytes, labels; and what is skipped, with reasons."""

    names: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        """Note what is not used, and why."""
        self.skipped.append((printable(name), f"{printable(name)}: {reason}"))


def index_shard(path: Path, title: str) -> Shard:
    """Read the headers and labels of a tar file. Whatever is wrong with it is in `skipped`, under `title`."""
    shard = Shard()
    try:
        tar = _opened(path)
    except _DAMAGE as error:
        shard.skip(title, (isinstance(error, OSError) and error.strerror) or str(error))
        return shard
    try:
        with tar:
            _index(tar, path.stat().st_size, title, shard)
    except OSError as error:  # of the disk, in the middle
        shard.skip(title, error.strerror or str(error))
    return shard


def _opened(path: Path) -> TarFile:
    if path.is_dir():
        raise tarfile.ReadError("is a folder")
    with path.open("rb") as file:
        kind = _COMPRESSED.get(file.read(2))
    if kind:
        raise tarfile.ReadError(f"is compressed with {kind}, but images are read from its middle; uncompress it")
    # Zeros are ignored, so that what lies behind a damaged header is found, too.
    return tarfile.open(path, mode="r:", ignore_zeros=True)


def _index(tar: TarFile, length: int, title: str, shard: Shard) -> None:
    images: dict[str, tuple[int, int]] = {}
    labels: dict[str, dict[str, str | None]] = {}
    for member in _members(tar, length, title, shard):
        name = PurePosixPath(member.name).as_posix()
        key, ending = _sample(name)
        if member.isdir():
            continue
        if is_picture(PurePosixPath(name).name):
            if reason := _unusable(member, name, length):
                shard.skip(f"{title}/{name}", reason)
                continue
            if name in images:
                shard.skip(f"{title}/{name}", "stands in the shard more than once; the last is used")
            images[name] = (member.offset_data, member.size)
        elif ending in _READERS and member.isreg() and member.size <= _LONGEST:
            labels.setdefault(key, {})[ending] = _label(tar, member, ending)
    for name, (offset, size) in images.items():
        shard.names.append(name)
        shard.offsets.append(offset)
        shard.sizes.append(size)
        shard.labels.append(_of_sample(labels.get(_sample(name)[0], {})))


def _members(tar: TarFile, length: int, title: str, shard: Shard) -> Iterator[TarInfo]:
    """The members of a tar file of some length; stretches that cannot be read are noted."""
    end = 0  # of what has been read
    while True:
        try:
            member = tar.next()
        except _DAMAGE:
            member = None
        if member is not None and (member.size < 0 or tar.offset <= end):  # would lead back, and round for ever
            member = None
        start = length if member is None else member.offset
        if end > length:
            shard.skip(title, f"is cut off after {length:,} bytes; what followed is lost")
        elif not _is_zero(tar, end, start):
            shard.skip(
                title, f"{start - end:,} bytes from byte {end:,} on are no part of a tar file; what stood there is lost"
            )
        elif member is None and length - end < BLOCKSIZE:
            shard.skip(title, f"has no end mark after {length:,} bytes; it may have been cut off there")
        if member is None:
            return
        end = tar.offset
        yield member
        tar.members = []  # type: ignore[attr-defined] - else it keeps them all


def _is_zero(tar: TarFile, start: int, end: int) -> bool:
    if start == end:
        return True
    assert tar.fileobj is not None
    tar.fileobj.seek(start)
    while start < end:
        block = tar.fileobj.read(min(1 << 20, end - start))
        if block.strip(b"\0"):
            return False
        start += len(block) or end
    return True


def _unusable(member: TarInfo, name: str, length: int) -> str | None:
    """Why a member that is named as a picture is not used."""
    if not member.isreg():
        return "is a link or a device, not a file"
    if member.issparse():
        return "is stored with holes (a sparse file)"
    if member.size > _LARGEST:
        return f"has {member.size:,} bytes; the most is {_LARGEST:,}"
    if member.offset_data + member.size > length:
        return "the shard is cut off in its midst"
    if printable(name) != name:
        return "its name is not UTF-8 or has control characters; rename it"
    return None


def _sample(name: str) -> tuple[str, str]:
    """The name of the sample that a file belongs to, and its ending: `a/x` and `seg.png` of `a/x.seg.PNG`."""
    folder, slash, file = name.rpartition("/")
    stem, _, ending = file.partition(".")
    return folder + slash + stem, ending.lower()


def _label(tar: TarFile, member: TarInfo, ending: str) -> str | None:
    try:
        file = tar.extractfile(member)
        return _READERS[ending](file.read().decode().strip()) if file else None
    except (*_DAMAGE, RecursionError):  # deep JSON
        return None


def _of_json(text: str) -> str | None:
    content = json.loads(text)
    label = content.get("label") if isinstance(content, dict) else None
    return str(label) if isinstance(label, int | str) and not isinstance(label, bool) else None


def _of_text(text: str) -> str | None:
    return text if text and "\n" not in text and len(text) <= _CAPTION else None


_READERS = {"cls": _of_text, "json": _of_json, "txt": _of_text}


def _of_sample(labels: dict[str, str | None]) -> str | None:
    """The label of a sample. Beside a .json without a label, the .txt is a caption."""
    if labels.get("cls") is not None:
        return labels["cls"]
    return labels["json"] if "json" in labels else labels.get("txt")
