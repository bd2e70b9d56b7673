"""The command line as a user runs it."""

import subprocess
import sys
from pathlib import Path

import typer
from typer.testing import CliRunner


def pellucid_command(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    start = "import sys; from pellucid.cli import main; sys.argv[0] = 'pellucid'; main()"
    command = [sys.executable, "-c", start, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def output_of(app: typer.Typer, *arguments: object) -> str:
    """What a command prints when it is run in this process; its errors come through."""
    ended = CliRunner().invoke(app, list(map(str, arguments)))
    if ended.exception is not None:
        raise ended.exception
    return ended.output
