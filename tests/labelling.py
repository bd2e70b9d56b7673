"""Labelling tasks for tests: of made-up harvests, with answers."""

from pathlib import Path

from harvests import LAYER, harvested, photographs
from pellucid.curves.labels import prepare_labels
from pellucid.study import Study
from pellucid.study.label_answers import AnswerRecord, keep_answer
from pellucid.study.label_record import LabelKey, LabelTask, label_folder

UNIT = 3


def labelling(path: Path, *, images: int = 9, **options) -> tuple[Study, LabelTask]:
    """A study with a labelling task of a unit, and the task."""
    study = harvested(path / "study", photographs(path / "images", images))
    return study, prepare_labels(study, LAYER, UNIT, **{"per_bin": 4, "size": 32, **options})


def folder_of(study: Study) -> Path:
    """The folder of that task."""
    return label_folder(study, LAYER, UNIT)


def say(study: Study, rater: str, image: str, label: str | None, key: str | None = None) -> list[AnswerRecord]:
    """Keep an answer as the server does."""
    activation = LabelKey.read(folder_of(study)).by_image()[image].activation
    key = key or f"{rater}-{image}-{label}"[:64].replace("_", "-")
    return keep_answer(folder_of(study), rater, AnswerRecord(key, image, label, activation, 1000.0))
