"""What the server does not do: each refusal has a sentence for people and a word for the page."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

_WORDS = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "unknown",
    405: "method",
    413: "too_large",
    415: "content_type",
    422: "invalid",
}


class Refused(Exception):
    """A request that is answered with a status of 4xx: `code` is the word that the page goes by."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.content = status, {"detail": detail, "code": code, **more}


def invalid(detail: str) -> Refused:
    """The refusal of a body that says something else than it should."""
    return Refused(422, "invalid", detail)


def tell_refused(_: Request, error: Exception) -> JSONResponse:
    """The response to a refused request."""
    if isinstance(error, Refused):
        return JSONResponse(error.content, error.status)
    assert isinstance(error, HTTPException)
    content = {"detail": error.detail, "code": _WORDS.get(error.status_code, "refused")}
    return JSONResponse(content, error.status_code, headers=error.headers)
