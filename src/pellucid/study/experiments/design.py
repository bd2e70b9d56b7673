"""The design of an experiment: who is shown what, when, and on which side."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import read_record, write_json

KINDS = ("main", "catch", "practice")


@dataclass(frozen=True)
class Shown:
    """One trial: a stimulus, on which `side` its larger query stands, and its references in the order of the grid."""

    stimulus: str
    kind: str
    side: str
    references: tuple[str, ...] = ()
    minimal: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.side not in ("left", "right"):
            raise StudyError(f"a trial is one of {', '.join(KINDS)}, left or right, not {self.kind} and {self.side}")


@dataclass(frozen=True)
class Schedule:
    """What one person sees: rounds of practice, of which the next one comes while one is not all right, then trials.

    After the last round the first one comes again. A schedule without practice begins with its trials.
    """

    id: str
    condition: str
    number: int
    practice: tuple[tuple[Shown, ...], ...]
    trials: tuple[Shown, ...]


@dataclass(frozen=True)
class Design:
    """The schedules of an experiment, the stimuli that its instructions are explained with, and what decided them.

    `stimuli_digest` is that of the stimuli that it is for.
    """

    schedules: tuple[Schedule, ...]
    instruction: dict[str, tuple[Shown, ...]]  # by condition
    config: dict[str, Any]
    stimuli_digest: str
    seed: int = 0
    format: int = 1

    @classmethod
    def read(cls, folder: Path) -> "Design":
        """Read `design.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        path = folder / "design.json"
        content = read_record(path, cls.format, "the design of an experiment")
        try:
            schedules = tuple(
                Schedule(
                    **{
                        **one,
                        "practice": tuple(_all_shown(some) for some in one["practice"]),
                        "trials": _all_shown(one["trials"]),
                    }
                )
                for one in content["schedules"]
            )
            instruction = {name: _all_shown(some) for name, some in content["instruction"].items()}
            return cls(**{**content, "schedules": schedules, "instruction": instruction})
        except (TypeError, KeyError, AttributeError) as error:
            raise StudyError(f"{path} is not the design of an experiment: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `design.json` into a folder."""
        write_json(folder / "design.json", asdict(self))


def _all_shown(content: list[dict[str, Any]]) -> tuple[Shown, ...]:
    return tuple(
        Shown(**{**one, "references": tuple(one.get("references", ())), "minimal": tuple(one.get("minimal", ()))})
        for one in content
    )
