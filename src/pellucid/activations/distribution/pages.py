"""Distributions of the units of a study: read from its summaries, and written into the units' pages."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pellucid.activations.distribution.description import Description, describe
from pellucid.activations.distribution.distribution import Distribution
from pellucid.activations.distribution.record import record
from pellucid.activations.harvested import check_units, stamp_of
from pellucid.activations.summary.store import layer_record, read_summary
from pellucid.progress import progress_bar
from pellucid.study import Study
from pellucid.study.unit_pages import merge_pages
from pellucid.study.unit_record import DistributionPart, LayerPages, UnitPage


def describe_units(
    study: Study, layer: str, units: Sequence[int], *, progress: bool = False, **options: Any
) -> dict[int, dict[str, Description]]:
    """Describe units of a harvested layer: for each its distributions by tap, "post" and where there is one "pre".

    "post" is the layer's output, "pre" the input of the rectifier that it comes out of. The `options` are those of
    `describe`. Raises `StudyError` if the layer was not harvested, `ObjectiveError` for a unit that it does not have.
    """
    about = layer_record(study, layer)
    check_units(layer, units, about.units)
    found: dict[int, dict[str, Description]] = {unit: {} for unit in units}
    with progress_bar(f"distributions of {layer}", len(found) * len(about.taps), shown=progress) as advance:
        for tap in about.taps:
            summary = read_summary(study, layer, tap)
            for unit in found:
                found[unit][tap] = describe(Distribution.of(summary, unit), **options)
                advance(1)
    return found


def write_distributions(
    study: Study, layer: str, units: Mapping[int, Mapping[str, Description]], **options: Any
) -> LayerPages:
    """Write descriptions of units by tap, from `describe_units` with the same options, into the pages of the units.

    Returns the list of the layer's pages. Raises `StudyError` if they cannot be written.
    """
    about = layer_record(study, layer)
    stamp = stamp_of(study, about, {"part": "distribution", **options})
    network = study.manifest.network.get("name", "")

    def pages() -> Iterator[UnitPage]:
        for unit, taps in units.items():
            output = taps["post"].numbers
            part = DistributionPart(record(taps)["taps"])
            yield UnitPage(
                network, layer, unit, about.images, output.count, _short(output.maximum), _short(output.fires.value),
                distribution=part, stamps={"distribution": stamp},
            )  # fmt: skip

    return merge_pages(study, layer, pages())


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
