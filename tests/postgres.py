"""A Postgres of the tests' own, in a folder, where this machine has one."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_FOLDERS = ("/usr/lib/postgresql",)


def _program(name: str) -> str | None:
    found = shutil.which(name)
    installed = sorted(one for folder in _FOLDERS for one in Path(folder).glob(f"*/bin/{name}"))
    return found or (str(installed[-1]) if installed else None)


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server on a free port with a database of its own, and give its URL. Skips where there is none."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("Postgres is absent: no initdb and pg_ctl on the path; Debian has them in the package postgresql")
    # Its server refuses to run as root; "nobody" is on every system.
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="postgres") as home, socket.socket() as free:
        Path(home).chmod(0o777)
        data = Path(home) / "data"
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()

        def run(*command: str) -> None:
            with (Path(home) / "log").open("ab") as log:
                subprocess.run(command, check=True, stdout=log, stderr=log, timeout=120, cwd=home, **user)

        run(initdb, "-D", str(data), "-U", "tests", "--auth=trust", "--no-sync")
        run(pg_ctl, "-D", str(data), "-w", "-o", f"-h 127.0.0.1 -p {port} -k {home}", "start")
        try:
            yield f"postgresql+psycopg://tests@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "-D", str(data), "-w", "-m", "immediate", "stop")
