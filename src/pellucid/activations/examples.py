"""Examples of what a unit answers to in a data set: the highest, the lowest, and those at any quantile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid.activations.contact_sheet import Cell, Line, contact_sheet
from pellucid.activations.crops import outlined
from pellucid.activations.fingerprints import NEAR
from pellucid.activations.harvested import Harvested, check_units
from pellucid.activations.photographs import Photographs, Shown, Spot
from pellucid.activations.summary import Summary
from pellucid.errors import SummaryError
from pellucid.pictures import save
from pellucid.progress import progress_bar
from pellucid.study import Study


@dataclass(frozen=True, eq=False)
class Row:
    """Examples of one kind: `name` is "highest", "lowest" or a quantile such as "0.5", `note` says what is odd."""

    name: str
    title: str
    note: str
    examples: tuple[Shown, ...]


@dataclass(frozen=True, eq=False)
class UnitExamples:
    """The examples of one unit of a layer, row by row."""

    layer: str
    unit: int
    rows: tuple[Row, ...]

    def sheet(self) -> Any:
        """All of them in one picture: the context with the field outlined, the field itself, and the activation."""
        lines = []
        for row in self.rows:
            cells = [
                Cell((outlined(one.context, one.outline), one.crop), (f"{one.value:.4g}", one.label or one.name))
                for one in row.examples
            ]
            lines.append(Line(row.title, tuple(cells), row.note))
        return contact_sheet(f"{self.layer}:{self.unit}", lines)

    def save(self, path: Path | str) -> None:
        """Write that picture to a file: .png, .webp or .jpg."""
        save(Path(path), self.sheet(), {"unit": f"{self.layer}:{self.unit}", "rows": [row.name for row in self.rows]})


def examples(
    study: Study,
    layer: str,
    units: Sequence[int],
    *,
    tap: str | None = None,
    count: int = 9,
    rows: Sequence[str] = ("highest", "lowest"),
    quantiles: Sequence[float] = (),
    source: Any = None,
    crop: int = 96,
    context: int = 160,
    near: int | None = NEAR,
    progress: bool = False,
) -> dict[int, UnitExamples]:
    """Examples of units of a harvested layer, with the crop that the unit sees and the photograph around it.

    `rows` are "highest", "lowest" and quantiles as text; `quantiles` adds further ones. Each has up to `count` of them,
    no photograph twice. `tap` is "pre", what the layer's rectifier is given, where that was harvested, else "post", its
    output: in that, everything silent is 0, and in a clipped layer everything loud its ceiling.

    The examples at quantile q are those of the positions sampled in each bin of activation whose values lie nearest to
    the value that the share q of all positions lies below, by the histogram; those at equal distance in random order.
    Of near duplicates, whose difference hashes differ in at most `near` of 144 bits, the best alone is shown, and the
    next takes the other's place; None keeps them all.

    `crop` and `context` are the sides of the pictures in pixels. Photographs are read from where they were harvested,
    or from `source`, which `open_source` understands.

    Raises `StudyError` for a layer or tap that was not harvested, `ObjectiveError` for a unit that it does not have,
    `SummaryError` for a row that is none, `ImagesError` if the photographs are gone.
    """
    names = [*rows, *(f"{quantile:g}" for quantile in quantiles)]
    check_rows(names, count)
    harvested = Harvested.read(study, layer, source)
    tap = tap or harvested.tap
    summary = harvested.summary(tap)
    check_units(layer, units, summary.units)
    photographs = harvested.photographs(crop, context)
    with progress_bar(f"examples of {layer}", len(units) * len(names) * count, shown=progress) as advance:
        return choose(summary, photographs, layer, units, tap, names, count, near, advance)


def choose(
    summary: Summary,
    photographs: Photographs,
    layer: str,
    units: Sequence[int],
    tap: str,
    names: Sequence[str],
    count: int,
    near: int | None,
    advance: Callable[[int], None],
) -> dict[int, UnitExamples]:
    """The same for a summary and photographs that are open."""
    candidates = {unit: [_candidates(summary, unit, tap, name) for name in names] for unit in units}
    choices = [one for some in candidates.values() for one in some]
    # Which ones are near duplicates is known when they are open; others then take their places.
    while asked := [(choice, spot) for choice in choices for spot in choice.next(count)]:
        shown = photographs.show([spot for _, spot in asked], advance)
        for (choice, spot), one in zip(asked, shown, strict=True):
            choice.consider(spot, one, photographs, near)
    return {
        unit: UnitExamples(layer, unit, tuple(choice.row(count) for choice in some))
        for unit, some in candidates.items()
    }


def check_rows(names: Sequence[str], count: int) -> None:
    """Raise `SummaryError` unless the names are those of rows and the count is positive."""
    if count < 1 or not names or len(set(names)) < len(names):
        raise SummaryError(f"examples need at least one row, each once, and a count of 1 or more: {names}, {count}")
    for name in names:
        if name not in ("highest", "lowest") and not _is_share(name):
            raise SummaryError(f"there is no row {name!r}; rows are 'highest', 'lowest' and quantiles from 0 to 1")


@dataclass
class _Choice:
    """A row in the making: spots from the best, of which `kept` are shown."""

    name: str
    title: str
    spots: list[Spot]
    remark: str = ""
    at: int = 0
    dropped: int = 0
    kept: list[tuple[Spot, Shown]] = field(default_factory=list)

    def next(self, count: int) -> list[Spot]:
        """The spots that may fill the row."""
        first, self.at = self.at, min(len(self.spots), self.at + count - len(self.kept))
        return self.spots[first : self.at]

    def consider(self, spot: Spot, shown: Shown, photographs: Photographs, near: int | None) -> None:
        """Keep a spot unless its photograph is nearly one that is kept."""
        print_ = photographs.prints.get(spot.image)
        others = [photographs.prints.get(other.image) for other, _ in self.kept]
        if near is not None and print_ and any(other and print_.near(other, near) for other in others):
            self.dropped += 1
        else:
            self.kept.append((spot, shown))

    def row(self, count: int) -> Row:
        """The finished row."""
        remarks = [self.remark] if self.remark else []
        if self.dropped:
            remarks.append(f"{self.dropped} near duplicate{'s' * (self.dropped > 1)} left out")
        if len(self.kept) < count:
            remarks.append(f"the harvest kept only {len(self.spots)} photographs for this")
        errors = [shown.error for _, shown in self.kept if shown.error]
        if errors:
            remarks.append(f"{len(errors)} could not be opened: {errors[0]}")
        return Row(self.name, self.title, "; ".join(remarks), tuple(shown for _, shown in self.kept))


def _candidates(summary: Summary, unit: int, tap: str, name: str) -> _Choice:
    where = ", before rectification" if tap == "pre" else ""
    if name in ("highest", "lowest"):
        spots = Spot.all(getattr(summary, name), unit)
        same = len(spots) > 1 and spots[0].value == spots[-1].value
        remark = f"all of them are {spots[0].value:.4g}, with nothing to choose between" if same else ""
        return _Choice(name, f"{name.capitalize()}{where}", spots, remark)
    value = _quantile(summary, unit, float(name))
    near = sorted(_in_random_order(summary, unit), key=lambda spot: abs(spot.value - value))
    first = {spot.image: spot for spot in reversed(near)}
    spots = [spot for spot in near if first[spot.image] is spot]
    return _Choice(name, f"Quantile {name}{where}", spots, f"sampled positions nearest to {value:.4g}")


def _quantile(summary: Summary, unit: int, share: float) -> float:
    # A bin tells not that all it holds is 0; the count of positions above 0 does.
    silent = summary.minimum[unit] == 0 and share <= 1 - summary.firing[unit]
    return 0.0 if silent else float(summary.quantile(share)[unit])


def _in_random_order(summary: Summary, unit: int) -> list[Spot]:
    samples = summary.samples
    there = samples.items[unit].ravel() >= 0
    spots = Spot.all(samples, unit)
    priorities = samples.priorities[unit].ravel()[there].tolist()
    return [spot for _, spot in sorted(zip(priorities, spots, strict=True), key=lambda pair: pair[0])]


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
