"""From a question and its references to the stimulus that the key holds."""

import hashlib
from typing import Any

from pellucid.activations.sources import Source
from pellucid.causal.stimuli.config import StimuliConfig
from pellucid.causal.stimuli.questions import Shown
from pellucid.causal.stimuli.references import References
from pellucid.causal.stimuli.roles import Asked
from pellucid.causal.stimuli.written import Pictures
from pellucid.study.experiments import Query, Stimulus


def assembled(
    one: Asked, most: References, least: References | None, pictures: Pictures, config: StimuliConfig, source: Source
) -> Stimulus:
    """The stimulus of a question; its pictures are written."""
    layer, unit, number = one.maker.layer, one.maker.unit, one.images.number
    text = f"{config.seed}|stimulus|{layer}:{unit}|{number}"
    question = one.question

    def query(shown: Shown) -> Query:
        patch = None if shown.patch is None else (shown.patch[0], shown.patch[1], shown.patch[2], shown.patch[3])
        return Query(pictures.keep(shown.picture), shown.activation, source.name(shown.photograph), patch)

    larger, smaller = query(question.larger), query(question.smaller)
    about: dict[str, Any] = {"rank": question.rank, "references": most.about}
    if least is not None:
        about["minimal"] = least.about
    references, minimal = dict(most.pictures), {} if least is None else dict(least.pictures)
    if one.told:
        references = {name: _told(some, larger.picture) for name, some in references.items()}
        minimal = {name: _told(some, smaller.picture) for name, some in minimal.items()}
    return Stimulus(
        hashlib.sha256(text.encode()).hexdigest()[:16], layer, unit, number, one.role, larger, smaller,
        None if question.base is None else query(question.base), references, minimal, about,
    )  # fmt: skip


def _told(references: tuple[str, ...], picture: str) -> tuple[str, ...]:
    return (picture, *references[1:]) if references else references
