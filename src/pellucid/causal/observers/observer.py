"""An observer answers the trials of an experiment in place of a person."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.causal.observers.seen import Seen, Showing
from pellucid.errors import StudyError
from pellucid.progress import progress_bar
from pellucid.study.experiments import Answer, Observed, Stimuli, Stimulus


@dataclass(frozen=True)
class Verdict:
    """`evidence` is above 0 for the first query, below for the second, 0 if there is nothing to choose by.

    `probability` is that of choosing the first query, where an observer has one.
    """

    evidence: float
    probability: float | None = None


class Observer(ABC):
    """Abstract: it is either a `Viewer`, which sees what a person sees, or an `Informant`, which knows the key."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the observer is called: the name of its file and its row in tables."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """All that decides its answers, for its record."""


class Viewer(Observer):
    """Sees what a person sees. Swapping the queries swaps the answer."""

    @abstractmethod
    def compare(self, seen: Seen) -> Verdict:
        """What speaks for the first query against the second."""


class Informant(Observer):
    """Knows the key, activations too: what the experiment gives to whoever makes no mistake."""

    @abstractmethod
    def judge(self, stimulus: Stimulus) -> Verdict:
        """What speaks for the larger query against the smaller one."""


def observe(
    folder: Path,
    observer: Observer,
    conditions: Sequence[str] | None = None,
    *,
    seed: int = 0,
    progress: bool = False,
) -> Observed:
    """Let an observer answer all stimuli of an experiment in conditions, and write `observers/NAME.json`.

    `folder` is the experiment's; `conditions` are all of its by default. A viewer is given each trial's queries in an
    order drawn from `seed`, the stimulus and the condition. Where the file is there already, made of the same stimuli
    with the same configuration, it is read instead. Raises `StudyError` for a condition that the experiment lacks, a
    picture that cannot be read, or an observer that these stimuli give nothing to look at.
    """
    stimuli = Stimuli.read(folder)
    asked = tuple(conditions) if conditions is not None else stimuli.conditions
    lacking = [name for name in asked if name not in stimuli.conditions]
    if lacking or not asked:
        raise StudyError(
            f"{stimuli.name} has no condition {lacking[0] if lacking else ''!r}; it has {', '.join(stimuli.conditions)}"
        )
    config = {**observer.describe(), "conditions": list(asked), "seed": seed}
    kept = _kept(folder, observer.name, config, stimuli.digest())
    if kept is not None:
        return kept
    showing = Showing(folder, stimuli)
    answers = []
    with progress_bar(observer.name, len(stimuli.stimuli) * len(asked), shown=progress) as advance:
        for stimulus in stimuli.stimuli:
            for condition in asked:
                answers.append(_answer(observer, showing, stimulus, condition, seed))
                advance(1)
    observed = Observed(observer.name, tuple(answers), config, stimuli.digest())
    observed.write(folder)
    return observed


def _answer(observer: Observer, showing: Showing, stimulus: Stimulus, condition: str, seed: int) -> Answer:
    swap = False
    if isinstance(observer, Viewer):
        swap = _drawn(seed, stimulus.id, condition)
        verdict = observer.compare(showing.trial(stimulus, condition, swap=swap))
    elif isinstance(observer, Informant):
        verdict = observer.judge(stimulus)
    else:
        raise TypeError(f"{type(observer).__name__} is neither a Viewer nor an Informant")
    score, probability = verdict.evidence, verdict.probability
    if swap:
        score, probability = -score, None if probability is None else 1 - probability
    right = 0.5 if score == 0 else float(score > 0)
    return Answer(stimulus.id, condition, right, score, probability)


def _drawn(seed: int, stimulus: str, condition: str) -> bool:
    return bool(hashlib.sha256(f"{seed}|{stimulus}|{condition}".encode()).digest()[0] & 1)


def _kept(folder: Path, name: str, config: dict[str, Any], digest: str) -> Observed | None:
    path = folder / "observers" / f"{name}.json"
    if not path.is_file():
        return None
    observed = Observed.read(path)
    return observed if (observed.config, observed.stimuli_digest) == (config, digest) else None
