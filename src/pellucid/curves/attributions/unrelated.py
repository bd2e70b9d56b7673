"""False positives: images that a unit answers to and that people say show nothing of what it is for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pellucid.activations.photographs import Spot
from pellucid.activations.summary import Summary
from pellucid.curves.attributions.attributor import Attributor, Watched
from pellucid.curves.attributions.examples import AttributedExamples
from pellucid.curves.labels.answers import Answer, decided, read_answers
from pellucid.curves.labels.counts import LABELS
from pellucid.curves.labels.study_labels import read_study_labels
from pellucid.errors import PellucidError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.study import Study


class Suspect(NamedTuple):
    """A place of a photograph, by name, where a unit has an activation; its row and column where they are known."""

    photograph: str
    activation: float | None = None
    place: tuple[int, int] | None = None


def false_positives(
    network: Network,
    study: Study,
    layer: str,
    unit: int,
    answers: Path | str | Sequence[Answer] | Sequence[str] | None = None,
    *,
    label: str | Sequence[str] = "unrelated",
    names: Sequence[str] = LABELS,
    above: float = 0.0,
    count: int = 16,
    previous: str | None = None,
    source: Any = None,
    rendered: bool = False,
    crop: int = 96,
    steps: int = 128,
    seed: int = 0,
    progress: bool = False,
) -> AttributedExamples:
    """The images that a unit answers to though people gave them a `label` such as "unrelated", with their attribution.

    Curve Detectors (Cammarata et al. 2020) finds subtle curves in those that way. `answers` are a CSV file or what
    `read_answers` gives of one, whose images are photographs of the study by name; or names of photographs alone; or
    None for what raters said of the study's own labelling task. Of several raters' labels the one given most often
    counts (`decided`, with the labels' `names`). Of the images with an activation above `above` the `count` highest are
    shown, at the place that the harvest kept with the activation nearest to the one answered for.

    Raises `PellucidError` if there is no such image, or the harvest kept no place of one, and `StudyError` for a layer
    that was not harvested.
    """
    attributor = Attributor.of(
        network, study, layer, unit, previous, source, crop=crop, rendered=rendered, steps=steps, seed=seed
    )
    labels = (label,) if isinstance(label, str) else tuple(label)
    suspects = _suspects(study, layer, unit, answers, labels, names, above)
    if not suspects:
        raise PellucidError(
            f"no image of {layer}:{unit} with an activation above {above:g} is labelled {' or '.join(labels)}"
        )
    spots = _spots(attributor, suspects)
    spots = sorted(spots, key=lambda spot: (-spot.value, spot.item, spot.place))[:count]
    photographs = Watched.of(attributor.harvested, crop)
    with progress_bar(f"attribution of {layer}:{unit}", len(spots), shown=progress) as advance:
        shown = photographs.show(spots, lambda _: None)
        return attributor.examples(f"active, labelled {' or '.join(labels)}", shown, spots, advance)


def _suspects(
    study: Study,
    layer: str,
    unit: int,
    answers: Path | str | Sequence[Answer] | Sequence[str] | None,
    labels: Sequence[str],
    names: Sequence[str],
    above: float,
) -> list[Suspect]:
    if answers is None:
        found = read_study_labels(study, layer, unit).false_positives(above)
        return [
            Suspect(one["photograph"], one["activation"], (one["row"], one["column"]))
            for one in found
            if one["label"] in labels
        ]
    read = read_answers(answers) if isinstance(answers, Path | str) else answers
    given = [one for one in read if isinstance(one, Answer)]
    if len(given) < len(read):
        return [Suspect(str(one)) for one in read if not isinstance(one, Answer)]
    known = dict.fromkeys((*names, *labels))
    return [
        Suspect(image, value)
        for image, (value, said) in decided(given, tuple(known)).items()
        if said in labels and value > above
    ]


def _spots(attributor: Attributor, suspects: Sequence[Suspect]) -> list[Spot]:
    """The places that the harvest kept of the unit, nearest to what is asked for."""
    harvested, unit = attributor.harvested, attributor.unit
    kept: dict[str, list[Spot]] = {}
    for tap in harvested.record.taps:
        for spot in _kept(harvested.summary(tap), unit):
            kept.setdefault(harvested.source.name(spot.image), []).append(spot)
    missing = [one.photograph for one in suspects if one.photograph not in kept]
    if missing:
        raise PellucidError(
            f"the harvest of {attributor.layer}:{unit} kept no place of {missing[0]!r}"
            + (f" and {len(missing) - 1} others" if missing[1:] else "")
            + ": give names of the study's photographs that stand among the unit's examples or in its quilt"
        )
    return [_nearest(kept, one, attributor.harvested.record.columns) for one in suspects]


def _nearest(kept: Mapping[str, Sequence[Spot]], wanted: Suspect, columns: int) -> Spot:
    def distance(spot: Spot) -> tuple[bool, float]:
        elsewhere = wanted.place is not None and divmod(spot.place, columns) != wanted.place
        return elsewhere, -spot.value if wanted.activation is None else abs(spot.value - wanted.activation)

    return min(kept[wanted.photograph], key=distance)


def _kept(summary: Summary, unit: int) -> list[Spot]:
    return [*Spot.all(summary.samples, unit), *Spot.all(summary.highest, unit), *Spot.all(summary.lowest, unit)]
