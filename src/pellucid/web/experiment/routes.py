"""The addresses of the people's part, under `/e/NAME/`."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy import Connection, func, insert, select

from pellucid.study.experiments.stimuli import picture_path
from pellucid.web.experiment.answering import answered, instructed, not_now
from pellucid.web.experiment.deletion import withdraw
from pellucid.web.experiment.headers import FOREVER, page_files_of
from pellucid.web.experiment.posted import LONGEST, Posted
from pellucid.web.experiment.refusals import Refused
from pellucid.web.experiment.running import Running
from pellucid.web.experiment.schema import EVENT, REMARK, Kept
from pellucid.web.experiment.telling import about, completion, state
from pellucid.web.experiment.visits import begin, change, find
from pellucid.web.posted import read_object, refuse_cross_site
from pellucid.web.sending import send_file

_READ = ["GET", "HEAD"]
_MOST = 65_536  # bytes of a body: instructions and events come in lists
_EVENTS = ("blur", "focus", "hidden", "visible", "resize", "fullscreen_exit")
_MOST_EVENTS, _MOST_REMARKS = 5000, 20  # of one person
_QUIET = 20  # seconds: a visit that is looked at counts as active, and not each look needs to be kept

Do = Callable[..., Any]  # with a connection, the experiment, the visit, what was posted, and the time


def experiment_routes(experiments: Mapping[str, Running], static: Path | None, clock: Callable[[], float]) -> APIRouter:
    """The addresses of the people's part of some experiments."""
    router = APIRouter(prefix="/e/{name}")

    def running(name: str) -> Running:
        if name not in experiments:
            raise Refused(404, "unknown", "there is no such experiment here")
        return experiments[name]

    async def posted(request: Request, *known: str) -> Posted:
        refuse_cross_site(request)
        return Posted(await read_object(request, _MOST), *known)

    async def kept(request: Request, name: str, do: Do, *known: str) -> JSONResponse:
        said, token = await posted(request, *known), bearer(request)
        return JSONResponse(await run_in_threadpool(_keep, running(name), token, said, clock, do))

    def index(request: Request, name: str) -> Response:
        running(name)
        return send_file(request, page_files_of(static), "experiment.html")

    def slash(request: Request, name: str) -> Response:
        running(name)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{name}/{query}")

    def asset(request: Request, name: str, path: str) -> Response:
        running(name)
        return send_file(request, page_files_of(static), f"assets/{path}")

    def picture(request: Request, name: str, picture: str) -> Response:
        here = running(name)
        if picture not in here.pictures:
            raise Refused(404, "unknown", "there is no such picture here")
        headers = {"ETag": f'"{here.stimuli.pictures[picture].sha256}"', "Cache-Control": FOREVER}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        # Not as a file: its time would tell which of two pictures was written first.
        return Response(picture_path(here.folder, picture).read_bytes(), media_type="image/png", headers=headers)

    def study(name: str) -> JSONResponse:
        return JSONResponse(about(running(name)))

    async def sessions(request: Request, name: str) -> JSONResponse:
        here, said = running(name), await posted(request, "key", "consent", "platform", "window")
        return await run_in_threadpool(_begun, here, said, clock)

    async def declined(request: Request, name: str) -> JSONResponse:
        here = running(name)
        await posted(request)
        return JSONResponse({"completion": completion(here.settings.completion, "declined")})

    def session(request: Request, name: str) -> JSONResponse:
        here, token = running(name), bearer(request)
        with here.database.reading() as connection:
            visit = find(connection, here, token)
            told = state(connection, here, visit)
        if visit.last_seen is not None and clock() - visit.last_seen > _QUIET:
            _keep(here, token, None, clock, _looked)
        return JSONResponse(told)

    async def instructions(request: Request, name: str) -> JSONResponse:
        return await kept(request, name, _instructed, "key", "ms", "views")

    async def trial(request: Request, name: str, trial: str) -> JSONResponse:
        fields = ("key", "choice", "confidence", "rt_ms", "focus_losses", "window", "client_time")
        return await kept(request, name, partial(answered, trial_id=trial), *fields)

    async def events(request: Request, name: str) -> JSONResponse:
        return await kept(request, name, _happened, "key", "events")

    async def remark(request: Request, name: str) -> JSONResponse:
        return await kept(request, name, _remarked, "key", "text")

    async def withdrawn(request: Request, name: str) -> JSONResponse:
        said = await posted(request, "code")
        await run_in_threadpool(_withdrawn, running(name), said.text("code", 100))
        return JSONResponse({})

    router.add_api_route("", slash, methods=_READ)
    router.add_api_route("/", index, methods=_READ)
    router.add_api_route("/assets/{path:path}", asset, methods=_READ)
    router.add_api_route("/pictures/{picture}.png", picture, methods=_READ)
    router.add_api_route("/api/study", study, methods=_READ)
    router.add_api_route("/api/sessions", sessions, methods=["POST"])
    router.add_api_route("/api/declined", declined, methods=["POST"])
    router.add_api_route("/api/withdraw", withdrawn, methods=["POST"])
    router.add_api_route("/api/session", session, methods=["GET"])
    router.add_api_route("/api/session/instructions", instructions, methods=["POST"])
    router.add_api_route("/api/session/trials/{trial}", trial, methods=["POST"])
    router.add_api_route("/api/session/events", events, methods=["POST"])
    router.add_api_route("/api/session/remark", remark, methods=["POST"])
    return router


def bearer(request: Request) -> str:
    """The token that a request proves itself with."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Refused(401, "unauthorized", "that needs a token: Authorization: Bearer TOKEN")
    return token.strip()


def _keep(here: Running, token: str, said: Posted | None, clock: Callable[[], float], do: Do) -> Any:
    """What `do` gives, in a transaction that holds the visit."""
    with here.database.writing() as connection:
        return do(connection, here, find(connection, here, token, lock=True), said, clock())


def _begun(here: Running, said: Posted, clock: Callable[[], float]) -> JSONResponse:
    with here.database.writing() as connection:
        visit, new = begin(connection, here, said, clock())
        told = {"session": here.keys.token(visit.participant), "state": state(connection, here, visit)}
    return JSONResponse(told, 201 if new else 200)


def _withdrawn(here: Running, code: str) -> None:
    with here.database.writing() as connection:
        withdraw(connection, here, code)


def _instructed(connection: Connection, here: Running, visit: Kept, said: Posted, now: float) -> dict[str, Any]:
    return state(connection, here, instructed(connection, here, visit, said, now))


def _looked(connection: Connection, here: Running, visit: Kept, _: None, now: float) -> None:
    if visit.stage != "withdrawn":
        change(connection, visit, now)


def _happened(connection: Connection, here: Running, visit: Kept, said: Posted, now: float) -> dict[str, Any]:
    key, some = said.key(), said.objects("events", 500, "kind", "at")
    rows = [
        {
            "participant": visit.participant,
            "key": key,
            "position": position,
            "kind": one.one_of("kind", *_EVENTS),
            "at_ms": one.number("at", LONGEST * 1000),
            "received_at": now,
        }
        for position, one in enumerate(some)
    ]
    _keep_once(connection, here, visit, EVENT, key, rows, _MOST_EVENTS)
    return {}


def _remarked(connection: Connection, here: Running, visit: Kept, said: Posted, now: float) -> dict[str, Any]:
    key, text = said.key(), said.text("text", 4000)
    row = {"participant": visit.participant, "key": key, "text": text, "received_at": now}
    _keep_once(connection, here, visit, REMARK, key, [row], _MOST_REMARKS)
    return {}


def _keep_once(
    connection: Connection, here: Running, visit: Kept, table: Any, key: str, rows: list[dict[str, Any]], most: int
) -> None:
    if visit.stage == "withdrawn":
        raise not_now(connection, here, visit)
    mine = table.c.participant == visit.participant
    if connection.execute(select(table.c.key).where(mine, table.c.key == key)).first() is not None:
        return
    if connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one() + len(rows) > most:
        raise Refused(429, "too_many", f"at most {most} of these are kept of one visit")
    if rows:
        connection.execute(insert(table), rows)
        change(connection, visit, rows[0]["received_at"])
