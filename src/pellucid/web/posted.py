"""What a browser sends: whether it comes from our own page, and whether it is an answer at all."""

import json
import math
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

MOST = 4096
"""Bytes of an answer."""
_LATEST = 1e14  # milliseconds since 1970: some thousand years
_FIELDS = {"rater", "image", "label", "key", "client_time"}


def refuse_cross_site(request: Request) -> None:
    """Refuse what another site's page made a browser send.

    Browsers say where a request comes from in `Sec-Fetch-Site`, or on plain addresses of other machines in `Origin`. A
    program that is no browser says neither.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        same = site == "same-origin"
    else:
        same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not same:
        raise HTTPException(403, "answers are taken from this server's own page only")


async def read_object(request: Request, most: int = MOST) -> dict[str, Any]:
    """The JSON object that a request has for its body. Refuses all else, and more than `most` bytes, with 4xx."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # no other site's form can send this
        raise HTTPException(415, "an answer is application/json")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise HTTPException(413, f"an answer has {most} bytes at most")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "that is no JSON") from None
    if not isinstance(content, dict):
        raise HTTPException(422, "an answer is an object")
    return content


async def read_posted(request: Request) -> dict[str, Any]:
    """The fields of a posted answer, each of its type. Refuses all that is not one with a status of 4xx."""
    content = await read_object(request)
    if content.keys() != _FIELDS:
        raise HTTPException(422, f"an answer is an object of {', '.join(sorted(_FIELDS))}")
    for name in _FIELDS - {"client_time"}:
        if not isinstance(content[name], str) and (name != "label" or content[name] is not None):
            raise HTTPException(422, f"{name} must be text")
    time = content["client_time"]
    if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time <= _LATEST or math.isnan(time):
        raise HTTPException(422, "client_time is a number of milliseconds since 1970")
    return content
