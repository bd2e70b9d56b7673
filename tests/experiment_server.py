"""A server of experiments on a free port of this machine, in a process that can be killed."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pellucid.causal.design import make_design
from pellucid.study.experiments import Design, Stimuli

OPERATOR = "operator-token-of-the-tests"
_SERVE = """
import json, sys, uvicorn
from pathlib import Path
from pellucid.web.experiment import make_experiment_app
given = json.loads(sys.argv[1])
folders = {name: Path(folder) for name, folder in given["folders"].items()}
app = make_experiment_app(folders, database=given["database"], operator_token=given["token"])
uvicorn.run(app, host="127.0.0.1", port=given["port"], log_level="warning", ws="none", lifespan="off", access_log=False)
"""


def design_for(folder: Path, **options: Any) -> Design:
    """Make a design for the experiment in a folder, and write it."""
    made = make_design(Stimuli.read(folder), **{"people": 2, "rounds": 4, **options})
    made.write(folder)
    return made


@dataclass
class ServerProcess:
    """A server in a process of its own, always on the same port."""

    folders: tuple[Path, ...]
    database: str | None
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        given = {
            "folders": {folder.name: str(folder) for folder in self.folders},
            "database": self.database,
            "token": OPERATOR,
            "port": self.port,
        }
        self.process = subprocess.Popen([sys.executable, "-c", _SERVE, json.dumps(given)])
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, "the server ended before it began"
            assert time.monotonic() < deadline, "the server did not start in 60 seconds"
            try:
                httpx.get(f"{self.url}/operator/", timeout=5, trust_env=False)
                return
            except httpx.TransportError:
                time.sleep(0.05)

    def kill(self) -> None:
        """End the process as a power failure would: it cannot say goodbye."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)


@contextmanager
def server_process(*folders: Path, database: str | None = None) -> Iterator[ServerProcess]:
    """Serve the experiments in folders from a process that may be killed and started again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ServerProcess(folders, database, port)
    server.start()
    try:
        yield server
    finally:
        server.kill()
