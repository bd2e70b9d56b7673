"""What a page is told: nothing of it says, or lets one tell, which query is the larger before it was answered."""

from typing import Any

from sqlalchemy import Connection, func, select

from pellucid.study.experiments import Schedule, Shown
from pellucid.study.experiments.settings import Completion
from pellucid.web.experiment.running import Running, all_shown
from pellucid.web.experiment.schema import TRIAL, Kept
from pellucid.web.experiment.visits import ACTIVE, ENDED


def about(running: Running) -> dict[str, Any]:
    """What anybody may know of an experiment."""
    settings = running.settings
    return {
        "format": 1,
        "name": running.name,
        "title": settings.title,
        "task": running.stimuli.task,
        "contact": settings.contact,
        "consent": {"version": settings.consent.version, "paragraphs": list(settings.consent.paragraphs)},
        "minimum_window": list(settings.minimum_window),
        "size": list(running.stimuli.size),
    }


def state(connection: Connection, running: Running, visit: Kept) -> dict[str, Any]:
    """Where a visit is, and what comes next in it."""
    schedule = running.schedules.get(visit.schedule or "")
    told: dict[str, Any] = {
        "stage": visit.stage,
        "references": False,
        "minimal": False,
        "instruction": [],
        "preload": [],
        "progress": {"done": 0, "total": 0},
        "trial": None,
        "completion": None,
    }
    if schedule is None:  # withdrawn
        return told
    told["references"] = any(one.references for one in schedule.trials)
    told["minimal"] = any(one.minimal for one in schedule.trials)
    told["progress"] = {"done": _answered(connection, visit), "total": len(schedule.trials)}
    if visit.stage in ACTIVE:
        examples = running.design.instruction.get(schedule.condition, ()) if visit.stage == "instructions" else ()
        told["instruction"] = [{**_pictures(running, one), "larger": one.side} for one in examples]
        needed = [*all_shown(schedule), *examples]
        told["preload"] = sorted({picture for one in needed for picture in running.pictures_of(one)})
        told["trial"] = _current(connection, running, visit, schedule)
    elif visit.stage in ENDED:
        withdrawal = running.keys.withdrawal(visit.participant)
        told["completion"] = completion(running.settings.completion, visit.stage, withdrawal)
    return told


def completion(told: Completion, how: str, withdrawal: str = "") -> dict[str, str]:
    """The code and the link for who ended a visit in one of its ways: "done", "screened_out" or "declined"."""
    return {"code": getattr(told, how), "link": getattr(told, f"{how}_link"), "withdrawal": withdrawal}


def shown_at(schedule: Schedule, round_: int, number: int) -> tuple[Shown, int]:
    """The trial of that number in a round, and how many the round has. Round 0 has the trials that count."""
    some = schedule.practice[(round_ - 1) % len(schedule.practice)] if round_ else schedule.trials
    return some[number - 1], len(some)


def _answered(connection: Connection, visit: Kept) -> int:
    counted = select(func.count()).where(
        TRIAL.c.participant == visit.participant, TRIAL.c.round == 0, TRIAL.c.answered_at.is_not(None)
    )
    return connection.execute(counted).scalar_one()


def _current(connection: Connection, running: Running, visit: Kept, schedule: Schedule) -> dict[str, Any] | None:
    waiting = select(TRIAL).where(TRIAL.c.participant == visit.participant, TRIAL.c.answered_at.is_(None))
    trial = connection.execute(waiting).one_or_none()
    if trial is None:
        return None
    shown, of = shown_at(schedule, trial.round, trial.number)
    return {"id": trial.id, "number": trial.number, "of": of, "round": trial.round, **_pictures(running, shown)}


def _pictures(running: Running, shown: Shown) -> dict[str, Any]:
    stimulus = running.known[shown.stimulus]
    queries = [stimulus.larger.picture, stimulus.smaller.picture]
    left, right = queries if shown.side == "left" else reversed(queries)
    return {
        "base": stimulus.base.picture if stimulus.base else None,
        "left": left,
        "right": right,
        "references": list(shown.references),
        "minimal": list(shown.minimal),
    }
