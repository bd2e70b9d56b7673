"""A hundred people at once over real HTTP, a server that is killed under them, and another database."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from experiment_server import ServerProcess, design_for, server_process
from experiment_visits import Page, said
from experiments import make_experiment
from pellucid.causal.simulation import AtRandom, Oracle, SimulatedVisit, differences, simulate
from pellucid.study.experiments import Stimuli
from pellucid.web.experiment import Running, answers_table, delete_participant, kept_answers, participants_table
from postgres import postgres

CONDITIONS = ("natural", "none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_experiment(tmp_path / "study", units=4, image_sets=2, practice=3, obvious=1, conditions=CONDITIONS)


def take_part(server: ServerProcess, folder: Path, count: int, at_once: int) -> list[SimulatedVisit]:
    url = f"{server.url}/e/{folder.name}"
    return simulate(
        url, Stimuli.read(folder), AtRandom(), count=count, at_once=at_once, right_practice=True, patience=90
    )


def check(folder: Path, visits: list[SimulatedVisit], people: int, database: str | None = None) -> None:
    """Everything that was acknowledged is kept, once, and schedules are balanced."""
    running = Running.open(folder.name, folder, database)
    assert differences(visits, kept_answers(running)) == []
    answers, participants = answers_table(running).to_pylist(), participants_table(running).to_pylist()
    assert {one["state"] for one in participants} == {"done"}
    assert len(participants) == people
    each = Counter((one["participant"], one["round"], one["trial"]) for one in answers)
    assert {*each.values()} == {1}
    assert {one["trials"] for one in participants} == {7}
    filled = Counter(one["condition"] for one in participants)
    assert max(filled.values()) - min(filled.values()) <= 1
    assert {*Counter(one["schedule"] for one in participants).values()} == {1}
    numbers = sorted(int(one["schedule"].rpartition("-")[2]) for one in participants if one["condition"] == "none")
    assert numbers == [*range(1, len(numbers) + 1)]


def test_of_a_hundred_people_at_once_no_trial_is_lost_or_doubled(folder: Path):
    design_for(folder, people=60, practice=(0, 1))
    with server_process(folder) as server:
        visits = take_part(server, folder, 100, at_once=100)
    assert len(visits) == 100
    check(folder, visits, 100)


def test_a_server_that_is_killed_and_started_again_has_lost_nothing_that_it_acknowledged(folder: Path):
    design_for(folder, people=10, practice=(0, 1))
    running = Running.open(folder.name, folder)
    with server_process(folder) as server:
        visits: list[SimulatedVisit] = []
        people = threading.Thread(target=lambda: visits.extend(take_part(server, folder, 20, at_once=20)))
        people.start()
        kills = 0
        for share in (25, 75, 120):
            deadline = time.monotonic() + 60
            while len(kept_answers(running)) < share and people.is_alive():
                assert time.monotonic() < deadline, "nobody answers"
                time.sleep(0.01)
            kills += people.is_alive()
            server.kill()
            server.start()
        people.join(120)
    assert kills >= 2
    check(folder, visits, 20)


def test_what_was_acknowledged_just_before_the_kill_is_there(folder: Path):
    design_for(folder, people=2, practice=(0, 0))
    with server_process(folder) as server:
        for _ in range(3):
            with httpx.Client(base_url=server.url, trust_env=False) as client:
                page = Page(client)
                page.begin()
                page.read_instructions()
                trial, content = page.state["trial"]["id"], said("left")
                answered = page.ask("POST", f"api/session/trials/{trial}", content).json()
                server.kill()
            assert trial in kept_answers(Running.open(folder.name, folder))
            server.start()
            with httpx.Client(base_url=server.url, trust_env=False) as client:
                page.client = client
                assert page.ask("POST", f"api/session/trials/{trial}", content).json() == answered


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres() as url:
        yield url


def test_on_postgres_forty_people_at_once_survive_a_kill(folder: Path, database: str):
    design_for(folder, people=20, practice=(0, 1))
    running = Running.open(folder.name, folder, database)
    with server_process(folder, database=database) as server:
        visits: list[SimulatedVisit] = []
        people = threading.Thread(target=lambda: visits.extend(take_part(server, folder, 40, at_once=40)))
        people.start()
        deadline = time.monotonic() + 60
        while len(kept_answers(running)) < 60:
            assert time.monotonic() < deadline, "nobody answers"
            time.sleep(0.01)
        server.kill()
        server.start()
        people.join(120)
    check(folder, visits, 40, database)
    assert not (folder / "answers.sqlite").exists()
    name = participants_table(running)["participant"].to_pylist()[0]
    delete_participant(running, name)
    assert name not in {*answers_table(running)["participant"].to_pylist()}


def test_on_postgres_two_servers_share_the_schedules(tmp_path: Path, database: str):
    home = make_experiment(
        tmp_path / "study", "shared", units=2, image_sets=1, practice=1, obvious=1, conditions=CONDITIONS
    )
    design_for(home, people=8, practice=(0, 0))
    with server_process(home, database=database) as one, server_process(home, database=database) as two:
        both: list[SimulatedVisit] = []

        def half(server: ServerProcess) -> None:
            url, stimuli = f"{server.url}/e/{home.name}", Stimuli.read(home)
            both.extend(simulate(url, stimuli, Oracle(), count=8, at_once=8))

        threads = [threading.Thread(target=half, args=(server,)) for server in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
    running = Running.open(home.name, home, database)
    assert differences(both, kept_answers(running)) == []
    assert len({*participants_table(running)["schedule"].to_pylist()}) == 16
