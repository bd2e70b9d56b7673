"""Deletion: of a person who withdraws, nothing stays but that somebody did."""

from sqlalchemy import Connection, delete, select, update

from pellucid.errors import StudyError
from pellucid.web.experiment.keys import hashed, plain_code
from pellucid.web.experiment.refusals import Refused
from pellucid.web.experiment.running import Running
from pellucid.web.experiment.schema import EVENT, REMARK, SESSION, TRIAL

_KEPT = {"participant", "experiment", "token_hash", "key_hash", "stage"}  # so that an open page can say so


def delete_participant(running: Running, participant: str) -> None:
    """Delete all that is kept of a participant. Raises `StudyError` if there is none of that name."""
    with running.database.writing() as connection:
        if not _delete(connection, running, participant):
            raise StudyError(f"no participant {participant!r} in the experiment {running.name}")


def participants_of_platform(running: Running, person: str) -> list[str]:
    """The participants that a platform's name for a person belongs to. Raises `StudyError` if there are none."""
    mine = SESSION.c.platform_hash == running.keys.platform(person)
    query = select(SESSION.c.participant).where(SESSION.c.experiment == running.name, mine)
    with running.database.reading() as connection:
        found = list(connection.execute(query).scalars())
    if not found:
        raise StudyError(f"nobody whom the platform calls {person!r} took part in the experiment {running.name}")
    return found


def withdraw(connection: Connection, running: Running, code: str) -> None:
    """Delete all that is kept of whom a withdrawal code was shown to."""
    mine = SESSION.c.withdrawal_hash == hashed(plain_code(code))
    found = connection.execute(select(SESSION.c.participant).where(SESSION.c.experiment == running.name, mine)).scalar()
    if found is None or not _delete(connection, running, found):
        raise Refused(404, "unknown", "no answers belong to that code: they are deleted, or it is mistyped")


def _delete(connection: Connection, running: Running, participant: str) -> bool:
    mine = SESSION.c.experiment == running.name, SESSION.c.participant == participant, SESSION.c.stage != "withdrawn"
    if connection.execute(select(SESSION.c.stage).where(*mine).with_for_update()).first() is None:
        return False
    for table in (TRIAL, EVENT, REMARK):
        connection.execute(delete(table).where(table.c.participant == participant))
    forgotten = {column.name: None for column in SESSION.columns if column.name not in _KEPT}
    connection.execute(update(SESSION).where(*mine).values(**forgotten, stage="withdrawn"))
    return True
