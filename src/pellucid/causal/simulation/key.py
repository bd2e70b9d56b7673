"""What a simulated person may know and a real one cannot: which stimulus a trial's pictures are of."""

from dataclasses import dataclass
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.experiments import Stimuli, Stimulus


@dataclass(frozen=True)
class Seen:
    """A trial with its key: the stimulus, the side of its larger query, the condition, and whether it is practice."""

    stimulus: Stimulus
    larger: str
    condition: str
    practice: bool


class AnswerKey:
    """Finds by its pictures what a trial is of, from the stimuli on disk: the server tells nobody."""

    def __init__(self, stimuli: Stimuli) -> None:
        self._stimuli = stimuli
        self._by_pictures = {frozenset((one.larger.picture, one.smaller.picture)): one for one in stimuli.stimuli}

    def seen(self, trial: dict[str, Any]) -> Seen:
        """What a trial is, as it was sent. Raises `StudyError` if its pictures are not of the stimuli."""
        found = self._by_pictures.get(frozenset((trial["left"], trial["right"])))
        if found is None:
            raise StudyError("the server shows pictures of other stimuli: name the study that it serves")
        larger = "left" if trial["left"] == found.larger.picture else "right"
        return Seen(found, larger, self._condition(found, trial), trial["round"] > 0)

    def _condition(self, stimulus: Stimulus, trial: dict[str, Any]) -> str:
        shown = {*trial["references"]}
        fits = [one for one in self._stimuli.conditions if {*stimulus.references.get(one, ())} == shown]
        if not fits:
            raise StudyError(f"the server shows references of no condition with stimulus {stimulus.id}")
        return fits[0]
