"""Answers: each is kept when it is given, once, and decides what comes next."""

import secrets
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pellucid.web.experiment.posted import LATEST, LONGEST, Posted
from pellucid.web.experiment.refusals import Refused
from pellucid.web.experiment.running import Running
from pellucid.web.experiment.schema import TRIAL, Kept
from pellucid.web.experiment.telling import shown_at, state
from pellucid.web.experiment.visits import change


def instructed(connection: Connection, running: Running, visit: Kept, posted: Posted, now: float) -> Kept:
    """The visit of somebody who has read the instructions, with its first trial."""
    key = posted.key()
    views = [
        {"page": one.whole("page", 0, 1000), "ms": one.number("ms", LONGEST)}
        for one in posted.objects("views", 1000, "page", "ms")
    ]
    if visit.stage != "instructions":
        if visit.instruction_key == key:
            return visit
        raise not_now(connection, running, visit)
    practice = bool(running.schedules[visit.schedule].practice)
    _send(connection, running, visit, int(practice), 1, now)
    return change(
        connection, visit, now, stage="practice" if practice else "main", instructed_at=now, instruction_key=key,
        instruction_ms=posted.number("ms", LONGEST), instruction_views=views,
    )  # fmt: skip


def answered(
    connection: Connection, running: Running, visit: Kept, posted: Posted, now: float, trial_id: str
) -> dict[str, Any]:
    """Keep an answer, and give the feedback, if there is any, and the visit's state after it."""
    said = {
        "key": posted.key(),
        "choice": posted.one_of("choice", "left", "right"),
        "confidence": posted.whole("confidence", 1, 3),
        "rt_ms": posted.number("rt_ms", LONGEST),
        "focus_losses": posted.whole("focus_losses", 0, 1_000_000),
        "window": posted.window(),
        "client_time": posted.number("client_time", LATEST),
    }
    mine = TRIAL.c.participant == visit.participant
    trial = connection.execute(select(TRIAL).where(mine, TRIAL.c.id == trial_id)).first()
    if trial is None:
        raise not_now(connection, running, visit)
    if trial.answered_at is not None:
        if any(getattr(trial, name) != value for name, value in said.items()):
            told = state(connection, running, visit)
            raise Refused(409, "answered", "this trial was answered otherwise", state=told)
    else:
        correct = said["choice"] == trial.side
        kept = update(TRIAL).where(TRIAL.c.id == trial_id).values(**said, correct=correct, answered_at=now)
        connection.execute(kept)
        visit = _advance(connection, running, visit, trial, now)
    return {"feedback": _feedback(connection, running, visit, trial_id), "state": state(connection, running, visit)}


def not_now(connection: Connection, running: Running, visit: Kept) -> Refused:
    """The refusal of what does not come next, with what does."""
    told = state(connection, running, visit)
    return Refused(409, "not_now", "that does not come now: the visit is elsewhere", state=told)


def _advance(connection: Connection, running: Running, visit: Kept, trial: Kept, now: float) -> Kept:
    """The visit after a trial was answered: at the next one, in the next round, or at its end."""
    _, of = shown_at(running.schedules[visit.schedule], trial.round, trial.number)
    if trial.number < of:
        _send(connection, running, visit, trial.round, trial.number + 1, now)
        return change(connection, visit, now)
    if not trial.round:
        return change(connection, visit, now, stage="done", ended_at=now)
    if all(_round(connection, visit, trial.round)):
        _send(connection, running, visit, 0, 1, now)
        return change(connection, visit, now, stage="main")
    most = running.settings.most_practice_rounds
    if most is not None and trial.round >= most:
        return change(connection, visit, now, stage="screened_out", ended_at=now)
    _send(connection, running, visit, trial.round + 1, 1, now)
    return change(connection, visit, now)


def _send(connection: Connection, running: Running, visit: Kept, round_: int, number: int, now: float) -> None:
    """Make a trial the current one. Its name is drawn: it tells nothing."""
    shown, _ = shown_at(running.schedules[visit.schedule], round_, number)
    made = {
        "id": secrets.token_hex(8),
        "participant": visit.participant,
        "round": round_,
        "number": number,
        "stimulus": shown.stimulus,
        "kind": shown.kind,
        "side": shown.side,
        "sent_at": now,
    }
    connection.execute(insert(TRIAL).values(made))


def _feedback(connection: Connection, running: Running, visit: Kept, trial_id: str) -> dict[str, Any] | None:
    trial = connection.execute(select(TRIAL).where(TRIAL.c.id == trial_id)).one()
    if not trial.round:
        return None
    over = trial.number == shown_at(running.schedules[visit.schedule], trial.round, trial.number)[1]
    right = all(_round(connection, visit, trial.round)) if over else None
    return {"correct": trial.correct, "round_over": over, "round_right": right}


def _round(connection: Connection, visit: Kept, round_: int) -> list[bool]:
    """Whether each answer of a round was right."""
    query = select(TRIAL.c.correct).where(TRIAL.c.participant == visit.participant, TRIAL.c.round == round_)
    return [bool(one) for one in connection.execute(query).scalars()]
