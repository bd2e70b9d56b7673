"""What stimuli beside the main trials are for: instructions, practice, and trials that nobody fails."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pellucid.causal.stimuli.config import StimuliConfig
from pellucid.causal.stimuli.image_sets import ImageSet
from pellucid.causal.stimuli.questions import Question, UnitQuestions
from pellucid.causal.stimuli.units import Notes


@dataclass(frozen=True, eq=False)
class Asked:
    """A question about a unit, with the image sets that its references come from, and what it is for.

    An obvious one of a two-choice task is `told`: its queries stand among the references.
    """

    maker: UnitQuestions
    question: Question
    images: ImageSet
    opposite: ImageSet | None
    weakest: tuple[int, ...] = ()
    role: str = "main"
    told: bool = False


def assign(asked: Sequence[Asked], config: StimuliConfig, notes: Notes) -> list[Asked]:
    """Give roles to questions, those with the largest relative differences first: instructions, then practice.

    The others are for trials that nobody fails, "obvious" practice and "catch" trials. In these the smaller query is of
    a photograph to which the unit hardly responds, as published for the condition "none" (Zimmermann et al. 2021); in a
    two-choice task the queries are also shown among the references, as in Borowski et al. 2021.
    """
    order = sorted(asked, key=lambda one: -one.question.relative_difference)
    roles = ["instruction"] * config.instruction + ["practice"] * config.practice
    easy = {"catch": config.catch, "obvious": config.obvious}
    # Both kinds in turns, so that they are made of questions of each difficulty.
    turns = sorted(((at + 0.5) / count, role) for role, count in easy.items() for at in range(count))
    given = [replace(one, role=role) for one, role in zip(order, [*roles, *(role for _, role in turns)], strict=True)]
    return [_easy(one, config, notes) if one.role in easy else one for one in given]


def _easy(one: Asked, config: StimuliConfig, notes: Notes) -> Asked:
    if config.task == "two_choice":
        return replace(one, told=True)
    easier = one.maker.hardly(one.question, one.weakest)
    if easier is None:
        notes.add(
            f"{one.maker.layer}:{one.maker.unit} responds to every photograph: its {one.role} question stays as hard "
            "as it is"
        )
        return one
    return replace(one, question=easier)
