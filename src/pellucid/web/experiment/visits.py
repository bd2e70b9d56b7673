"""Visits: who comes gets the least-filled schedule, and goes on where they were."""

import secrets
from collections import Counter
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from pellucid.study.experiments import Schedule
from pellucid.web.experiment.keys import hashed
from pellucid.web.experiment.posted import Posted
from pellucid.web.experiment.refusals import Refused
from pellucid.web.experiment.running import Running
from pellucid.web.experiment.schema import EXPERIMENT, SESSION, Kept

ACTIVE = ("instructions", "practice", "main")
"""The stages of a visit that goes on."""
ENDED = ("done", "screened_out")


def begin(connection: Connection, running: Running, posted: Posted, now: float) -> tuple[Kept, bool]:
    """The visit that a page asks for, and whether it is a new one. The same key always gives the same visit."""
    key, window = hashed(posted.key()), posted.window()
    consent, platform = posted.text("consent", 128), posted.platform()
    _lock(connection, running)
    here = SESSION.c.experiment == running.name
    found = connection.execute(select(SESSION).where(here, SESSION.c.key_hash == key)).first()
    if found is not None:
        return found, False
    if consent != running.settings.consent.version:
        raise Refused(409, "consent", "the text of the consent has changed: load the page again")
    person = platform.get("PROLIFIC_PID", "")
    person = running.keys.platform(person) if person else None
    if person and connection.execute(select(SESSION.c.stage).where(here, SESSION.c.platform_hash == person)).first():
        raise Refused(409, "already", "you have already taken part")
    schedule = _least_filled(connection, running, now)
    if schedule is None:
        raise Refused(409, "full", "there is no place left")
    participant = secrets.token_hex(8)
    made = {
        "participant": participant,
        "experiment": running.name,
        "token_hash": hashed(running.keys.token(participant)),
        "key_hash": key,
        "withdrawal_hash": hashed(running.keys.withdrawal(participant)),
        "platform_hash": person,
        "schedule": schedule.id,
        "condition": schedule.condition,
        "stage": "instructions",
        "consent_version": consent,
        "window": window,
        "started_at": now,
        "last_seen": now,
    }
    connection.execute(insert(SESSION).values(made))
    return connection.execute(select(SESSION).where(SESSION.c.participant == participant)).one(), True


def find(connection: Connection, running: Running, token: str, *, lock: bool = False) -> Kept:
    """The visit that a token belongs to; with `lock` no other request changes it meanwhile."""
    query = select(SESSION).where(SESSION.c.experiment == running.name, SESSION.c.token_hash == hashed(token))
    found = connection.execute(query.with_for_update() if lock else query).first()
    if found is None:
        raise Refused(401, "unauthorized", "that is no visit of this experiment")
    return found


def change(connection: Connection, visit: Kept, now: float, **values: Any) -> Kept:
    """The visit with other values, which was heard of now."""
    mine = SESSION.c.participant == visit.participant
    connection.execute(update(SESSION).where(mine).values(last_seen=now, **values))
    return connection.execute(select(SESSION).where(mine)).one()


def taken(connection: Connection, running: Running, now: float) -> Counter[str]:
    """How many have finished each schedule or are at it. Who was silent for too long does not count."""
    since = now - 60 * running.settings.minutes_until_free
    counts = and_(SESSION.c.stage.in_(ACTIVE), SESSION.c.last_seen >= since)
    query = (
        select(SESSION.c.schedule, func.count())
        .where(SESSION.c.experiment == running.name, or_(SESSION.c.stage == "done", counts))
        .group_by(SESSION.c.schedule)
    )
    return Counter({schedule: count for schedule, count in connection.execute(query)})


def _lock(connection: Connection, running: Running) -> None:
    """Keep all others who ask for a schedule waiting until this transaction has ended."""
    connection.execute(select(EXPERIMENT.c.name).where(EXPERIMENT.c.name == running.name).with_for_update()).one()


def _least_filled(connection: Connection, running: Running, now: float) -> Schedule | None:
    """The first free schedule of the condition that has the fewest people, by lot where several have."""
    counted = taken(connection, running, now)
    filled: Counter[str] = Counter()
    free: dict[str, Schedule] = {}
    for one in running.design.schedules:
        filled[one.condition] += counted[one.id]
        if not counted[one.id]:
            free.setdefault(one.condition, one)
    if not free:
        return None
    fewest = min(filled[condition] for condition in free)
    return free[secrets.choice([condition for condition in free if filled[condition] == fewest])]
