"""The log of simulated people: what they clicked, to be compared with what the server kept."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pellucid.study import write_json


@dataclass(frozen=True)
class Click:
    """One answer as it was sent: to the trial of that name, with what only the simulation knows of it."""

    trial: str
    choice: str
    confidence: int
    rt_ms: float | None  # None where the page's own clock took it
    round: int
    stimulus: str
    condition: str
    correct: bool


@dataclass(frozen=True)
class SimulatedVisit:
    """What became of one simulated person: the last stage, or "full" or "gave_up", and all acknowledged clicks."""

    person: int
    stage: str
    clicks: tuple[Click, ...]
    withdrawal: str = ""


def write_clicks(path: Path, visits: Iterable[SimulatedVisit]) -> None:
    """Write the log as JSON."""
    write_json(path, [asdict(one) for one in visits])


def differences(visits: Iterable[SimulatedVisit], kept: Mapping[str, tuple[str, int, float | None]]) -> list[str]:
    """In words, all in which what a server kept differs from what was clicked; nothing if all is as it was.

    `kept` has the choice, the confidence and the milliseconds of each answered trial by its name.
    """
    clicked = [one for visit in visits for one in visit.clicks]
    said = [f"trial {one.trial} was clicked and is not kept" for one in clicked if one.trial not in kept]
    strange = kept.keys() - {one.trial for one in clicked}
    said += [f"trial {name} is kept and was not clicked" for name in sorted(strange)]
    for one in clicked:
        there = kept.get(one.trial)
        time = one.rt_ms if one.rt_ms is not None else there and there[2]
        here = one.choice, one.confidence, time
        if there is not None and there != here:
            said.append(f"trial {one.trial} was clicked as {here} and is kept as {kept[one.trial]}")
    if len({one.trial for one in clicked}) < len(clicked):
        said.append("a trial was answered twice")
    return said
