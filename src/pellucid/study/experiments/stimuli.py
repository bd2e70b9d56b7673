"""The stimuli of an experiment, with the key: what each picture is and how strongly the unit responds to it."""

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import digest, read_record, write_json

CONDITIONS = ("optimized", "natural", "mixed", "natural_blur", "none")
"""Which references people see, in the terms of Zimmermann et al. 2021: between subjects."""
TASKS = ("counterfactual", "two_choice")
ROLES = ("main", "catch", "practice", "obvious", "instruction")
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class PictureFile:
    """A picture, `pictures/ID.png`: its sha256 and its size in pixels."""

    sha256: str
    height: int
    width: int

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256) or min(self.height, self.width) < 1:
            raise StudyError(f"{self.sha256!r} of {self.height}x{self.width} pixels cannot describe a picture")


@dataclass(frozen=True)
class Query:
    """A picture that the unit responds to with `activation`, measured from the picture as it is written.

    `photograph` is the image of the data set that it was made of, empty if of none, and `patch` the top, left, height
    and width in pixels of what is occluded, None if nothing is.
    """

    picture: str
    activation: float
    photograph: str = ""
    patch: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class Stimulus:
    """One question about one unit: of `larger` and `smaller`, which does the unit respond to more?

    In a counterfactual task both are `base`, each with another patch occluded; in a two-choice task they are natural
    images and `base` is None. `references` has for each condition the pictures that excite the unit most, `minimal`
    those that excite it least, in no order. `image_set` numbers the stimuli of a unit. `role` says what it is for: a
    "main" or "catch" trial, "practice", "obvious" (practice that nobody fails) or "instruction". `config` is open to
    what makers want to say of it, such as the rank of the base image.
    """

    id: str
    layer: str
    unit: int
    image_set: int
    role: str
    larger: Query
    smaller: Query
    base: Query | None = None
    references: dict[str, tuple[str, ...]] = field(default_factory=dict)
    minimal: dict[str, tuple[str, ...]] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id) or self.role not in ROLES:
            raise StudyError(f"stimulus {self.id!r} with role {self.role!r}: roles are {', '.join(ROLES)}")
        if not self.larger.activation > self.smaller.activation:
            raise StudyError(
                f"stimulus {self.id} of {self.address} has activations {self.larger.activation:g} and "
                f"{self.smaller.activation:g} for its larger and its smaller query"
            )

    @property
    def address(self) -> str:
        """The unit's address, layer:unit."""
        return f"{self.layer}:{self.unit}"

    @property
    def relative_difference(self) -> float | None:
        """(larger - smaller) / base, the reference's measure of difficulty; None without a base or with a base of 0."""
        if self.base is None or self.base.activation == 0:
            return None
        return (self.larger.activation - self.smaller.activation) / abs(self.base.activation)

    def pictures(self, condition: str) -> tuple[str, ...]:
        """The pictures that are shown in a condition, in the order of their names."""
        shown = [self.larger.picture, self.smaller.picture, *([self.base.picture] if self.base else [])]
        return tuple(sorted({*shown, *self.references.get(condition, ()), *self.minimal.get(condition, ())}))


@dataclass(frozen=True)
class Stimuli:
    """All stimuli of an experiment and all its pictures, with the configuration and seed that made them."""

    name: str
    task: str
    network: str
    conditions: tuple[str, ...]
    size: tuple[int, int]  # height and width of a picture in pixels
    stimuli: tuple[Stimulus, ...]
    pictures: dict[str, PictureFile]
    config: dict[str, Any]
    seed: int = 0
    format: int = 1

    def __post_init__(self) -> None:
        if self.task not in TASKS or not self.conditions or not {*self.conditions} <= {*CONDITIONS}:
            raise StudyError(
                f"an experiment of task {self.task!r} in conditions {', '.join(self.conditions) or 'none'}: tasks are "
                f"{', '.join(TASKS)}, conditions {', '.join(CONDITIONS)}"
            )
        if len({one.id for one in self.stimuli}) < len(self.stimuli):
            raise StudyError(f"two stimuli of {self.name} have one name")
        strange = [name for name in self.pictures if not _ID.fullmatch(name)]
        shown = {picture for one in self.stimuli for c in self.conditions for picture in one.pictures(c)}
        if strange or not shown <= self.pictures.keys():
            missing = (strange or sorted(shown - self.pictures.keys()))[0]
            raise StudyError(f"{missing!r} is no picture of the experiment {self.name}")

    @classmethod
    def read(cls, folder: Path) -> "Stimuli":
        """Read `stimuli.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        path = folder / "stimuli.json"
        content = read_record(path, cls.format, "a record of stimuli")
        try:
            return cls(
                **{
                    **content,
                    "conditions": tuple(content["conditions"]),
                    "size": tuple(content["size"]),
                    "stimuli": tuple(_stimulus(one) for one in content["stimuli"]),
                    "pictures": {name: PictureFile(**one) for name, one in content["pictures"].items()},
                }
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise StudyError(f"{path} is not a record of stimuli: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `stimuli.json` into a folder."""
        write_json(folder / "stimuli.json", asdict(self))

    def digest(self) -> str:
        """The sha256 of all of it: the same seed and configuration give the same one."""
        return digest(asdict(self))

    def by_id(self) -> dict[str, Stimulus]:
        """The stimuli by their names."""
        return {one.id: one for one in self.stimuli}

    def of_role(self, *roles: str) -> tuple[Stimulus, ...]:
        """The stimuli for these roles, in order."""
        return tuple(one for one in self.stimuli if one.role in roles)


def picture_path(folder: Path, picture: str) -> Path:
    """The file of a picture in an experiment's folder. Raises `StudyError` for what is no picture's name."""
    if not _ID.fullmatch(picture):
        raise StudyError(f"{picture!r} is no picture's name")
    return folder / "pictures" / f"{picture}.png"


def _query(content: dict[str, Any]) -> Query:
    patch = content.get("patch")
    return Query(**{**content, "patch": None if patch is None else tuple(patch)})


def _stimulus(content: dict[str, Any]) -> Stimulus:
    base = content.get("base")
    lists = {
        name: {condition: tuple(some) for condition, some in content.get(name, {}).items()}
        for name in ("references", "minimal")
    }
    queries = {name: _query(content[name]) for name in ("larger", "smaller")}
    return Stimulus(**{**content, **lists, **queries, "base": None if base is None else _query(base)})
