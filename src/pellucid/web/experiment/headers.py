"""What every response says, and the built page of the experiment."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import Request, Response

from pellucid.errors import StudyError
from pellucid.web.experiment.refusals import Refused
from pellucid.web.page import CONTENT_SECURITY_POLICY, page_files

FOREVER = "private, max-age=604800, immutable"
"""For what never changes under its name."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",  # the address has the platform's name of a person in it
    "X-Content-Type-Options": "nosniff",
}


async def with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Add to a response what all of them say."""
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def page_files_of(static: Path | None) -> dict[str, Path]:
    """The files of the built page. Refuses with 503 where there is none: the interface works without it."""
    try:
        files = page_files(static)
    except StudyError:
        files = {}
    if "experiment.html" not in files:
        raise Refused(503, "no_page", "the page of the experiment was not built on this server")
    return files
