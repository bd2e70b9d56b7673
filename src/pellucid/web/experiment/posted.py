"""What the page sends: every field of its type and within its bounds, and none besides."""

import math
import re
from typing import Any

from pellucid.web.experiment.refusals import invalid

_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LATEST = 1e14
"""Milliseconds since 1970: some thousand years."""
LONGEST = 1e10
"""Milliseconds: some months."""


class Posted:
    """The fields of a posted object. Each method gives one, or refuses it with 422."""

    def __init__(self, content: dict[str, Any], *known: str, optional: tuple[str, ...] = ()) -> None:
        if not {*known} <= content.keys() <= {*known, *optional}:
            raise invalid(f"that is an object of {', '.join(sorted(known))}")
        self._content = content

    def text(self, name: str, most: int, *, least: int = 0) -> str:
        """Text of `least` to `most` characters that a database can hold."""
        value = self._content.get(name)
        if not isinstance(value, str) or not least <= len(value) <= most or not _storable(value):
            raise invalid(f"{name} is text of {least} to {most} characters")
        return value

    def key(self) -> str:
        """What makes a request count once however often it is sent."""
        value = self._content.get("key")
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            raise invalid("key is a random UUID")
        return value.lower()

    def number(self, name: str, most: float) -> float:
        """A number from 0 on."""
        return _number(self._content.get(name), name, most)

    def whole(self, name: str, least: int, most: int) -> int:
        """A whole number."""
        return _whole(self._content.get(name), name, least, most)

    def one_of(self, name: str, *values: str) -> str:
        """One of these words."""
        value = self._content.get(name)
        if not isinstance(value, str) or value not in values:
            raise invalid(f"{name} is one of {', '.join(values)}")
        return value

    def window(self) -> list[int]:
        """Width and height of the window in CSS pixels."""
        value = self._content.get("window")
        if not isinstance(value, list) or len(value) != 2:
            raise invalid("window is a width and a height")
        return [_whole(one, "window", 0, 100_000) for one in value]

    def objects(self, name: str, most: int, *known: str) -> list["Posted"]:
        """A list of objects of these fields."""
        value = self._content.get(name)
        if not isinstance(value, list) or len(value) > most or not all(isinstance(one, dict) for one in value):
            raise invalid(f"{name} is a list of at most {most} objects")
        return [Posted(one, *known) for one in value]

    def platform(self) -> dict[str, str]:
        """What a platform's link says of who comes: Prolific's parameters, of which any may be missing."""
        names = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
        value = self._content.get("platform")
        if not isinstance(value, dict):
            raise invalid("platform is an object")
        said = Posted(value, optional=names)
        return {name: said.text(name, 128) for name in names if name in value}


def _number(value: Any, name: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most or math.isnan(value):
        raise invalid(f"{name} is a number from 0 to {most:g}")
    return float(value)


def _whole(value: Any, name: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise invalid(f"{name} is a whole number from {least} to {most}")
    return value


def _storable(text: str) -> bool:
    # Postgres holds no NUL, and half a surrogate pair is no text.
    return "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text)
