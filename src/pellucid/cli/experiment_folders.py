"""The experiments that a command names, and what it says where their extra is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pellucid.errors import PellucidError, StudyError
from pellucid.study import Study
from pellucid.study.experiments import experiments, find_experiment

StudyFolder = Annotated[Path, typer.Argument(metavar="STUDY", help="The study that has the experiment.")]
ExperimentName = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The experiment's name; not needed if the study has only one.")
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Where the answers are: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME; by default answers.sqlite "
        "in the experiment's folder.",
        envvar="PELLUCID_DATABASE",
        show_envvar=True,
    ),
]
_EXTRA = ("sqlalchemy", "httpx")


def folder_of(study: Path, name: str | None) -> Path:
    """The folder of an experiment that is there, without a name that of the only one. Raises `StudyError` if not."""
    return find_experiment(Study.open(study), name)


def folders_of(studies: list[Path]) -> dict[str, Path]:
    """All experiments of some studies that have a design, by name. Raises `StudyError` if there is none."""
    found: dict[str, Path] = {}
    for study in studies:
        for folder in experiments(Study.open(study)):
            if not (folder / "design.json").is_file():
                typer.echo(
                    f"{folder.name} has no design and is left out: pellucid experiment design {study} {folder.name}"
                )
                continue
            if folder.name in found:
                raise StudyError(f"{found[folder.name]} and {folder} have one name; rename one of the folders")
            found[folder.name] = folder
    if not found:
        raise StudyError(f"no experiment with a design in {', '.join(map(str, studies))}")
    return found


@contextmanager
def experiment_extra() -> Iterator[None]:
    """Say which extra to install where a package of it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise PellucidError(f"this needs {error.name}: pip install 'pellucid[experiment]'") from None
