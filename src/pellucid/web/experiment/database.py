"""The database of answers: SQLite in a file, or any that SQLAlchemy knows by its URL."""

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from pellucid.errors import StudyError
from pellucid.web.experiment.schema import METADATA

_SECONDS = 30  # that a write waits for another process's


class Database:
    """Transactions that read or write answers. What a writing one kept is on the disk when it has ended."""

    def __init__(self, url: str, *, there: bool = False) -> None:
        """Open the database of a URL, and make its tables where there are none.

        With `there` an SQLite file is not made. Raises `StudyError` if the database cannot be opened.
        """
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise StudyError(
                "that is no URL of a database; write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
            ) from None
        self.name = parsed.render_as_string(hide_password=True)
        # SQLite's own lock is unfair under a crowd: here the writers of one process queue.
        self._turn = threading.Lock() if parsed.get_backend_name() == "sqlite" else None
        if there and self._turn and not Path(parsed.database or "").is_file():
            raise StudyError(f"nobody has answered yet: there is no {parsed.database}")
        try:
            self._engine = _engine(parsed)
            weakref.finalize(self, self._engine.dispose)  # connections end with what opened them
            METADATA.create_all(self._engine)
        except ImportError as error:
            raise StudyError(
                f"{self.name} needs the package {error.name!r}; for Postgres: pip install 'pellucid[postgres]'"
            ) from error
        except SQLAlchemyError as error:
            raise StudyError(f"cannot open the database {self.name}: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes all that it is told to, or, when an error leaves it, nothing."""
        if self._turn is None:
            with self._engine.begin() as connection:
                yield connection
            return
        with self._turn, self._engine.execution_options(writing=True).begin() as connection:
            yield connection


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=30)
    if url.database in (None, "", ":memory:"):
        raise StudyError("answers are not kept in memory: name a file, sqlite:///FILE")
    engine = create_engine(url, connect_args={"timeout": _SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    # FULL: in WAL mode a kept answer survives a power failure only so.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # A writer locks before it reads: nobody else's write comes between its look and its write.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")
