"""From photographs to an activation atlas in the browser: what `make demo` runs.

    python examples/demo.py [FOLDER]

The photographs are the ones that scikit-image and scikit-learn carry inside their packages; nothing is downloaded.
FOLDER (default: demo) then holds `images`, the study `study`, and `site`, the same as static files. A second run goes
on where the first one stopped.
"""

import shlex
import shutil
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

# Photographs only: drawings, text, masks and test patterns have nothing to show that a network has learnt.
PHOTOGRAPHS = {
    "skimage": [
        "data/astronaut.png",
        "data/brick.png",
        "data/camera.png",
        "data/chelsea.png",
        "data/coffee.png",
        "data/coins.png",
        "data/grass.png",
        "data/gravel.png",
        "data/hubble_deep_field.jpg",
        "data/ihc.png",
        "data/moon.png",
        "data/motorcycle_left.png",
        "data/retina.jpg",
        "data/rocket.jpg",
    ],
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
}


def collect(folder: Path) -> None:
    """Copy the photographs out of the installed packages."""
    folder.mkdir(parents=True, exist_ok=True)
    for package, names in PHOTOGRAPHS.items():
        for name in names:
            photograph = files(package) / name
            (folder / Path(name).name).write_bytes(photograph.read_bytes())


def pellucid(*arguments: str | Path) -> None:
    """Run the program, showing the line that one would type."""
    program = shutil.which("pellucid", path=Path(sys.executable).parent) or "pellucid"
    print(f"\n$ {shlex.join(['pellucid', *map(str, arguments)])}", flush=True)
    if code := subprocess.run([program, *arguments]).returncode:
        sys.exit(code)


def main(folder: Path) -> None:
    """Collect, build, export, and say how to look at it."""
    started = time.monotonic()
    collect(folder / "images")
    print(f"{sum(map(len, PHOTOGRAPHS.values()))} photographs in {folder / 'images'}")
    # Few photographs, so many views of each: an atlas wants thousands of activations. They lie in a few tight clusters,
    # which a larger least distance spreads over the map.
    sampling = ("--crops", "1,0.5", "--positions", "16", "--neighbors", "30", "--min-dist", "0.3")
    drawing = ("--grids", "5,14,20", "--min-count", "5", "--steps", "64")
    pellucid("atlas", "--images", folder / "images", *sampling, *drawing, "-o", folder / "study")
    pellucid("export", folder / "study", folder / "site")
    programs = Path(sys.executable).parent
    if programs.is_relative_to(Path.cwd()):
        programs = programs.relative_to(Path.cwd())
    print(f"""
The atlas is ready after {time.monotonic() - started:.0f} seconds. To look at it:

    {programs / "pellucid"} serve {folder / "study"}

or, as static files that any web server can show:

    {programs / "python"} -m http.server --directory {folder / "site"}
""")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
