"""The addresses of whoever runs the experiments, under `/operator/`, behind a token."""

import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import func, select

from pellucid.errors import StudyError
from pellucid.web.experiment.deletion import delete_participant
from pellucid.web.experiment.keys import hashed
from pellucid.web.experiment.refusals import Refused
from pellucid.web.experiment.routes import bearer
from pellucid.web.experiment.running import Running
from pellucid.web.experiment.schema import SESSION
from pellucid.web.experiment.tables import TABLES, codebook_text, table_bytes
from pellucid.web.experiment.visits import ACTIVE, taken
from pellucid.web.posted import refuse_cross_site

_READ = ["GET", "HEAD"]
_PAGE = {
    "": ("operator.html", "text/html; charset=utf-8"),
    "operator.js": ("operator.js", "text/javascript; charset=utf-8"),
    "operator.css": ("operator.css", "text/css; charset=utf-8"),
}


def operator_routes(experiments: Mapping[str, Running], token: str | None, clock: Callable[[], float]) -> APIRouter:
    """The operator's addresses. Without a token nobody is let in."""
    router = APIRouter(prefix="/operator")

    def allowed(request: Request, name: str | None = None) -> Running | None:
        given = hashed(bearer(request))  # of one length, whatever was sent
        if not token or not hmac.compare_digest(given, hashed(token)):
            raise Refused(401, "unauthorized", "that is not the operator's token")
        if name is not None and name not in experiments:
            raise Refused(404, "unknown", "there is no such experiment here")
        return experiments[name] if name is not None else None

    def page(file: str = "") -> Response:
        if file not in _PAGE:
            raise Refused(404, "unknown", "there is no such file here")
        name, kind = _PAGE[file]
        return Response(files("pellucid.web.experiment").joinpath(name).read_bytes(), media_type=kind)

    def progress(request: Request) -> JSONResponse:
        allowed(request)
        return JSONResponse({"experiments": [_progress(one, clock()) for one in experiments.values()]})

    def codebook(request: Request, name: str) -> Response:
        allowed(request, name)
        return Response(codebook_text(), media_type="text/markdown; charset=utf-8")

    def table(request: Request, name: str, table: str, ending: str) -> Response:
        here = allowed(request, name)
        if here is None or table not in TABLES or ending not in ("csv", "parquet"):
            raise Refused(404, "unknown", "there is no such table here")
        kind = "text/csv; charset=utf-8" if ending == "csv" else "application/vnd.apache.parquet"
        return Response(table_bytes(TABLES[table][0](here), ending), media_type=kind)

    def delete(request: Request, name: str, participant: str) -> JSONResponse:
        refuse_cross_site(request)
        here = allowed(request, name)
        try:
            delete_participant(experiments[name] if here is None else here, participant)
        except StudyError:
            raise Refused(404, "unknown", "there is no such participant here") from None
        return JSONResponse({})

    router.add_api_route("/", page, methods=_READ)
    router.add_api_route("/{file}", page, methods=_READ)
    router.add_api_route("/api/progress", progress, methods=_READ)
    router.add_api_route("/api/{name}/codebook.md", codebook, methods=_READ)
    router.add_api_route("/api/{name}/{table}.{ending}", table, methods=_READ)
    router.add_api_route("/api/{name}/participants/{participant}", delete, methods=["DELETE"])
    return router


def _progress(here: Running, now: float) -> dict[str, Any]:
    """How far an experiment is: by stage, condition and schedule, and who is there."""
    columns = (SESSION.c.condition, SESSION.c.stage, func.count())
    by_stage = select(*columns).where(SESSION.c.experiment == here.name).group_by(SESSION.c.condition, SESSION.c.stage)
    people = (
        select(SESSION.c.participant, SESSION.c.schedule, SESSION.c.stage, SESSION.c.started_at, SESSION.c.last_seen)
        .where(SESSION.c.experiment == here.name, SESSION.c.stage != "withdrawn")
        .order_by(SESSION.c.started_at)
    )
    with here.database.reading() as connection:
        stages = [tuple(row) for row in connection.execute(by_stage)]
        filled = taken(connection, here, now)
        there = [dict(row._mapping) for row in connection.execute(people)]
    conditions = []
    for condition in here.stimuli.conditions:
        own = [one for one in here.design.schedules if one.condition == condition]
        counted = Counter({stage: count for where, stage, count in stages if where == condition})
        conditions.append(
            {
                "condition": condition,
                "schedules": len(own),
                "filled": sum(bool(filled[one.id]) for one in own),
                "done": counted["done"],
                "active": sum(counted[stage] for stage in ACTIVE),
                "screened_out": counted["screened_out"],
            }
        )
    withdrawn = sum(count for _, stage, count in stages if stage == "withdrawn")
    schedules = [{"id": one.id, "taken": filled[one.id]} for one in here.design.schedules]
    return {
        "name": here.name,
        "title": here.settings.title,
        "conditions": conditions,
        "withdrawn": withdrawn,
        "schedules": schedules,
        "participants": there,
    }
