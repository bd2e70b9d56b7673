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
from pellucid.curves.natural import NaturalCheck, best_places, natural_check
from pellucid.curves.rule import Thresholds
from pellucid.curves.sight import Sight
from pellucid.networks import Network
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

    def check(network: Network, given: tuple[Judged, int]) -> Arrays:
        layer, unit = given
        best = surveys[layer.layer].best
        images = best.images[unit, :examples].tolist()
        stage = ["natural", network.digest, source.describe(), layer.layer, unit, images, step, asdict(rule)]
        sight = seen[layer.layer]
        return stages.get(
            stage, lambda: _numbers(_checked(network, source, layer, unit, best, sight, examples, step), rule)
        )

    confirmed: dict[str, Confirmation] = {}
    with progress_bar("turning photographs", len(told), shown=progress and bool(told)) as advance:
        for (layer, unit), kept in zip(told, in_lanes(network, check, told), strict=True):
            confirmed[f"{layer.layer}:{unit}"] = Confirmation(
                float(kept["difference"]), float(kept["chance"]), bool(kept["confirmed"]), str(kept["note"])
            )
            advance(1)
    return confirmed


def _checked(
    network: Network, source: Source, layer: Judged, unit: int, best: Best, sight: Sight, examples: int, step: float
) -> NaturalCheck:
    size = network.spatial_layer(layer.layer).size
    assert size is not None
    spots = [
        Spot(item_of(int(image), 0), int(place), float(value))
        for image, place, value in zip(best.images[unit], best.positions[unit], best.values[unit], strict=True)
        if image >= 0
    ]
    places = best_places(
        spots, photographs=source, plan=ViewPlan(center=network.crop), grid=size, size=network.size,
        field=network.receptive_fields([layer.layer])[layer.layer], count=examples,
    )  # fmt: skip
    synthetic = {
        one: layer.measures.curve(one) for one in range(layer.measures.units) if layer.measures.tuning[one].max() > 0
    }
    options: dict[str, Any] = {"step": step, "sight": sight}
    return natural_check(network, layer.layer, {unit: places}, source, synthetic, **options)[unit]


def _numbers(check: NaturalCheck, rule: Thresholds) -> dict[str, np.ndarray]:
    difference = check.difference if math.isfinite(check.natural) else math.nan
    values = {
        "difference": difference,
        "chance": check.chance,
        "confirmed": check.confirms(rule.mature_natural),
        "note": check.note,
    }
    return {name: np.array(value) for name, value in values.items()}
