"""Where the experiments of a study lie."""

import re
from collections.abc import Iterator
from pathlib import Path

from pellucid.errors import StudyError, did_you_mean
from pellucid.study.manifest import Study

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def experiment_name(text: str) -> str:
    """The name of an experiment as it is: of its folder and in its address. Raises `StudyError` if it cannot be one."""
    if not _NAME.fullmatch(text):
        raise StudyError(
            f"{text!r} cannot name an experiment: give up to 64 lower-case letters, digits, - and _, and begin with a "
            "letter or digit"
        )
    return text


def experiment_folder(study: Study, name: str) -> Path:
    """The folder of an experiment, whether it is there or not."""
    return study.path / "experiments" / experiment_name(name)


def experiments(study: Study) -> Iterator[Path]:
    """The folders of the experiments of a study that have stimuli, by name."""
    yield from sorted(path.parent for path in (study.path / "experiments").glob("*/stimuli.json"))


def find_experiment(study: Study, name: str | None = None) -> Path:
    """The folder of an experiment that has stimuli; without a name that of the only one.

    Raises `StudyError` if there is none of this name, or without a name none or several.
    """
    have = {folder.name: folder for folder in experiments(study)}
    if name is None and len(have) == 1:
        return next(iter(have.values()))
    if name is not None and experiment_name(name) in have:
        return have[name]
    missing = f"no experiment {name}{did_you_mean(name, have)}" if name else "no experiment"
    what = "several experiments: name one of" if have and name is None else missing
    listed = f" {', '.join(have)}" if name is None else f"; it has {', '.join(have)}"
    raise StudyError(
        f"the study in {study.path} has {what}{listed if have else '; make one with pellucid experiment make'}"
    )
