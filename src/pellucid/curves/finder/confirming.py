"""Mature curve detectors, confirmed by rotated photographs or not."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from pellucid.activations.items import item_of
from pellucid.activations.photographs import Spot
from pellucid.activations.sources import Source
from pellucid.activations.views import ViewPlan
from pellucid.curves.finder.found import Confirmation, Judged
from pellucid.curves.finder.stages import Arrays, Stages
from pellucid.curves.finder.survey import Best, Survey
from pellucid.curves.natural import NaturalCheck, Place, best_places, natural_check
from pellucid.curves.rule import Thresholds
from pellucid.curves.sight import Sight
from pellucid.curves.tuning_curves import TuningCurve
from pellucid.networks import Network, ReceptiveField
from pellucid.networks.hastened import hastened
from pellucid.networks.lanes import in_lanes
from pellucid.progress import progress_bar


def confirm(
    network: Network,
    source: Source,
    layers: Sequence[Judged],
    surveys: Mapping[str, Survey],
    seen: Mapping[str, Sight],
    rule: Thresholds,
    *,
    examples: int,
    step: float,
    stages: Stages,
    progress: bool = False,
) -> dict[str, Confirmation]:
    """Check every mature curve detector by the photographs that it fires at most, turned about what it sees.

    How the direction of the photographs is told by the other units of the layer, see `natural_check`. Units by address.
    """
    told = [(layer, unit) for layer in layers for unit in layer.units("mature")]
    if not told:
        return {}
    names = list(dict.fromkeys(layer.layer for layer, _ in told))
    fields = network.receptive_fields(names)
    weights = network.digest
    drawn = {layer.layer: _drawn(layer) for layer in layers if layer.layer in fields}

    def check(network: Network, given: tuple[Judged, int]) -> Arrays:
        layer, unit = given[0].layer, given[1]
        best = surveys[layer].best
        images = best.images[unit, :examples].tolist()
        stage = ["natural", weights, source.describe(), layer, unit, images, step, asdict(rule)]

        def make() -> Arrays:
            places = _places(network, source, layer, unit, best, fields[layer], examples)
            options: dict[str, Any] = {"step": step, "sight": seen[layer]}
            return _numbers(natural_check(network, layer, {unit: places}, source, drawn[layer], **options)[unit], rule)

        return stages.get(stage, make)

    confirmed: dict[str, Confirmation] = {}
    with (
        progress_bar("turning photographs", len(told), shown=progress) as advance,
        hastened(network, names) as quick,
    ):
        for (layer, unit), kept in zip(told, in_lanes(quick, check, told), strict=True):
            confirmed[f"{layer.layer}:{unit}"] = Confirmation(
                float(kept["difference"]), float(kept["chance"]), bool(kept["confirmed"]), str(kept["note"])
            )
            advance(1)
    return confirmed


def _drawn(layer: Judged) -> dict[int, TuningCurve]:
    """The tuning curves of the units of a layer that drawn curves excite."""
    measures = layer.measures
    return {unit: measures.curve(unit) for unit in range(measures.units) if measures.tuning[unit].any()}


def _places(
    network: Network, source: Source, layer: str, unit: int, best: Best, field: ReceptiveField, examples: int
) -> list[Place]:
    size = network.spatial_layer(layer).size
    assert size is not None
    spots = [
        Spot(item_of(int(image), 0), int(place), float(value))
        for image, place, value in zip(best.images[unit], best.positions[unit], best.values[unit], strict=True)
        if image >= 0
    ]
    return best_places(
        spots, photographs=source, plan=ViewPlan(center=network.crop), grid=size, size=network.size, field=field,
        count=examples,
    )  # fmt: skip


def _numbers(check: NaturalCheck, rule: Thresholds) -> dict[str, np.ndarray]:
    difference = check.difference if math.isfinite(check.natural) else math.nan
    values = {
        "difference": difference,
        "chance": check.chance,
        "confirmed": check.confirms(rule.mature_natural),
        "note": check.note,
    }
    return {name: np.array(value) for name, value in values.items()}
