"""A table of stimuli: what is shown, in which style and with which seed, as rows with named columns."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.curves.stimuli.drawing import draw
from pellucid.curves.stimuli.stimulus import Stimulus
from pellucid.curves.stimuli.styles import STYLES, Style
from pellucid.errors import PellucidError
from pellucid.shapes import Images
from pellucid.study import writing

if TYPE_CHECKING:
    import pyarrow as pa

Column = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Grid:
    """Rows of a bank laid out by two of its columns: `index` (R, C) into the bank, by values of `rows` and `columns`.

    `responses[grid.index]` is a heatmap, where `responses` has an entry for each stimulus.
    """

    rows: Column
    columns: Column
    index: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Bank:
    """Stimuli with a style, by name, and a seed for each; `looks` are the styles by their names.

    Its columns are `kind`, `style`, `seed` and every parameter that any of the stimuli has.
    """

    stimuli: tuple[Stimulus, ...]
    styles: tuple[str, ...]
    seeds: tuple[int, ...]
    looks: Mapping[str, Style]

    def __post_init__(self) -> None:
        if not len(self.stimuli) == len(self.styles) == len(self.seeds):
            raise PellucidError("a bank has one style and one seed for each stimulus")
        missing = sorted(set(self.styles) - set(self.looks))
        if missing:
            raise PellucidError(f"no style {missing[0]!r} in the bank; it has {', '.join(map(repr, self.looks))}")

    @classmethod
    def of(
        cls,
        stimuli: Sequence[Stimulus],
        *,
        styles: Mapping[str, Style] | Sequence[str] = ("line",),
        seeds: Sequence[int] = (0,),
    ) -> "Bank":
        """Every stimulus in every style with every seed; styles are given by name, or as names of `STYLES`."""
        looks = dict(styles) if isinstance(styles, Mapping) else {name: _style(name) for name in styles}
        rows = list(product(looks, seeds, stimuli))
        return cls(
            tuple(one for _, _, one in rows),
            tuple(style for style, _, _ in rows),
            tuple(seed for _, seed, _ in rows),
            looks,
        )

    @classmethod
    def product(
        cls,
        kind: type[Stimulus],
        *,
        styles: Mapping[str, Style] | Sequence[str] = ("line",),
        seeds: Sequence[int] = (0,),
        **values: Any,
    ) -> "Bank":
        """Every combination of parameters of one kind.

        `Bank.product(Curve, radius=(20, 40), orientation=range(360))` are 720 curves. A value is a number, a text, or a
        sequence of them; the first named varies slowest.
        """
        choices = [[value] if isinstance(value, int | float | str) else list(value) for value in values.values()]
        stimuli = [
            kind(**{name: _plain(value) for name, value in zip(values, chosen, strict=True)})
            for chosen in product(*choices)
        ]
        return cls.of(stimuli, styles=styles, seeds=seeds)

    def __len__(self) -> int:
        return len(self.stimuli)

    def __add__(self, other: "Bank") -> "Bank":
        """Both, one below the other. Raises `PellucidError` if they call different styles by one name."""
        for name in set(self.looks) & set(other.looks):
            if self.looks[name] is not other.looks[name]:
                raise PellucidError(f"two banks with different styles {name!r} cannot be joined; rename one")
        looks = {**self.looks, **other.looks}
        return Bank(self.stimuli + other.stimuli, self.styles + other.styles, self.seeds + other.seeds, looks)

    def columns(self) -> dict[str, Column]:
        """The table: texts, whole numbers, and parameters as numbers, NaN (or "") where a kind has none of the name."""
        table: dict[str, Column] = {
            "kind": np.array([one.kind for one in self.stimuli], dtype=str),
            "style": np.array(self.styles, dtype=str),
            "seed": np.array(self.seeds, dtype=np.int64),
        }
        for kind in dict.fromkeys(map(type, self.stimuli)):
            for field in fields(kind):  # pyright: ignore[reportArgumentType]
                values = [getattr(one, field.name, None) for one in self.stimuli]
                texts = any(isinstance(value, str) for value in values)
                missing = "" if texts else math.nan
                table[field.name] = np.array([missing if v is None else v for v in values], str if texts else float)
        return table

    def where(self, **values: Any) -> NDArray[np.int64]:
        """The numbers of the rows whose columns have these values, or one of several.

        `bank.where(kind="curve", style=("line", "fill"))` are the curves in either style.
        """
        table, chosen = self.columns(), np.ones(len(self), dtype=bool)
        for name, wanted in values.items():
            chosen &= np.isin(_column(table, name), [wanted] if isinstance(wanted, int | float | str) else list(wanted))
        return np.flatnonzero(chosen)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> "Bank":
        """Some of the rows, in the order given."""
        stimuli, styles, seeds = ([part[int(i)] for i in rows] for part in (self.stimuli, self.styles, self.seeds))
        return replace(self, stimuli=tuple(stimuli), styles=tuple(styles), seeds=tuple(seeds))

    def grid(self, rows: str, columns: str, **values: Any) -> Grid:
        """The rows that have these values (see `where`), laid out by two columns, in rising order.

        Raises `PellucidError` unless there is exactly one stimulus for each place.
        """
        chosen, table = self.where(**values), self.columns()
        down, right = (np.unique(_column(table, name)[chosen], return_inverse=True) for name in (rows, columns))
        index = np.full((len(down[0]), len(right[0])), -1, dtype=np.int64)
        index[down[1], right[1]] = chosen
        if len(chosen) != index.size or (index < 0).any():
            raise PellucidError(
                f"{len(chosen)} stimuli do not fill {len(down[0])} values of {rows} by {len(right[0])} of {columns} "
                "once each; choose by further columns, such as kind and style"
            )
        return Grid(down[0], right[0], index)

    def draw(
        self,
        size: int | tuple[int, int],
        *,
        centre: tuple[float, float] | None = None,
        channels: int = 3,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Images:
        """Pictures (N, channels, H, W) in [0, 1], one for each row; see `pellucid.curves.draw`."""
        height, width = (size, size) if isinstance(size, int) else size
        pictures = torch.empty((len(self), channels, height, width), device=device, dtype=dtype)
        for name in dict.fromkeys(self.styles):
            rows = [row for row, style in enumerate(self.styles) if style == name]
            drawn = draw(
                [self.stimuli[row] for row in rows],
                (height, width),
                centre=centre,
                style=self.looks[name],
                seed=[self.seeds[row] for row in rows],
                channels=channels,
                device=device,
                dtype=dtype,
            )
            if len(rows) == len(self):
                return drawn
            pictures[rows] = drawn
        return pictures

    def batches(self, size: int | tuple[int, int], *, batch: int = 64, **options: Any) -> Iterator[Images]:
        """The pictures in order, `batch` at a time; further options are those of `draw`."""
        for at in range(0, len(self), batch):
            yield self.take(range(at, min(at + batch, len(self)))).draw(size, **options)

    def table(self) -> "pa.Table":
        """The columns as an Arrow table, null where a kind has no such parameter; the styles are in its metadata."""
        import pyarrow as pa

        arrays = {
            name: pa.array(values, mask=values == "" if values.dtype.kind == "U" else np.isnan(values))
            for name, values in self.columns().items()
        }
        looks = {name: style.describe() for name, style in self.looks.items()}
        return pa.table(arrays).replace_schema_metadata({"styles": json.dumps(looks, allow_nan=False)})

    def save(self, path: Path) -> None:
        """Write the table, `.parquet` or `.csv`."""
        import pyarrow.csv
        import pyarrow.parquet

        writers = {".parquet": pyarrow.parquet.write_table, ".csv": pyarrow.csv.write_csv}
        write = writers.get(path.suffix.lower())
        if write is None:
            raise PellucidError(f"a table of stimuli is written as .parquet or .csv, not {path.suffix!r}")
        with writing(path) as temporary:
            write(self.table(), str(temporary))


def _style(name: str) -> Style:
    if name not in STYLES:
        raise PellucidError(f"no style {name!r}; there are {', '.join(STYLES)}")
    return STYLES[name]


def _plain(value: Any) -> float | str:
    return value if isinstance(value, str) else float(value)


def _column(table: Mapping[str, Column], name: str) -> Column:
    if name not in table:
        raise PellucidError(f"the bank has no column {name!r}; its columns are {', '.join(table)}")
    return table[name]
