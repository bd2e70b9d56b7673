"""Servers on free ports of this machine, for a browser to look at."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI


@contextmanager
def serve_at(app: Any, port: int = 0, *, wait: bool = True) -> Iterator[int]:
    """Serve an app on a port of this machine, by default a free one, and give the port.

    Its end waits for open requests, unless it is told not to.
    """
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the server ended before it began"
        assert time.monotonic() < deadline, "the server did not start in 20 seconds"
        time.sleep(0.02)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        server.force_exit = not wait
        thread.join(20)


@contextmanager
def serve_app(app: FastAPI) -> Iterator[str]:
    """Serve an app as `pellucid serve` does, and give its origin, with the slash."""
    with serve_at(app) as port:
        yield f"http://127.0.0.1:{port}/"


class QuietHandler(SimpleHTTPRequestHandler):
    """Sends files and keeps no log."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve a folder's files as any web server would, and give its origin, with the slash."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join(20)
