"""Simulated people over HTTP: what each kind answers, and that the database has what they clicked."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from commands import output_of
from experiment_server import ServerProcess, design_for, server_process
from experiments import make_experiment
from pellucid.causal.simulation import (
    Always,
    AtRandom,
    Biased,
    Oracle,
    Recorded,
    Seen,
    SimulatedPeople,
    SimulatedVisit,
    differences,
    people_named,
    simulate,
)
from pellucid.cli.experiment_simulate import simulate as command
from pellucid.errors import PellucidError, StudyError
from pellucid.study.experiments import Answer, Observed, Stimuli, Stimulus
from pellucid.web.experiment import Running, answers_table, kept_answers, participants_table

app = typer.Typer()
app.command()(command)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("drawn") / "study"
    folder = make_experiment(home, units=6, image_sets=2, practice=3, obvious=1, conditions=("natural", "none"))
    design_for(folder, people=60, practice=(1, 1), rounds=8)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ServerProcess]:
    with server_process(folder) as server:
        yield server


@pytest.fixture(scope="module")
def stimuli(folder: Path) -> Stimuli:
    return Stimuli.read(folder)


def run(
    server: ServerProcess, folder: Path, people: SimulatedPeople, count: int, **options: bool
) -> tuple[list[SimulatedVisit], list[dict]]:
    """Let people take part, and give their visits and the rows of their answers: the others' are left out."""
    running = Running.open(folder.name, folder)
    before = kept_answers(running).keys()
    seen = {*participants_table(running)["participant"].to_pylist()}
    visits = simulate(f"{server.url}/e/{folder.name}", Stimuli.read(folder), people, count=count, at_once=10, **options)
    kept = {name: said for name, said in kept_answers(running).items() if name not in before}
    assert differences(visits, kept) == []
    return visits, [row for row in answers_table(running).to_pylist() if row["participant"] not in seen]


def test_an_oracle_is_right_on_main_catch_and_practice_trials(server: ServerProcess, folder: Path):
    visits, rows = run(server, folder, Oracle(), 6)
    assert {one.stage for one in visits} == {"done"}
    assert {*Counter(row["kind"] for row in rows)} == {"main", "catch", "practice"}
    assert all(row["correct"] and row["confidence"] == 3 for row in rows)
    assert {row["round"] for row in rows} == {0, 1}
    people = {row["participant"] for row in rows}
    named = participants_table(Running.open(folder.name, folder)).to_pylist()
    for one in named:
        if one["participant"] in people:
            assert 60 < one["total_s"] < 900  # on the simulated clock
            assert one["instruction_s"] > 15


def test_fifty_people_at_random_are_right_in_half_of_the_trials(server: ServerProcess, folder: Path):
    visits, rows = run(server, folder, AtRandom(), 50, right_practice=True)
    right = [row["correct"] for row in rows if row["kind"] != "practice"]
    assert len(right) == 50 * 9
    assert abs(sum(right) - 225) < 4.5 * (450 / 4) ** 0.5  # schedules are drawn: the band is wide
    assert {one.stage for one in visits} == {"done"}
    assert all(row["correct"] for row in rows if row["kind"] == "practice")


def test_who_always_chooses_left_is_there_to_be_excluded(server: ServerProcess, folder: Path):
    _, rows = run(server, folder, Always("left"), 6, right_practice=True)
    counted = [row for row in rows if row["kind"] != "practice"]
    assert {row["choice"] for row in counted} == {"left"}
    main = Counter((row["participant"], row["correct"]) for row in counted if row["kind"] == "main")
    assert {*main.values()} == {3}  # right in half of six: sides are balanced


def test_who_never_passes_practice_gives_up(server: ServerProcess, folder: Path, stimuli: Stimuli):
    class Wrong(SimulatedPeople):
        def probability(self, seen: Seen, person: int) -> float:
            return 0.0

    visits = simulate(f"{server.url}/e/{folder.name}", stimuli, Wrong(), count=3, most_rounds=3)
    for one in visits:
        practised = Counter(click.round for click in one.clicks)
        assert (one.stage, practised) in (("gave_up", {1: 2, 2: 2, 3: 2}), ("done", {0: 9}))  # none does not practise


def seen_in(stimuli: Stimuli, condition: str, larger: str = "left", practice: bool = False) -> list[Seen]:
    return [Seen(one, larger, condition, practice) for one in stimuli.of_role("main")]


def test_biased_people_have_the_stated_effect_and_spreads(stimuli: Stimuli):
    main = stimuli.of_role("main")[0]
    units = [replace(main, unit=unit) for unit in range(4000)]

    def logits(people: Biased, condition: str, some: list[Stimulus], persons: range) -> list[float]:
        import math

        found = (people.probability(Seen(one, "left", condition, False), at) for one in some for at in persons)
        return [math.log(one / (1 - one)) for one in found]

    def spread(some: list[float]) -> float:
        mean = sum(some) / len(some)
        return (sum((one - mean) ** 2 for one in some) / len(some)) ** 0.5

    people = Biased()
    assert spread(logits(people, "natural", units, range(1))) == pytest.approx(0.94, rel=0.05)
    assert spread(logits(people, "natural", units[:1], range(4000))) == pytest.approx(0.26, rel=0.05)
    none = Biased(person_sd=0, unit_sd=0)
    assert none.probability(Seen(main, "left", "natural", False), 3) == pytest.approx(0.67)
    assert none.probability(Seen(main, "right", "none", False), 3) == pytest.approx(0.60)
    with_, without = (logits(people, one, units[:5], range(5)) for one in ("natural", "none"))
    gaps = [one - other for one, other in zip(with_, without, strict=True)]
    assert gaps == pytest.approx([0.3027] * 25, abs=1e-3)
    assert people.probability(Seen(main, "left", "natural", True), 0) == 1


def test_recorded_people_answer_as_the_observer_did(stimuli: Stimuli, tmp_path: Path):
    first, second, third, *_ = stimuli.of_role("main")
    answers = (
        Answer(first.id, "natural", 1.0),
        Answer(second.id, "natural", 0.0),
        Answer(third.id, "natural", 1.0, probability=0.7),
    )
    observed = Observed("centre", answers, {}, stimuli.digest())
    observed.write(tmp_path)
    people = people_named(str(tmp_path / "observers" / "centre.json"), stimuli)
    assert people == Recorded(observed)
    said = [people.probability(Seen(one, "right", "natural", False), 0) for one in (first, second, third)]
    assert said == [1.0, 0.0, 0.7]
    assert people.probability(Seen(first, "right", "none", False), 0) == 1.0
    with pytest.raises(StudyError, match="has answers to other stimuli"):
        people_named(str(tmp_path / "observers" / "centre.json"), replace(stimuli, seed=9))
    with pytest.raises(StudyError, match="'nobody' is neither of oracle, random, left, biased"):
        people_named("nobody", stimuli)


def test_differences_between_log_and_database_are_found(server: ServerProcess, folder: Path):
    visits, _ = run(server, folder, Oracle(), 1)
    kept = {one.trial: (one.choice, one.confidence, one.rt_ms) for one in visits[0].clicks}
    assert differences(visits, kept) == []
    name, (choice, confidence, rt) = next(iter(kept.items()))
    other = "left" if choice == "right" else "right"
    assert "is kept as" in differences(visits, {**kept, name: (other, confidence, rt)})[0]
    assert "was not clicked" in differences(visits, {**kept, "f" * 16: (choice, confidence, rt)})[0]
    assert "is not kept" in differences(visits, {one: said for one, said in kept.items() if one != name})[0]
    assert "a trial was answered twice" in differences([*visits, *visits], kept)


def test_other_stimuli_than_those_of_the_server_are_refused(server: ServerProcess, folder: Path, tmp_path: Path):
    other = Stimuli.read(make_experiment(tmp_path / "study", units=1, image_sets=1, conditions=("natural",), seed=4))
    with pytest.raises(StudyError, match="shows pictures of other stimuli"):
        simulate(f"{server.url}/e/{folder.name}", other, Oracle(), count=1)
    with pytest.raises(StudyError, match="refuses a simulated person, 404"):
        simulate(f"{server.url}/e/none-such", other, Oracle(), count=1)
    with pytest.raises(StudyError, match="does not answer for 0 seconds"):
        simulate("http://127.0.0.1:9/e/drawn", other, Oracle(), count=1, patience=0)


def test_the_command_starts_its_own_server_and_leaves_peoples_answers_alone(folder: Path, tmp_path: Path):
    study, log = folder.parents[1], tmp_path / "log.json"
    before = kept_answers(Running.open(folder.name, folder))
    for _ in range(2):  # the second replaces the first
        said = output_of(app, study, "drawn", "--people", 4, "--log", log)
        assert "4 people: 4 done" in said
        assert "36 of 36 main and catch trials right" in said
        assert "and no other" in said
    assert kept_answers(Running.open(folder.name, folder)) == before
    assert len(json.loads(log.read_text())) == 4
    simulated = f"sqlite:///{folder / 'simulated' / 'oracle.sqlite'}"
    assert participants_table(Running.open(folder.name, folder, simulated)).num_rows == 4


def test_the_command_takes_a_server_that_runs(server: ServerProcess, folder: Path):
    said = output_of(app, folder.parents[1], "drawn", "--people", 1, "--url", f"{server.url}/e/drawn")
    assert "1 people: 1 done" in said
    assert "database" not in said
    with pytest.raises(PellucidError, match="'biasd' is neither"):
        output_of(app, folder.parents[1], "drawn", "--observer", "biasd")


def test_people_can_be_simulated_where_a_loop_runs_already_as_in_a_notebook(
    server: ServerProcess, folder: Path, stimuli: Stimuli
):
    async def cell() -> list[SimulatedVisit]:
        return simulate(f"{server.url}/e/{folder.name}", stimuli, Oracle(), count=1)

    with ThreadPoolExecutor(1) as kernel:  # in the tests' own thread the browser's loop may run
        [visit] = kernel.submit(lambda: asyncio.run(cell())).result()
    assert visit.stage in ("done", "full")
