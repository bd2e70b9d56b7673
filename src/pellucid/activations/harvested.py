"""A harvested layer, open for looking at: its summaries, its receptive field, and the photographs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pellucid.activations.crops import Field
from pellucid.activations.photographs import Photographs
from pellucid.activations.sources import open_source, reopen
from pellucid.activations.summary import Summary
from pellucid.activations.summary.store import LayerRecord, layer_record, read_summary
from pellucid.activations.views import ViewPlan
from pellucid.errors import ImagesError, ObjectiveError, SummaryError
from pellucid.study import Study, digest


@dataclass(frozen=True)
class Harvested:
    """One layer of a study: `record` says what was harvested, `source` has the photographs."""

    study: Study
    layer: str
    record: LayerRecord
    source: Any

    @classmethod
    def read(cls, study: Study, layer: str, source: Any = None) -> "Harvested":
        """Open a layer. Photographs are read from where they were, or from `source`, which must have the same ones.

        Raises `StudyError` if the layer was not harvested, `ImagesError` if the photographs are gone or others.
        """
        return cls(study, layer, layer_record(study, layer), _opened(study, source))

    @property
    def tap(self) -> str:
        """Where a unit tells most: before its rectifier, where it was harvested, for there not all silence is 0."""
        return "pre" if self.record.rectified else "post"

    def summary(self, tap: str) -> Summary:
        """What was counted at a tap, "post" or "pre". Raises `StudyError` if that is not in the study."""
        return read_summary(self.study, self.layer, tap)

    def photographs(self, crop: int, context: int) -> Photographs:
        """The photographs, to be shown in pictures of these sides in pixels, 0 for none.

        Raises `SummaryError` for pictures that are too small or too large for a sheet.
        """
        if not all(size in (0, *range(8, 513)) for size in (crop, context)):
            raise SummaryError(f"pictures on a sheet have sides of 8 to 512 pixels, not {crop} and {context}")
        return Photographs(self.source, ViewPlan.read(self.study), Field.of(self.record), crop, context)

    def stamp(self, options: Mapping[str, Any]) -> str:
        """A digest of what was harvested and of the options of what is made from it."""
        return stamp_of(self.study, self.record, options)


def stamp_of(study: Study, record: LayerRecord, options: Mapping[str, Any]) -> str:
    """A digest of what was harvested of a layer and of the options of what is made from it."""
    return digest({"harvest": asdict(record), "images": study.manifest.images, **options})


def check_units(layer: str, units: Sequence[int], count: int) -> None:
    """Raise `ObjectiveError` for units that a layer of `count` units does not have."""
    for unit in units:
        if not 0 <= unit < count:
            raise ObjectiveError(f"there is no unit {unit} in {layer!r}: it has units 0 to {count - 1}")


def _opened(study: Study, source: Any) -> Any:
    about = study.manifest.images
    if source is None:
        return reopen(about)
    found = open_source(source)
    have = found.describe()
    differing = [key for key in ("count", "digest") if key in about and have.get(key) != about[key]]
    if differing:
        raise ImagesError(
            f"{have.get('source', source)} holds other photographs than the study in {study.path} was made with: its "
            f"{differing[0]} is {have.get(differing[0])}, not {about[differing[0]]}"
        )
    return found
