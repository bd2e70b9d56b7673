"""What an observer without eyes answered: an oracle, a rule, or a network that compares pictures."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import read_record, write_json


@dataclass(frozen=True)
class Answer:
    """For a stimulus in a condition: `right` is 1 for the larger query, 0 for the smaller, 0.5 if it cannot tell.

    `probability` is that of the larger query being chosen, where the observer gives one, and `score` by how much it
    speaks for the larger query.
    """

    stimulus: str
    condition: str
    right: float
    score: float | None = None
    probability: float | None = None


@dataclass(frozen=True)
class Observed:
    """All answers of one observer, and what it is."""

    observer: str
    answers: tuple[Answer, ...]
    config: dict[str, Any]
    stimuli_digest: str
    format: int = 1

    @classmethod
    def read(cls, path: Path) -> "Observed":
        """Read `observers/NAME.json`. Raises `StudyError` if it is missing, damaged or newer than this version."""
        content = read_record(path, cls.format, "an observer's answers")
        try:
            return cls(**{**content, "answers": tuple(Answer(**one) for one in content["answers"])})
        except (TypeError, KeyError) as error:
            raise StudyError(f"{path} is not a record of an observer's answers: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `observers/NAME.json` into the folder of an experiment."""
        write_json(folder / "observers" / f"{self.observer}.json", asdict(self))
