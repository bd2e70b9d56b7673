"""Units of a layer as people write them: `layer:17`, `layer:3,5,9-12`, `layer:*`."""

import re

from pellucid.errors import ObjectiveError

_SELECTION = re.compile(r"(?P<layer>[^/:@\s*+\[\]]+):(?P<units>[^:]+)")
_RANGE = re.compile(r"\s*(?P<first>\d+)\s*(?:-\s*(?P<last>\d+)\s*)?")


def split_units(text: str) -> tuple[str, str]:
    """The layer and the units of `layer:3,5,9-12`, as text. Raises `ObjectiveError` if it has no such form."""
    match = _SELECTION.fullmatch(text.strip())
    if match is None:
        raise ObjectiveError(f"{text!r} names no units; write 'layer:17', 'layer:3,5,9-12' or 'layer:*'")
    return match["layer"], match["units"]


def parse_units(text: str, units: int) -> list[int]:
    """The units that `3,5,9-12` or `*` means in a layer of `units` units, each once, in the order given.

    The layer's name may stand before them, as in `layer:3,5`. Raises `ObjectiveError` for what cannot be read and for
    units that the layer does not have.
    """
    wanted = split_units(text)[1] if ":" in text else text
    if wanted.strip() == "*":
        return list(range(units))
    found: dict[int, None] = {}
    for part in wanted.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ObjectiveError(f"cannot read {part.strip()!r} in {text!r}; write units as '17', '3,5,9-12' or '*'")
        first = int(match["first"])
        last = first if match["last"] is None else int(match["last"])
        if not first <= last < units:
            raise ObjectiveError(f"there is no {part.strip()!r} in {text!r}: the layer has units 0 to {units - 1}")
        found.update(dict.fromkeys(range(first, last + 1)))
    return list(found)
