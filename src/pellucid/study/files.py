"""Writing so that a file is either whole or absent, and digests of configurations."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it to `path` when the block ends well, remove it when it does not.

    The file reaches the disk before it gets its name, so a process killed at any moment leaves the old file or the
    new one, never a part. Errors of the disk become `StudyError`.
    """
    temporary = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # the error that led here says more
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with writing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Any) -> None:
    """Write a value as JSON, atomically; the same value always gives the same bytes."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises `StudyError` if it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StudyError(f"{path} is missing") from None
    except (OSError, ValueError) as error:
        raise StudyError(f"{path} cannot be read: {error}") from error


def read_record(path: Path, newest: int, what: str) -> dict[str, Any]:
    """Read a JSON object that says its `format`, 1 if it does not.

    Raises `StudyError` if the file is missing or damaged, "is not `what`", or of a format above the `newest` known.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("format", 1), int):
        raise StudyError(f"{path} is not {what}")
    if content.get("format", 1) > newest:
        raise StudyError(
            f"{path} has format {content['format']}, and this version of Pellucid reads up to {newest}; install a "
            "newer version"
        )
    return content


def digest(value: Any) -> str:
    """The sha256 of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()
