"""Sending files: those that are listed, and only if the browser does not have them already."""

from pathlib import Path

from fastapi import HTTPException, Request, Response
from fastapi.responses import FileResponse

from pellucid.web.page import content_type


def send_file(request: Request, files: dict[str, Path], name: str) -> Response:
    """Send one of the listed files, or say that the browser's copy is still good."""
    path = files.get(name)
    if path is None:
        raise HTTPException(404, f"there is no {name!r} here")
    try:
        status = path.stat()
    except OSError:  # replaced or removed since it was listed
        raise HTTPException(404, f"there is no {name!r} here") from None
    response = FileResponse(path, media_type=content_type(name), stat_result=status)
    tag = response.headers["etag"]
    known = {candidate.strip().removeprefix("W/") for candidate in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304, headers={"etag": tag}) if tag in known or "*" in known else response
