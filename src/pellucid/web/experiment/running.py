"""An experiment as a server runs it: its records, its database and its secret."""

import time
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import insert, select

from pellucid.errors import StudyError
from pellucid.study import digest
from pellucid.study.experiments import Design, Schedule, Settings, Shown, Stimuli, Stimulus
from pellucid.web.experiment.database import Database, sqlite_url
from pellucid.web.experiment.keys import Keys
from pellucid.web.experiment.schema import EXPERIMENT

ANSWERS = "answers.sqlite"


@dataclass(frozen=True)
class Running:
    """An experiment with all that answering needs. Read once: what people are told does not change under way."""

    name: str
    folder: Path
    stimuli: Stimuli
    design: Design
    settings: Settings
    database: Database

    @classmethod
    def open(cls, name: str, folder: Path, database: str | None = None, *, answered: bool = False) -> "Running":
        """Open the experiment in a folder, with answers in `answers.sqlite` there or in the database of a URL.

        With `answered` an SQLite file must be there already: what only reads makes none.

        Raises `StudyError` if its records are missing or do not belong together, or if the database has answers to
        another design under this name.
        """
        stimuli, design = Stimuli.read(folder), Design.read(folder)
        if design.stimuli_digest != stimuli.digest():
            raise StudyError(
                f"{folder / 'design.json'} is for other stimuli than those there: make it again with 'pellucid "
                "experiment design'"
            )
        _check(folder, stimuli, design)
        opened = Database(database or sqlite_url(folder / ANSWERS), there=answered)
        _register(opened, name, digest(asdict(design)))
        return cls(name, folder, stimuli, design, Settings.read(folder), opened)

    @cached_property
    def keys(self) -> Keys:
        """What the experiment's secret makes of names."""
        return Keys.of(self.folder)

    @cached_property
    def known(self) -> dict[str, Stimulus]:
        """The stimuli by their names."""
        return self.stimuli.by_id()

    @cached_property
    def schedules(self) -> dict[str, Schedule]:
        """The schedules by their names."""
        return {one.id: one for one in self.design.schedules}

    @cached_property
    def pictures(self) -> frozenset[str]:
        """The pictures that anybody is shown: no other is sent."""
        shown = [one for schedule in self.design.schedules for one in all_shown(schedule)]
        shown += [one for some in self.design.instruction.values() for one in some]
        return frozenset(picture for one in shown for picture in self.pictures_of(one))

    def pictures_of(self, shown: Shown) -> set[str]:
        """The pictures of one trial."""
        stimulus = self.known[shown.stimulus]
        base = {stimulus.base.picture} if stimulus.base else set()
        return {stimulus.larger.picture, stimulus.smaller.picture, *base, *shown.references, *shown.minimal}


def all_shown(schedule: Schedule) -> list[Shown]:
    """All trials of a schedule, practice among them."""
    return [*(one for some in schedule.practice for one in some), *schedule.trials]


def _check(folder: Path, stimuli: Stimuli, design: Design) -> None:
    known = stimuli.by_id()
    asked = {one.stimulus for schedule in design.schedules for one in all_shown(schedule)}
    explained = {one.stimulus for some in design.instruction.values() for one in some}
    if strange := sorted((asked | explained) - known.keys()):
        raise StudyError(f"{folder / 'design.json'} shows the stimulus {strange[0]!r}, which is not in stimuli.json")
    if told := sorted(asked & explained):
        raise StudyError(f"the instructions of {folder} tell the answer to {told[0]}, which people are asked about")
    if len({one.id for one in design.schedules}) < len(design.schedules):
        raise StudyError(f"two schedules in {folder / 'design.json'} have one name")
    if empty := [one.id for one in design.schedules if not one.trials or not all(one.practice)]:
        raise StudyError(f"schedule {empty[0]} in {folder / 'design.json'} has no trials, or a round without any")


def _register(database: Database, name: str, design: str) -> None:
    with database.writing() as connection:
        found = connection.execute(select(EXPERIMENT.c.design).where(EXPERIMENT.c.name == name)).scalar()
        if found is None:
            connection.execute(insert(EXPERIMENT).values(name=name, design=design, created_at=time.time()))
        elif found != design:
            raise StudyError(
                f"{database.name} has answers to another design of the experiment {name!r}: put that design back, or "
                "name another database"
            )
