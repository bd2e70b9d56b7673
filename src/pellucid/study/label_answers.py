"""The answers of raters on disk: for each rater one file of JSON lines, to which lines are only ever added.

A line is an `AnswerRecord`. The last line of an image holds; one without a label takes back what was said before. A
line reaches the disk before its answer is acknowledged. What a crash left of a line that was not, at the end of the
file, is passed over and then removed.
"""

import json
import math
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pellucid.errors import StudyError

try:
    import fcntl
except ImportError:  # Windows: there the one who writes is the one server of the study
    fcntl = None

ANSWERS = "answers"
_LONGEST = 40
_KEY = re.compile(r"[A-Za-z0-9-]{8,64}")


class OtherAnswerError(StudyError):
    """A key was given for an answer, and is that of another one already."""


@dataclass(frozen=True)
class AnswerRecord:
    """One thing that a rater said of an image, `label`, or None to take it back, and the unit's activation for it.

    `key` names the saying: one that comes twice is the same. `client_time` is when the rater said it by their own
    clock, in milliseconds since 1970, `time` when it was kept (ISO 8601).
    """

    key: str
    image: str
    label: str | None
    activation: float
    client_time: float
    time: str = ""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise StudyError("the key of an answer is 8 to 64 letters, digits and hyphens")

    @classmethod
    def parsed(cls, line: bytes) -> "AnswerRecord":
        """The answer in a line. Raises `ValueError`, `TypeError` or `StudyError` if it is none."""
        content = json.loads(line)
        if not isinstance(content, dict):
            raise TypeError("no record")
        for name in ("key", "image", "label", "time"):
            if not isinstance(content.get(name), str) and (name != "label" or content.get(name) is not None):
                raise TypeError(f"{name} is no text")
        for name in ("activation", "client_time"):
            value = content.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise TypeError(f"{name} is no number")
        return cls(**content)

    def same(self, other: "AnswerRecord") -> bool:
        """Whether another record says the same by the same key."""
        return (self.key, self.image, self.label) == (other.key, other.image, other.label)


def rater_name(text: str) -> str:
    """The name of a rater as it is kept: in small letters, without needless spaces.

    Raises `StudyError` unless it has up to 40 letters and digits, and between them spaces, '.', '-' or '_'.
    """
    name = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    kinds = [unicodedata.category(sign)[0] for sign in name]
    plain = all(kind in "LMN" or sign in " .-_" for sign, kind in zip(name, kinds, strict=True))
    if not 0 < len(name) <= _LONGEST or not plain or kinds[0] not in "LN" or kinds[-1] not in "LMN":
        raise StudyError(f"a rater's name is 1 to {_LONGEST} letters and digits, between them spaces, '.', '-' or '_'")
    return name


def keep_answer(folder: Path, rater: str, answer: AnswerRecord) -> list[AnswerRecord]:
    """Add an answer to what a rater said of the task in a folder, unless it is kept already; return all of it.

    The answer is on the disk when this returns. Several programs may add at once where files can be locked (anywhere
    but on Windows). Raises `OtherAnswerError` if the key is that of something else, `StudyError` if the file is
    damaged or cannot be written.
    """
    path = _file(folder, rater)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path) as file:
            content = os.pread(file, os.fstat(file).st_size, 0) if hasattr(os, "pread") else path.read_bytes()
            kept = _parsed(path, content)
            for one in kept:
                if one.key == answer.key:
                    if not one.same(answer):
                        raise OtherAnswerError(f"the key {answer.key} is that of another answer of {rater}")
                    return kept
            stamped = AnswerRecord(**{**asdict(answer), "time": datetime.now(UTC).isoformat(timespec="milliseconds")})
            line = json.dumps(asdict(stamped), ensure_ascii=False, allow_nan=False).encode() + b"\n"
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                os.ftruncate(file, whole)
            _write(file, line, whole)
            return [*kept, stamped]
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror or error}") from error


def read_answers(folder: Path, rater: str) -> list[AnswerRecord]:
    """All that a rater said of the task in a folder, in its order. Raises `StudyError` if the file is damaged."""
    path = _file(folder, rater)
    try:
        return _parsed(path, path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror or error}") from error


def standing(answers: list[AnswerRecord]) -> dict[str, AnswerRecord]:
    """What holds in the end: the last answer of each image that was not taken back, in the order they were given."""
    found: dict[str, AnswerRecord] = {}
    for answer in answers:
        found.pop(answer.image, None)
        if answer.label is not None:
            found[answer.image] = answer
    return found


def raters(folder: Path) -> list[str]:
    """The raters who have said something of the task in a folder."""
    return sorted(path.name.removeprefix("rater-").removesuffix(".jsonl") for path in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    for path in (folder / ANSWERS).glob("rater-*.jsonl"):
        name = path.name.removeprefix("rater-").removesuffix(".jsonl")
        try:
            if rater_name(name) == name:
                yield path
        except StudyError:  # a file of somebody else
            continue


def _file(folder: Path, rater: str) -> Path:
    return folder / ANSWERS / f"rater-{rater_name(rater)}.jsonl"


def _parsed(path: Path, content: bytes) -> list[AnswerRecord]:
    """The whole lines of a file: what follows the last end of a line was never acknowledged."""
    found = []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            found.append(AnswerRecord.parsed(line))
        except (ValueError, TypeError, StudyError) as error:
            raise StudyError(f"{path}, line {number}, is not an answer: {error}") from None
    return found


def _write(file: int, line: bytes, at: int) -> None:
    """Write a line at the end; if it does not reach the disk, leave the file as it was."""
    try:
        written = 0
        while written < len(line):
            written += os.write(file, line[written:])
        os.fsync(file)
    except OSError:
        os.ftruncate(file, at)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file open for adding to, to nobody else at the same time. A new file's name reaches the disk as well."""
    new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        if new and hasattr(os, "O_DIRECTORY"):
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        yield file
    finally:
        os.close(file)
