"""The records of a labelling task on disk: pictures for people to label, and apart from them what nobody is told.

`labels/LAYER/UNIT/task.json` holds one `LabelTask`: all that a rater sees. `key.json` beside it holds the `LabelKey`,
which knows the activation of each picture and is never sent to a browser. The pictures lie in `pictures/`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import digest, read_record, write_json
from pellucid.study.manifest import Study
from pellucid.study.unit_record import unit_folder

TASK, KEY = "task.json", "key.json"
_IMAGE = re.compile(r"[0-9a-f]{16}")
_LABEL = re.compile(r"\w[\w .+-]{0,39}")
_MOST = 9  # labels: as many as there are keys


@dataclass(frozen=True)
class Label:
    """A label that may be given, and the rubric: when it is."""

    name: str
    rubric: str


@dataclass(frozen=True)
class LabelTask:
    """What raters see: `images` by names that tell nothing, in the order of these names, and the `labels` in theirs.

    `positive` are the labels that speak for the unit. `reference` is the file of a picture of what the unit is for,
    empty if there is none. `seed` decides in which order each rater sees the images.
    """

    layer: str
    unit: int
    labels: tuple[Label, ...]
    positive: tuple[str, ...]
    images: tuple[str, ...]
    size: int  # side of a picture in pixels
    reference: str = ""
    seed: int = 0
    format: int = 1

    def __post_init__(self) -> None:
        check_labels(self.labels, self.positive)
        strange = [image for image in self.images if not _IMAGE.fullmatch(image)]
        if strange or self.reference not in ("", "reference.webp"):
            raise StudyError(
                f"{(strange or [self.reference])[0]!r} cannot be the name of a picture of a labelling task"
            )

    @classmethod
    def read(cls, folder: Path) -> "LabelTask":
        """Read `task.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        content = read_record(folder / TASK, cls.format, "a record of a labelling task")
        try:
            labels = tuple(Label(one["name"], one["rubric"]) for one in content["labels"])
            lists = {name: tuple(map(str, content[name])) for name in ("positive", "images")}
            return cls(**{**content, "labels": labels, **lists})
        except (TypeError, KeyError) as error:
            raise StudyError(f"{folder / TASK} is not a labelling task: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `task.json` into a folder: from then on the task is there for raters."""
        write_json(folder / TASK, asdict(self))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the labels."""
        return tuple(label.name for label in self.labels)

    def order(self, rater: str) -> tuple[str, ...]:
        """The images in the order in which a rater sees them: always the same one, and another for each rater."""
        return tuple(sorted(self.images, key=lambda image: (digest([self.seed, rater, image]), image)))


@dataclass(frozen=True)
class LabelledImage:
    """What is known of a picture: the activation, and the `place` (row, column) in a view of the `photograph`.

    `field` is what the unit sees there, in the photograph's pixels: left, top, right, bottom. `bin` is the number of
    the bin that the picture was drawn from.
    """

    image: str
    activation: float
    photograph: str
    place: tuple[int, int]
    field: tuple[int, int, int, int]
    bin: int


@dataclass(frozen=True)
class LabelKey:
    """What raters are not told: the activation of each image at a `tap`, "pre" or "post" the layer's rectifier.

    The images are random ones of each of the bins between `edges`, of which the outermost are None where the bin is
    open. `config` is what the task was made with.
    """

    tap: str
    edges: tuple[float | None, ...]
    images: tuple[LabelledImage, ...]
    config: dict[str, Any]
    format: int = 1

    @classmethod
    def read(cls, folder: Path) -> "LabelKey":
        """Read `key.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        content = read_record(folder / KEY, cls.format, "a record of a labelling task")
        try:
            images = tuple(
                LabelledImage(**{**one, "place": tuple(one["place"]), "field": tuple(one["field"])})
                for one in content["images"]
            )
            return cls(**{**content, "edges": tuple(content["edges"]), "images": images})
        except (TypeError, KeyError) as error:
            raise StudyError(f"{folder / KEY} is not the key of a labelling task: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `key.json` into a folder."""
        write_json(folder / KEY, asdict(self))

    def by_image(self) -> dict[str, LabelledImage]:
        """What is known of each picture, by its name."""
        return {one.image: one for one in self.images}


def check_labels(labels: Sequence[Label], positive: Sequence[str]) -> None:
    """Raise `StudyError` unless there are 2 to 9 labels of different names and the positive ones are among them."""
    names = [label.name for label in labels]
    if not 2 <= len(names) <= _MOST or len({*names}) < len(names):
        raise StudyError(
            f"a labelling task has 2 to {_MOST} labels of different names, not {', '.join(names) or 'none'}"
        )
    for name in names:
        if not isinstance(name, str) or not _LABEL.fullmatch(name):
            raise StudyError(f"{name!r} cannot be a label: give up to 40 letters, digits, spaces, or any of . + - _")
    unknown = [name for name in positive if name not in names]
    if unknown or not positive or len({*positive}) == len(names):
        raise StudyError(
            f"labels that speak for the unit are some of {', '.join(names)} and not all, not "
            f"{', '.join(unknown or positive) or 'none'}"
        )


def label_folder(study: Study, layer: str, unit: int) -> Path:
    """Where the labelling task of a unit lies. Raises `StudyError` for a name that is no plain folder name."""
    return study.path / "labels" / unit_folder(study, layer).name / str(int(unit))


def label_task(study: Study, layer: str, unit: int) -> tuple[Path, LabelTask]:
    """The folder and the record of a unit's labelling task. Raises `StudyError` if there is none."""
    folder = label_folder(study, layer, unit)
    if not (folder / TASK).is_file():
        have = ", ".join(f"{task.layer}:{task.unit}" for task in label_tasks(study))
        raise StudyError(
            f"the study in {study.path} has no labelling task of {layer}:{unit}{f'; it has {have}' if have else ''}; "
            f"make one with 'pellucid curves label {study.path} {layer}:{unit}'"
        )
    return folder, LabelTask.read(folder)


def label_tasks(study: Study) -> Iterator[LabelTask]:
    """The labelling tasks of a study, by layer and unit."""
    folders = [path.parent for path in (study.path / "labels").glob(f"*/*/{TASK}") if path.parent.name.isdecimal()]
    for folder in sorted(folders, key=lambda folder: (folder.parent.name, int(folder.name))):
        task = LabelTask.read(folder)
        if (task.layer, task.unit) == (folder.parent.name, int(folder.name)):
            yield task


def picture_name(image: str) -> str:
    """The file of an image's picture in the folder of its task."""
    return f"pictures/{image}.webp"


def image_name(layer: str, unit: int, photograph: str, place: Sequence[int], field: Sequence[int]) -> str:
    """A name for a picture that tells nothing of it, and is the same whenever the picture is the same."""
    return digest([layer, unit, photograph, list(place), list(field)])[:16]
