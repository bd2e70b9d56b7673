"""The records of unit pages on disk: what a data set does to one unit, as the web app shows it.

`units/LAYER/INDEX.json` holds one `UnitPage`, and its pictures lie beside it as sheets. `units/LAYER/index.json` holds
the layer's `LayerPages`, which names every page with its files, so that a list of units is shown and served without
opening their pages.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import read_record, write_json
from pellucid.study.manifest import Study
from pellucid.study.records import SheetRecord

PARTS = ("examples", "distribution", "quilt")
"""The parts of a page, each made by a command of its own."""
INDEX = "index.json"


@dataclass(frozen=True)
class ExampleRecord:
    """One place of one image, shown by picture `crop` of one sheet and picture `context` of the other.

    `outline` is what the unit sees of the context picture: left, top, right and bottom as shares of its sides.
    """

    image: str
    label: str  # empty where it is unknown
    value: float
    place: tuple[int, int]  # row and column in the layer's map
    crop: int
    context: int
    outline: tuple[float, float, float, float]


@dataclass(frozen=True)
class ExampleRow:
    """Examples of one kind, such as the highest, in their order."""

    name: str
    title: str
    note: str
    examples: tuple[ExampleRecord, ...]


@dataclass(frozen=True)
class ExamplesPart:
    """The examples of a unit; `sheets` are "crops" and "contexts"."""

    sheets: Mapping[str, SheetRecord]
    rows: tuple[ExampleRow, ...]


@dataclass(frozen=True)
class QuiltExample:
    """One place of one image in a quilt, shown by picture `crop` of its sheet."""

    image: str
    label: str
    value: float
    place: tuple[int, int]
    crop: int


@dataclass(frozen=True)
class QuiltColumn:
    """Random examples of the `count` positions with activations from `low` to `high`, None where the bin is open."""

    low: float | None
    high: float | None
    count: int
    examples: tuple[QuiltExample, ...]


@dataclass(frozen=True)
class QuiltPart:
    """The quilt of a unit: columns are bins of its activation "pre" or "post" rectification."""

    tap: str
    sheet: SheetRecord
    columns: tuple[QuiltColumn, ...]


@dataclass(frozen=True)
class DistributionPart:
    """The distribution of a unit's activations: for each tap, "pre" or "post", its numbers, histogram and density."""

    taps: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class UnitPage:
    """Everything that a data set of `images` images and `positions` positions shows of one unit.

    `max` is the highest value of the layer's output and `fires` the share of its positions above 0. Parts that were not
    made are None; `stamps` are digests of the configurations that made the others.
    """

    network: str
    layer: str
    unit: int
    images: int
    positions: int
    max: float | None = None
    fires: float | None = None
    distribution: DistributionPart | None = None
    examples: ExamplesPart | None = None
    quilt: QuiltPart | None = None
    stamps: Mapping[str, str] = field(default_factory=dict)
    format: int = 1

    @classmethod
    def read(cls, path: Path) -> "UnitPage":
        """Read a page. Raises `StudyError` if it is missing, damaged or newer than this version."""
        content = read_record(path, cls.format, "a record of unit pages")
        try:
            parts = {name: _READERS[name](content[name]) if content.get(name) else None for name in PARTS}
            return cls(**{**content, **parts})
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise StudyError(f"{path} is not the page of a unit: {error}") from None

    def write(self, folder: Path) -> None:
        """Write the page into its layer's folder."""
        write_json(folder / page_name(self.unit), asdict(self))

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that the page has."""
        return tuple(name for name in PARTS if getattr(self, name) is not None)

    def files(self) -> tuple[str, ...]:
        """The page and its sheets, relative to the layer's folder."""
        sheets = [] if self.examples is None else [sheet.file for sheet in self.examples.sheets.values()]
        sheets += [] if self.quilt is None else [self.quilt.sheet.file]
        return (page_name(self.unit), *sheets)


@dataclass(frozen=True)
class UnitEntry:
    """What the list of a layer's units says of one: its highest value, its share of firing, its parts and files."""

    unit: int
    max: float | None
    fires: float | None
    pages: tuple[str, ...]
    files: tuple[str, ...]

    @classmethod
    def of(cls, page: UnitPage) -> "UnitEntry":
        """The entry of a page."""
        return cls(page.unit, page.max, page.fires, page.parts, page.files())


@dataclass(frozen=True)
class LayerPages:
    """The pages of a layer's units, in the order of the units."""

    network: str
    layer: str
    units: tuple[UnitEntry, ...]
    format: int = 1

    @classmethod
    def read(cls, folder: Path) -> "LayerPages":
        """Read `index.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        path = folder / INDEX
        content = read_record(path, cls.format, "a record of unit pages")
        try:
            units = tuple(
                UnitEntry(one["unit"], one["max"], one["fires"], tuple(one["pages"]), tuple(one["files"]))
                for one in content["units"]
            )
            return cls(**{**content, "units": units})
        except (TypeError, KeyError) as error:
            raise StudyError(f"{path} is not the list of a layer's units: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `index.json` into a folder."""
        write_json(folder / INDEX, asdict(self))

    def files(self) -> tuple[str, ...]:
        """The list itself and all that it names, relative to its folder."""
        return (INDEX, *(name for unit in self.units for name in unit.files))


def unit_folder(study: Study, layer: str) -> Path:
    """Where the pages of a layer's units lie. Raises `StudyError` for a name that is no plain folder name."""
    if not layer or layer.startswith(".") or any(sign in layer for sign in '/\\:*?"<>|'):
        raise StudyError(f"{layer!r} cannot be the name of a layer's folder")
    return study.path / "units" / layer


def page_name(unit: int) -> str:
    """The file of a unit's page."""
    return f"{unit}.json"


def _examples(content: dict[str, Any]) -> ExamplesPart:
    rows = tuple(
        ExampleRow(row["name"], row["title"], row["note"], tuple(_example(one) for one in row["examples"]))
        for row in content["rows"]
    )
    return ExamplesPart({name: SheetRecord.of(sheet) for name, sheet in content["sheets"].items()}, rows)


def _example(content: dict[str, Any]) -> ExampleRecord:
    row, column = content["place"]
    left, top, right, bottom = content["outline"]
    return ExampleRecord(**{**content, "place": (row, column), "outline": (left, top, right, bottom)})


def _quilt(content: dict[str, Any]) -> QuiltPart:
    columns = tuple(
        QuiltColumn(
            column["low"],
            column["high"],
            column["count"],
            tuple(QuiltExample(**{**one, "place": tuple(one["place"])}) for one in column["examples"]),
        )
        for column in content["columns"]
    )
    return QuiltPart(content["tap"], SheetRecord.of(content["sheet"]), columns)


def _distribution(content: dict[str, Any]) -> DistributionPart:
    return DistributionPart({tap: dict(numbers) for tap, numbers in content["taps"].items()})


_READERS = {"examples": _examples, "distribution": _distribution, "quilt": _quilt}
