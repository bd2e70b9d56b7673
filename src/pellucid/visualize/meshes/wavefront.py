"""Models from Wavefront files (.obj)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import torch

from pellucid.errors import ObjectiveError
from pellucid.visualize.meshes.mesh import Mesh


def read_mesh(path: Path | str) -> Mesh:
    """The triangles of a Wavefront .obj file with their texture coordinates.

    Read are points (`v`), texture coordinates (`vt`) and faces (`f`), of which those of more than three corners become
    fans of triangles; indices count from 1, or from the end if they are negative. Normals, groups, materials and lines
    are passed over: one texture is on the whole model. Raises `ObjectiveError` with the number of the line for what
    cannot be read, and for faces without texture coordinates.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ObjectiveError(f"the model {path} cannot be read: {error.strerror or error}") from error
    points: list[list[float]] = []
    places: list[list[float]] = []
    faces: list[list[int]] = []
    coordinates: list[list[list[float]]] = []
    for number, kind, words in _lines(text):
        where = f"{path}, line {number}"
        if kind == "v":
            points.append(_numbers(words, 3, where))
        elif kind == "vt":
            places.append([*_numbers(words, 1, where), 0.0][:2] if len(words) == 1 else _numbers(words, 2, where))
        elif kind == "f":
            if len(words) < 3:
                raise ObjectiveError(f"{where}: a face of {len(words)} corners encloses nothing")
            corners = [_corner(word, len(points), len(places), where) for word in words]
            for second, third in pairwise(corners[1:]):
                faces.append([corners[0][0], second[0], third[0]])
                coordinates.append([places[corner[1]] for corner in (corners[0], second, third)])
    if not faces:
        raise ObjectiveError(f"{path} has no faces: it is no Wavefront model of a surface")
    return Mesh(
        torch.tensor(points, dtype=torch.float64),
        torch.tensor(faces),
        torch.tensor(coordinates, dtype=torch.float64),
    )


def _lines(text: str) -> Iterator[tuple[int, str, Sequence[str]]]:
    """The number of every line with its first word and the others; a line that ends in a backslash goes on."""
    held, first = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        first = first or number
        held += line.partition("#")[0]
        if held.rstrip().endswith("\\"):
            held = held.rstrip()[:-1] + " "
            continue
        words = held.split()
        if words:
            yield first, words[0], words[1:]
        held, first = "", 0


def _numbers(words: Sequence[str], count: int, where: str) -> list[float]:
    try:
        return [float(word) for word in (*words[:count], *[""] * (count - len(words)))]
    except ValueError:
        raise ObjectiveError(f"{where}: {count} numbers are wanted, not {' '.join(words)!r}") from None


def _corner(word: str, points: int, places: int, where: str) -> tuple[int, int]:
    """The point and the texture coordinates of a corner such as 3/1/7, each counted from 0."""
    point, _, rest = word.partition("/")
    place = rest.partition("/")[0]
    if not place:
        raise ObjectiveError(
            f"{where}: the corner {word!r} has no texture coordinates; unwrap the model in the program that made it, "
            "and write it with them"
        )
    return _index(point, points, "points", where), _index(place, places, "texture coordinates", where)


def _index(word: str, count: int, what: str, where: str) -> int:
    try:
        number = int(word)
    except ValueError:
        raise ObjectiveError(f"{where}: {word!r} is no number of one of the {what}") from None
    index = count + number if number < 0 else number - 1
    if not 0 <= index < count:
        raise ObjectiveError(f"{where}: there is no number {number} among the {count} {what} before it")
    return index
