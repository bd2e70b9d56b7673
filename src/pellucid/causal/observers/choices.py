"""Observers by the names that a command is given."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pellucid.causal.observers.attention import Saliency
from pellucid.causal.observers.baselines import Centre, Oracle, Random, Variance
from pellucid.causal.observers.observer import Observer
from pellucid.causal.observers.resemblance import Resemblance
from pellucid.errors import StudyError, did_you_mean

if TYPE_CHECKING:
    from pellucid.causal.observers.attention import Object
    from pellucid.causal.observers.similarity import Similarity

RESEMBLANCES = ("whole", "whole_pn", "crop", "crop_pn")
OBSERVERS = ("oracle", "random", "centre", "variance", "saliency", "object", *RESEMBLANCES)


def named_observers(
    names: Sequence[str],
    *,
    similarity: "Similarity | None" = None,
    objects: "Object | None" = None,
    temperature: float = 0.16,
    seed: int = 0,
) -> list[Observer]:
    """Observers by name, of `OBSERVERS`. Raises `StudyError` for another name, and for what one of them lacks."""
    made: list[Observer] = []
    plain = {"oracle": Oracle(), "random": Random(seed), "centre": Centre(), "variance": Variance()}
    for name in dict.fromkeys(names):
        if name in plain:
            made.append(plain[name])
        elif name == "saliency":
            made.append(Saliency())
        elif name == "object":
            if objects is None:
                raise StudyError("the observer 'object' needs to be told where the objects are: boxes or masks")
            made.append(objects)
        elif name in RESEMBLANCES:
            if similarity is None:
                raise StudyError(f"the observer {name!r} compares pictures: give it a network's features or a metric")
            looks_at, _, contrast = name.partition("_")
            made.append(
                Resemblance(similarity, "crop" if looks_at == "crop" else "whole", contrast == "pn", temperature)
            )
        else:
            raise StudyError(
                f"no observer {name!r}{did_you_mean(name, OBSERVERS) or '; there are ' + ', '.join(OBSERVERS)}"
            )
    return made
