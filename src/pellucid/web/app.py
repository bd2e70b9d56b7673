"""The server: the page, and of the study what its catalog lists. All it writes are answers to labelling tasks."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from pellucid.errors import StudyError
from pellucid.study import read_catalog
from pellucid.web.labelling import labelling_routes
from pellucid.web.live import Worker, live_routes
from pellucid.web.page import CONTENT_SECURITY_POLICY, study_files, viewer_files
from pellucid.web.sending import send_file

_log = logging.getLogger(__name__)

_HEADERS = {
    "Cache-Control": "no-cache",  # keep, but ask each time: a study grows and a page gets newer
    "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_READ = ["GET", "HEAD"]


def make_app(root: Path, *, static: Path | None = None, worker: Worker | None = None) -> FastAPI:
    """Make the web app that shows a study.

    `root` is the study's folder; it is read again at each request, so an atlas appears when it is finished. `static`
    is the folder of the built page, by default the package's own; it may be built again under a running server.
    Answers to labelling tasks are the one thing that is written, into the study. `worker` computes what the page asks
    for under `/live`; the catalog then says `"live": true`.
    Raises `StudyError` if there is no study in `root` or no page in `static`.
    """
    read_catalog(root)
    viewer_files(static)
    app = FastAPI(title="Pellucid", docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_with_headers)
    app.add_exception_handler(StudyError, _unreadable)

    def catalog() -> JSONResponse:
        return JSONResponse({**read_catalog(root).public(), **({"live": True} if worker else {})})

    def data(request: Request, path: str) -> Response:
        listed = path in read_catalog(root).files
        return send_file(request, study_files(root, (path,) if listed else ()), path)

    def asset(request: Request, path: str) -> Response:
        return send_file(request, viewer_files(static), path or "index.html")

    app.add_api_route("/data/catalog.json", catalog, methods=_READ)
    app.add_api_route("/data/{path:path}", data, methods=_READ)
    app.include_router(labelling_routes(root))
    app.include_router(live_routes(worker))
    app.add_api_route("/{path:path}", asset, methods=_READ)
    return app


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _unreadable(_: Request, error: Exception) -> JSONResponse:
    # The message names folders of this machine: it is for who runs the server.
    _log.error("%s", error)
    return JSONResponse({"detail": "the study cannot be read; the server's log says why"}, status_code=503)
