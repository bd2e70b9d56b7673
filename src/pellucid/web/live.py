"""What the page can have computed: pictures painted with concepts, patches tried out, images that a concept is in.

The server computes nothing itself. Whoever starts it hands over a `Worker`; without one every address under `/live`
says so with status 404 and the code "not_live". Errors are `{"detail": sentence, "code": word}`.
"""

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, runtime_checkable

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from pellucid.errors import AtlasError, ObjectiveError, PellucidError
from pellucid.web.live_posted import Cells, PaintingAsked, PatchAsked, QueryAsked, count_asked, number_named, refusal
from pellucid.web.posted import read_object, refuse_cross_site

_log = logging.getLogger(__name__)

_READ = ["GET", "HEAD"]
_FRESH = {"Cache-Control": "no-store"}
_MOST = 262_144  # bytes of a painting
_CODES = {400: "malformed", 403: "forbidden", 413: "too_large", 415: "content_type", 422: "invalid"}


@runtime_checkable
class Worker(Protocol):
    """What computes for the page. It is called from several threads at once.

    What is None is not there: a job, a picture, an image; of `paint` and `patch` it says that there is too much to do
    already. An `AtlasError` or `ObjectiveError` is told to the page as it is; any other `PellucidError` is logged.
    """

    def about(self) -> Mapping[str, Any]:
        """What there is: {"format", "network", "paint", "patches", "images", "query"}; see `docs/atlas-paint.md`."""
        ...

    def paint(
        self, atlas: str, strokes: tuple[tuple[int, int, Cells], ...], *, steps: int, size: int, seed: int
    ) -> str | None:
        """Begin to paint at each (row, column) of the canvas a mixture of cells; the name of the job."""
        ...

    def job(self, name: str) -> Mapping[str, Any] | None:
        """How far a job is: {"state", "done", "total", "picture", "top", "detail"}."""
        ...

    def picture(self, name: str) -> bytes | None:
        """The picture of a job as it is now, as PNG."""
        ...

    def cancel(self, name: str) -> Mapping[str, Any] | None:
        """End a job; how far it is."""
        ...

    def patch(self, image: int, patch: str, *, size: float, corner: int) -> Mapping[str, Any] | None:
        """An image with a patch in one of its corners: {"before", "after", "picture"}."""
        ...

    def find(self, text: str, limit: int) -> list[Mapping[str, Any]]:
        """The images whose name has the text in it, each {"index", "name"}."""
        ...

    def image(self, index: int) -> bytes | None:
        """A small version of an image, as JPEG."""
        ...

    def query(self, atlas: str, cells: Cells, limit: int) -> list[Mapping[str, Any]]:
        """The images that the sum of cells is in most, each {"index", "name", "score", "box"}."""
        ...


class _LiveRoute(APIRoute):
    """A route whose refusals have a word for the page beside the sentence for people."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                said = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}
                content = {"code": _CODES.get(error.status_code, "refused"), **said}
                return JSONResponse(content, error.status_code, headers=_FRESH)
            except (AtlasError, ObjectiveError) as error:
                return JSONResponse({"detail": str(error), "code": "invalid"}, 422, headers=_FRESH)
            except PellucidError as error:
                # The message may name folders of this machine: it is for who runs the server.
                _log.error("%s", error)
                said = {"detail": "that cannot be computed now; the server's log says why", "code": "unavailable"}
                return JSONResponse(said, 503, headers=_FRESH)

        return handled


def live_routes(worker: Worker | None) -> APIRouter:
    """The addresses under `/live`, for a worker or for none."""
    router = APIRouter(prefix="/live", route_class=_LiveRoute)
    if worker is None:
        for address in ("", "/{path:path}"):
            router.add_api_route(address, _not_live, methods=[*_READ, "POST"])
        return router
    routes = _Live(worker)
    for address, reading in (
        ("", routes.about),
        ("/jobs/{name}", routes.job),
        ("/jobs/{name}/picture.png", routes.picture),
        ("/images", routes.images),
        ("/images/{name}.jpg", routes.image),
    ):
        router.add_api_route(address, reading, methods=_READ)
    for address, posting in (
        ("/paint", routes.paint),
        ("/jobs/{name}/cancel", routes.cancel),
        ("/patch", routes.patch),
        ("/query", routes.query),
    ):
        router.add_api_route(address, posting, methods=["POST"])
    router.add_api_route("/{path:path}", _unknown, methods=_READ)
    return router


def _not_live() -> Response:
    raise refusal(404, "not_live", "nothing is computed here; start the server with 'pellucid serve STUDY --live'")


def _unknown() -> Response:
    raise refusal(404, "unknown", "there is no such address")


class _Live:
    """The routes of one worker."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    def about(self) -> JSONResponse:
        return _said(self.worker.about())

    def job(self, name: str) -> JSONResponse:
        return _said(_known(self.worker.job(name), "job"))

    def picture(self, name: str) -> Response:
        _known(self.worker.job(name), "job")
        return Response(_known(self.worker.picture(name), "picture yet"), media_type="image/png", headers=_FRESH)

    def images(self, find: str = "", limit: str = "60") -> JSONResponse:
        return _said({"images": self.worker.find(find[:200], count_asked(limit, 500))})

    def image(self, name: str) -> Response:
        number = number_named(name)
        found = self.worker.image(number) if number is not None else None
        return Response(_known(found, "image"), media_type="image/jpeg")

    async def paint(self, request: Request) -> JSONResponse:
        return await run_in_threadpool(self._paint, PaintingAsked.of(await _posted(request)))

    def _paint(self, asked: PaintingAsked) -> JSONResponse:
        canvas = _known(self._canvases().get(asked.atlas), "atlas to paint with")
        asked.check_inside(canvas["rows"], canvas["columns"])
        job = self.worker.paint(asked.atlas, asked.strokes, steps=asked.steps, size=asked.size, seed=asked.seed)
        return _said({"job": _free(job)}, 202)

    async def cancel(self, request: Request, name: str) -> JSONResponse:
        refuse_cross_site(request)
        return _said(_known(await run_in_threadpool(self.worker.cancel, name), "job"))

    async def patch(self, request: Request) -> JSONResponse:
        return await run_in_threadpool(self._patch, PatchAsked.of(await _posted(request)))

    def _patch(self, asked: PatchAsked) -> JSONResponse:
        about = self.worker.about()
        _known(asked.patch if asked.patch in about["patches"] else None, "patch")
        _known(asked.image if asked.image < about["images"] else None, "image")
        return _said(_free(self.worker.patch(asked.image, asked.patch, size=asked.size, corner=asked.corner)))

    async def query(self, request: Request) -> JSONResponse:
        return await run_in_threadpool(self._query, QueryAsked.of(await _posted(request)))

    def _query(self, asked: QueryAsked) -> JSONResponse:
        there = self._canvases() if self.worker.about()["query"] else {}
        _known(there.get(asked.atlas), "atlas to ask with")
        return _said({"images": self.worker.query(asked.atlas, asked.cells, asked.limit)})

    def _canvases(self) -> dict[str, Mapping[str, Any]]:
        return {entry["atlas"]: entry for entry in self.worker.about()["paint"]}


async def _posted(request: Request) -> dict[str, Any]:
    refuse_cross_site(request)
    return await read_object(request, _MOST)


def _said(content: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(content, status, headers=_FRESH)


def _known(found: Any, what: str) -> Any:
    if found is None:
        raise refusal(404, "unknown", f"there is no such {what}")
    return found


def _free(found: Any) -> Any:
    if found is None:
        raise refusal(503, "busy", "there is too much to do already; try again in a moment")
    return found
