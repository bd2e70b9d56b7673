"""The built front-end: which files it consists of, and as what kind of content each of them is sent."""

from pathlib import Path, PurePosixPath

from pellucid.errors import StudyError

STATIC = Path(__file__).parent / "static"

# What the page may do: run and draw what came with it, and read the study's data. The pictures of a sheet pass
# through `blob:` on their way into memory.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)

# Of our own: what the system's table says about these endings differs from machine to machine.
_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


def content_type(name: str) -> str:
    """The media type of a file by the ending of its name."""
    return _CONTENT_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")


def page_files(static: Path | None = None) -> dict[str, Path]:
    """The files of the built page by their address relative to it, `index.html` among them.

    `static` is the folder that the front-end was built into; by default the one in the package. Raises `StudyError`
    if the page was never built.
    """
    folder = STATIC if static is None else static
    if not (folder / "index.html").is_file():
        raise StudyError(
            f"no page in {folder}: it has no index.html; install the package anew ('pip install .'), or build the page "
            "with 'npm ci' and 'npm run build' in frontend/"
        )
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path for path in files}


def viewer_files(static: Path | None = None) -> dict[str, Path]:
    """The same without the page of an experiment, which only the server of experiments has a use for."""
    return {name: path for name, path in page_files(static).items() if not path.name.startswith("experiment")}


def study_files(root: Path, names: tuple[str, ...]) -> dict[str, Path]:
    """The files of a study that may be shown, by their name in the catalog.

    Names that lead out of the study, by `..` or through a symbolic link, are left out, as are files that are not
    there: what a record says is not enough for a file to be sent.
    """
    home = root.resolve()
    found: dict[str, Path] = {}
    for name in names:
        path = (home / name).resolve()
        if ".." not in PurePosixPath(name).parts and path.is_relative_to(home) and path.is_file():
            found[name] = path
    return found
