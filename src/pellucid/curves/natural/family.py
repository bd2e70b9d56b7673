"""A family of units on the photographs of a study: joint tuning, natural directions, and the check of each unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.activations.harvested import Harvested, check_units
from pellucid.curves.natural.check import NaturalCheck, population_check
from pellucid.curves.natural.joint import JointTuning, joint_tunings
from pellucid.curves.natural.orientations import NaturalOrientations, natural_orientations
from pellucid.curves.natural.place import harvested_places
from pellucid.curves.natural.rotation import Beyond, turns
from pellucid.curves.sight import sights
from pellucid.curves.synthetic import beyond_the_picture, tuning_of
from pellucid.curves.tuning_curves import TuningCurve, tuning_record
from pellucid.curves.tuning_curves.tuning_curve import Direction
from pellucid.errors import PellucidError
from pellucid.networks import Network
from pellucid.networks.taps import Tap
from pellucid.study import Study


@dataclass(frozen=True, eq=False)
class NaturalFamily:
    """Units of a layer on turned photographs.

    `tunings` are the joint tunings of the units whose photographs were turned, `orientations` the directions of all
    units of the family, and `checks` those of the units whose photographs were turned, told by all others of the layer.
    `warning` says where units see more than the picture, whose corners then come and go as it turns.
    """

    layer: str
    tunings: Mapping[int, JointTuning]
    orientations: NaturalOrientations
    checks: Mapping[int, NaturalCheck]
    warning: str | None = None

    @property
    def curves(self) -> dict[str, TuningCurve]:
        """The natural tuning curves of the family by address, by direction."""
        return {f"{self.layer}:{unit}": curve for unit, curve in self.orientations.curves.items()}

    def rows(self) -> list[dict[str, Any]]:
        """Those of `NaturalOrientations`, and of the check `by_others`, its difference, `fit`, `chance`, `confirmed`.

        The latter are None for a unit whose own photographs were not turned.
        """
        rows = []
        for unit, row in zip(self.orientations.natural, self.orientations.rows(), strict=True):
            told = self.checks[unit].row() if unit in self.checks else {}
            names = {"by_others": "difference", "fit": "fit", "chance": "chance", "confirmed": "confirmed"}
            rows.append({**row, **{name: told.get(of) for name, of in names.items()}})
        return rows

    def record(self) -> dict[str, Any]:
        """Everything but single responses as JSON values, which `read_tuning_curves` reads."""
        found = self.orientations
        known = {name: getattr(found, name) for name in ("offset", "rms", "most")}
        return {
            **tuning_record(self.curves),
            "layer": self.layer,
            "photographs": {str(unit): len(joint.places) for unit, joint in self.tunings.items()},
            **{name: value if value == value else None for name, value in known.items()},
            "warning": self.warning,
            "units": self.rows(),
        }


def natural_family(
    network: Network,
    study: Study | Path | str,
    layer: str,
    units: Sequence[int],
    *,
    references: Sequence[int] | None = None,
    examples: int = 10,
    step: float = 5.0,
    side: Tap = "post",
    align: Direction = "argmax",
    beyond: Beyond = "reflection",
    window: bool = False,
    synthetic: Mapping[int, TuningCurve] | None = None,
    source: Any = None,
    progress: bool = False,
) -> NaturalFamily:
    """Turn the photographs that units of a harvested layer fire at, and set their directions beside drawn curves.

    Of each of `references`, by default all `units`, the `examples` photographs with the highest activations in the
    study are turned every `step` degrees (1 in the article). `synthetic` are the tuning curves to drawn curves of all
    units of the layer, by outward normals (`tuning_of`, measured unless given); then all directions are such. The
    photographs are where they were harvested, or in `source`. Other options are those of `joint_tuning` and
    `natural_orientations`.

    Raises `StudyError` for a layer that was not harvested, and another network than the study's; `LayerError` for a
    layer without maps; `ImagesError` if the photographs are gone; `ObjectiveError` for units that the layer does not
    have, and `PellucidError` for one that never fired.
    """
    turns(step)  # refused before anything is computed
    opened = study if isinstance(study, Study) else Study.open(study)
    count = network.spatial_layer(layer).channels
    harvested = Harvested.read(opened, layer, source)
    opened.refuse_other_weights(network.name, network.digest)
    check_units(layer, units, count)
    chosen = list(dict.fromkeys(units if references is None else references))
    strange = [unit for unit in chosen if unit not in units]
    if not chosen or strange:
        raise PellucidError(f"photographs are turned of one unit of the family or more, not of {strange or 'none'}")
    places = harvested_places(harvested, chosen, count=examples)
    sight = sights(network, [layer])[layer]
    if synthetic is None:
        drawn = tuning_of(network, layer, range(count), sight=sight, progress=progress)
        synthetic = dict(enumerate(drawn.values()))
    tunings = joint_tunings(
        network, layer, places, harvested.source, step=step, side=side, beyond=beyond, window=window, sight=sight,
        progress=progress,
    )  # fmt: skip
    found = natural_orientations(tunings, {unit: synthetic[unit] for unit in units}, align=align)
    checks = {unit: population_check(joint, synthetic) for unit, joint in tunings.items()}
    return NaturalFamily(layer, tunings, found, checks, beyond_the_picture(network, sight))
