"""The command line as a user runs it."""

import subprocess
import sys
from pathlib import Path


def pellucid_command(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    start = "import sys; from pellucid.cli import main; sys.argv[0] = 'pellucid'; main()"
    command = [sys.executable, "-c", start, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
