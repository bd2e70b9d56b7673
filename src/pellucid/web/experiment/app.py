"""The server of experiments: the page for people, its interface, and the operator's page."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from pellucid.errors import StudyError
from pellucid.study.experiments import experiment_name
from pellucid.web.experiment.headers import with_headers
from pellucid.web.experiment.operator import operator_routes
from pellucid.web.experiment.refusals import Refused, tell_refused
from pellucid.web.experiment.routes import experiment_routes
from pellucid.web.experiment.running import Running

_log = logging.getLogger(__name__)


def make_experiment_app(
    folders: Mapping[str, Path],
    *,
    database: str | None = None,
    operator_token: str | None = None,
    static: Path | None = None,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """Make the web app in which people take part in experiments.

    `folders` has the folders of the experiments by the names that they are addressed by, `/e/NAME/`. Answers are kept
    in `answers.sqlite` of each, or all in the database of an SQLAlchemy URL, such as postgresql+psycopg://HOST/NAME.
    `operator_token` opens `/operator/`; without it that is closed. `static` is the folder of the built page, by default
    the package's own. `clock` gives the server's time in seconds since 1970.

    All is kept on disk before it is acknowledged, and nothing in the process alone: it may be ended at any moment.
    Raises `StudyError` for records that are missing or do not belong together, and for a database that cannot be opened
    or has answers to another design.
    """
    opened = {experiment_name(name): Running.open(name, folder, database) for name, folder in folders.items()}
    for one in opened.values():
        _ = one.keys, one.pictures  # what cannot be had is said now, and not to the first person
    app = FastAPI(title="Pellucid", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.middleware("http")(with_headers)
    app.add_exception_handler(Refused, tell_refused)
    app.add_exception_handler(HTTPException, tell_refused)
    app.add_exception_handler(SQLAlchemyError, _unavailable)
    app.add_exception_handler(StudyError, _unavailable)
    app.add_exception_handler(OSError, _unavailable)
    app.include_router(experiment_routes(opened, static, clock))
    app.include_router(operator_routes(opened, operator_token, clock))
    return app


def _unavailable(_: Request, error: Exception) -> JSONResponse:
    # The message names files, or what was to be kept: it is for who runs the server.
    _log.error("%s", error)
    return JSONResponse({"detail": "that cannot be kept or read just now; try again", "code": "unavailable"}, 503)
