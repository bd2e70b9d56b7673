"""Finding a class by what a person calls it."""

from collections.abc import Sequence

from pellucid.errors import AtlasError, did_you_mean

_SHOWN = 6  # names in an error


def find_class(classes: Sequence[str], text: str, *, count: int | None = None) -> int:
    """The index of a class that is given by its index or by a name, whatever the case of the letters.

    A name is looked for first among whole names and their parts between commas ("great white shark" of "great white
    shark, white shark, man-eater"), then as a piece of a name; it must be one class's alone. `count` is the number of
    classes where they have no names. Raises `AtlasError` for a name of no class or of several, with those that are
    meant perhaps, and for an index that there is not.
    """
    wanted = plain_name(text)
    total = len(classes) if count is None else count
    if not wanted or total < 1:
        raise AtlasError(
            f"a class is given by its index or its name, not {text!r}" if total else "there are no classes"
        )
    if wanted.isdecimal():
        index = int(wanted)
        if index >= total:
            raise AtlasError(f"there is no class {index}: there are classes 0 to {total - 1}")
        return index
    if not classes:
        raise AtlasError(f"the classes have no names, so there is no {text!r}: give an index from 0 to {total - 1}")
    names = [plain_name(name) for name in classes]
    for fits in (
        lambda name: name == wanted,
        lambda name: wanted in [part.strip() for part in name.split(",")],
        lambda name: wanted in name,
    ):
        found = [index for index, name in enumerate(names) if fits(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise AtlasError(f"{text!r} is in the names of {len(found)} classes: {_listed(classes, found)}; say which")
    parts = [part.strip() for name in classes for part in name.split(",")]
    raise AtlasError(f"there is no class {text!r}{did_you_mean(text, parts) or ': give an index or a part of a name'}")


def short_name(classes: Sequence[str], label: int) -> str:
    """The first of the names between commas that a class has; "class 3" where classes have no names."""
    return classes[label].split(",")[0].strip() if classes else f"class {label}"


def plain_name(text: str) -> str:
    """A name as names are compared: whatever the case, with single spaces, which may be written as underscores."""
    return " ".join(text.casefold().replace("_", " ").split())


def _listed(classes: Sequence[str], found: Sequence[int]) -> str:
    shown = ", ".join(f"{index} ({classes[index]})" for index in found[:_SHOWN])
    return f"{shown} and {len(found) - _SHOWN} more" if len(found) > _SHOWN else shown
