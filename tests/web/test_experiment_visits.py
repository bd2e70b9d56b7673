"""Taking part: from consent to the code at the end, with reloads, second tabs and requests that are sent twice."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from experiment_server import OPERATOR, design_for
from experiment_visits import Page, key, said
from experiments import make_experiment
from pellucid.causal.simulation import AnswerKey
from pellucid.errors import StudyError
from pellucid.study.experiments import Design, Stimuli
from pellucid.web.experiment import Running, answers_table, kept_answers, make_experiment_app, participants_table

CONDITIONS = ("natural", "none")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_experiment(tmp_path_factory.mktemp("drawn") / "study", image_sets=2, conditions=CONDITIONS)
    design_for(folder, people=2)
    return folder


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    """The same experiment, with no answers."""
    home = tmp_path / "drawn"
    home.mkdir()
    for name in ("stimuli.json", "design.json", "settings.toml"):
        (home / name).write_bytes((drawn / name).read_bytes())
    (home / "pictures").symlink_to(drawn / "pictures")
    return home


class Clock:
    """The server's clock, that a test sets forward."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(folder: Path, clock: Clock) -> Iterator[TestClient]:
    with TestClient(make_experiment_app({"drawn": folder}, operator_token=OPERATOR, clock=clock)) as client:
        yield client


def settings(folder: Path, *lines: str, **tables: str) -> None:
    (folder / "settings.toml").write_text("\n".join([*lines, *(f"[{name}]\n{text}" for name, text in tables.items())]))


def in_condition(client: TestClient, references: bool) -> Page:
    """A page of somebody who sees references, or of somebody who does not."""
    for _ in range(4):
        page = Page(client)
        assert page.begin().status_code == 201
        if page.state["references"] == references:
            return page
    raise AssertionError("four visits had one condition")


def right_side(folder: Path, page: Page) -> str:
    return AnswerKey(Stimuli.read(folder)).seen(page.state["trial"]).larger


def wrong_side(folder: Path, page: Page) -> str:
    return "left" if right_side(folder, page) == "right" else "right"


def finish(folder: Path, page: Page) -> None:
    while page.state["trial"]:
        assert page.answer(right_side(folder, page)).status_code == 200


def test_anybody_is_told_what_the_study_is_about(client: TestClient):
    told = client.get("/e/drawn/api/study").json()
    assert told.keys() == {
        "format", "name", "title", "task", "contact", "consent", "minimum_window", "size"
    }  # fmt: skip
    assert (told["name"], told["task"], told["size"]) == ("drawn", "counterfactual", [24, 24])
    assert told["consent"]["version"] == "1"
    assert len(told["consent"]["paragraphs"]) == 3


def test_a_visit_goes_from_instructions_through_a_failed_round_to_its_end(client: TestClient, folder: Path):
    page = in_condition(client, references=True)
    assert page.state["stage"] == "instructions"
    assert page.state["trial"] is None
    assert {one["larger"] for one in page.state["instruction"]} == {"left", "right"}
    page.read_instructions()
    assert (page.state["stage"], page.state["instruction"]) == ("practice", [])
    for number in range(1, 5):
        assert (page.state["trial"]["number"], page.state["trial"]["of"], page.state["trial"]["round"]) == (
            number,
            4,
            1,
        )
        choose = wrong_side if number == 2 else right_side
        feedback = page.answer(choose(folder, page)).json()["feedback"]
        assert feedback == {
            "correct": number != 2, "round_over": number == 4, "round_right": False if number == 4 else None
        }  # fmt: skip
    assert (page.state["stage"], page.state["trial"]["round"]) == ("practice", 2)
    for number in range(1, 5):
        feedback = page.answer(right_side(folder, page)).json()["feedback"]
        assert feedback["round_right"] == (True if number == 4 else None)
    assert page.state["stage"] == "main"
    for number in range(1, 8):
        assert page.state["progress"] == {"done": number - 1, "total": 7}
        assert (page.state["trial"]["number"], page.state["trial"]["round"]) == (number, 0)
        assert page.answer(wrong_side(folder, page)).json()["feedback"] is None
    assert page.state["stage"] == "done"
    assert (page.state["trial"], page.state["preload"], page.state["progress"]["done"]) == (None, [], 7)
    assert len(page.state["completion"]["withdrawal"]) == 24
    assert page.reload()["stage"] == "done"


def test_where_there_are_no_references_the_trials_begin_at_once(client: TestClient):
    page = in_condition(client, references=False)
    page.read_instructions()
    assert (page.state["stage"], page.state["trial"]["references"]) == ("main", [])


def test_a_reload_goes_on_at_the_same_trial_under_the_same_name(client: TestClient, folder: Path):
    page = in_condition(client, references=True)
    page.read_instructions()
    for _ in range(6):
        page.answer(right_side(folder, page))
        before = page.state
        assert page.reload() == before


def test_a_request_that_is_sent_again_gives_the_same_and_counts_once(client: TestClient, folder: Path):
    page = Page(client)
    start = {"key": key(), "consent": "1", "platform": {"PROLIFIC_PID": "a" * 24}, "window": [1000, 700]}
    first, again = page.begin(**start), Page(client).begin(**start)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    read = {"key": key(), "ms": 10, "views": []}
    one, two = (page.ask("POST", "api/session/instructions", read).json() for _ in range(2))
    assert one == two
    trial, content = one["trial"]["id"], said("left")
    one, two = (page.ask("POST", f"api/session/trials/{trial}", content).json() for _ in range(2))
    assert one == two
    running = Running.open("drawn", folder)
    assert len(kept_answers(running)) == 1
    assert participants_table(running).num_rows == 1


def test_a_second_tab_cannot_answer_otherwise_and_is_told_where_the_visit_is(client: TestClient, folder: Path):
    page, tab = in_condition(client, references=False), Page(client)
    page.read_instructions()
    tab.token, tab.state = page.token, page.state
    trial = page.state["trial"]["id"]
    page.answer("left")
    refused = tab.answer("right")
    assert (refused.status_code, refused.json()["code"]) == (409, "answered")
    assert tab.state == page.state
    assert tab.answer("left", trial).json()["code"] == "answered"  # the same choice, but another click
    assert tab.ask("POST", "api/session/instructions", {"key": key(), "ms": 1, "views": []}).json()["code"] == "not_now"
    assert tab.answer("right").status_code == 200
    assert page.reload() == tab.state
    assert answers_table(Running.open("drawn", folder))["choice"].to_pylist() == ["left", "right"]


def test_what_is_not_the_current_trial_cannot_be_answered(client: TestClient, folder: Path):
    page, other = (Page(client) for _ in range(2))
    for one in (page, other):
        one.begin()
        one.read_instructions()
    for trial in (other.state["trial"]["id"], "0" * 16, "1", "x" * 300):
        refused = page.answer("left", trial)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_now")
        assert refused.json()["state"] == page.reload()
    assert not kept_answers(Running.open("drawn", folder))


def test_a_platforms_person_takes_part_once_and_only_a_fingerprint_is_kept(client: TestClient, folder: Path):
    person = "5f3c9ab3c1f6a40008e2b1d7"
    assert Page(client).begin(platform={"PROLIFIC_PID": person, "STUDY_ID": "s", "SESSION_ID": "t"}).status_code == 201
    refused = Page(client).begin(platform={"PROLIFIC_PID": person})
    assert (refused.status_code, refused.json()["code"]) == (409, "already")
    assert Page(client).begin(platform={"PROLIFIC_PID": person[::-1]}).status_code == 201
    kept = b"".join(one.read_bytes() for one in folder.glob("answers.sqlite*"))
    assert person.encode() not in kept
    assert b"drawn" in kept
    assert (folder / ".secret").stat().st_mode & 0o077 == 0


def test_schedules_are_given_to_one_person_each_and_conditions_fill_evenly(client: TestClient, folder: Path):
    running = Running.open("drawn", folder)
    for count in range(1, 5):
        assert Page(client).begin().status_code == 201
        filled = Counter(participants_table(running)["condition"].to_pylist())
        assert max(filled[one] for one in CONDITIONS) - min(filled[one] for one in CONDITIONS) == count % 2
    assert len({*participants_table(running)["schedule"].to_pylist()}) == 4
    refused = Page(client).begin()
    assert (refused.status_code, refused.json()["code"]) == (409, "full")


def test_people_who_come_at_once_get_different_schedules(folder: Path):
    design_for(folder, people=10)
    with TestClient(make_experiment_app({"drawn": folder})) as client, ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: Page(client).begin().status_code, range(24)))
    assert Counter(codes) == {201: 20, 409: 4}
    assert len({*participants_table(Running.open("drawn", folder))["schedule"].to_pylist()}) == 20


def test_one_person_who_sends_a_start_many_times_at_once_has_one_visit(client: TestClient, folder: Path):
    start = {"key": key(), "platform": {"PROLIFIC_PID": "p"}}
    with ThreadPoolExecutor(8) as pool:
        tokens = {one.json()["session"] for one in pool.map(lambda _: Page(client).begin(**start), range(16))}
    assert len(tokens) == participants_table(Running.open("drawn", folder)).num_rows == 1


def test_an_answer_sent_many_times_at_once_is_kept_once(client: TestClient, folder: Path):
    page = in_condition(client, references=False)
    page.read_instructions()
    trial, content = page.state["trial"]["id"], said("left")
    with ThreadPoolExecutor(8) as pool:
        told = [
            one.json()
            for one in pool.map(lambda _: page.ask("POST", f"api/session/trials/{trial}", content), range(16))
        ]
    assert all(one == told[0] for one in told)
    assert len(kept_answers(Running.open("drawn", folder))) == 1


def test_who_is_silent_for_too_long_frees_a_schedule_and_may_still_go_on(
    client: TestClient, folder: Path, clock: Clock
):
    pages = [Page(client) for _ in range(4)]
    for page in pages:
        page.begin()
        page.read_instructions()
        clock.now += 1
    clock.now += 59 * 60
    assert pages[0].reload()["stage"] in ("practice", "main")  # a look counts: the page is open
    pages[1].ask("POST", "api/session/events", {"key": key(), "events": [{"kind": "blur", "at": 5}]})
    finish(folder, pages[2])
    assert Page(client).begin().json()["code"] == "full"
    clock.now += 2 * 60
    late = Page(client)
    assert late.begin().status_code == 201
    assert Page(client).begin().json()["code"] == "full"
    schedules = participants_table(Running.open("drawn", folder))["schedule"].to_pylist()
    assert schedules[4] == schedules[3]
    finish(folder, pages[3])
    assert pages[3].state["stage"] == "done"
    clock.now += 10_000 * 60
    left = {Page(client).begin().status_code for _ in range(3)}
    assert left == {201, 409}  # those of the first and second; the two that were finished stay taken


def test_after_too_many_failed_rounds_a_visit_ends_where_the_settings_say_so(folder: Path):
    settings(
        folder, "most_practice_rounds = 2", completion='screened_out = "OUT"\nscreened_out_link = "https://x.y/?cc=OUT"'
    )
    with TestClient(make_experiment_app({"drawn": folder})) as client:
        page = in_condition(client, references=True)
        page.read_instructions()
        for _ in range(8):
            page.answer(wrong_side(folder, page))
        assert (page.state["stage"], page.state["trial"]) == ("screened_out", None)
        completion = page.reload()["completion"]
        assert (completion["code"], completion["link"]) == ("OUT", "https://x.y/?cc=OUT")
        assert page.answer("left", "0" * 16).json()["code"] == "not_now"


def test_who_does_not_consent_is_sent_back_and_nothing_is_kept(folder: Path):
    settings(folder, completion='declined = "NO"\ndeclined_link = "https://x.y/?cc=NO"')
    with TestClient(make_experiment_app({"drawn": folder})) as client:
        told = client.post("/e/drawn/api/declined", json={}).json()
        assert told == {"completion": {"code": "NO", "link": "https://x.y/?cc=NO", "withdrawal": ""}}
        assert Page(client).begin(consent="2").json()["code"] == "consent"
    assert participants_table(Running.open("drawn", folder)).num_rows == 0


def test_practice_goes_on_with_the_first_round_after_the_last(client: TestClient, folder: Path):
    page = in_condition(client, references=True)
    page.read_instructions()
    rounds: list[list[tuple[str, str]]] = [[]]
    for _ in range(5 * 4):
        trial = page.state["trial"]
        rounds[-1].append((trial["left"], trial["right"]))
        if page.answer(wrong_side(folder, page)).json()["feedback"]["round_over"]:
            rounds.append([])
    assert rounds[4] == rounds[0] != rounds[1]


def test_events_and_remarks_are_kept_once(client: TestClient, folder: Path):
    page = Page(client)
    page.begin()
    happened = {"key": key(), "events": [{"kind": "blur", "at": 10.5}, {"kind": "focus", "at": 900}]}
    remark = {"key": key(), "text": "it was fun — 楽しい"}
    for _ in range(2):
        assert page.ask("POST", "api/session/events", happened).json() == {}
        assert page.ask("POST", "api/session/remark", remark).json() == {}
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    events = client.get("/operator/api/drawn/events.csv", headers=headers).text.splitlines()
    remarks = client.get("/operator/api/drawn/remarks.csv", headers=headers).text.splitlines()
    assert [line.split(",")[2:4] for line in events[1:]] == [['"blur"', "0.0105"], ['"focus"', "0.9"]]
    assert (len(remarks), remark["text"] in remarks[1]) == (2, True)


def test_a_withdrawal_code_deletes_all_but_that_there_was_somebody(client: TestClient, folder: Path):
    page, other = in_condition(client, references=False), Page(client)
    other.begin()
    page.read_instructions()
    finish(folder, page)
    page.ask("POST", "api/session/remark", {"key": key(), "text": "my name is Ann"})
    code, running = page.state["completion"]["withdrawal"], Running.open("drawn", folder)
    before = participants_table(running).num_rows
    assert client.post("/e/drawn/api/withdraw", json={"code": code.lower().replace("-", " ")}).json() == {}
    assert answers_table(running).num_rows == 0
    assert participants_table(running).num_rows == before - 1
    assert page.reload()["stage"] == "withdrawn"
    assert page.answer("left", "0" * 16).json()["code"] == "not_now"
    again = client.post("/e/drawn/api/withdraw", json={"code": code})
    assert (again.status_code, again.json()["code"]) == (404, "unknown")
    free = 4 - (before - 1)  # the schedule is free again
    assert [Page(client).begin().status_code for _ in range(free + 1)] == [201] * free + [409]


def test_times_are_the_servers_and_the_browsers(client: TestClient, folder: Path, clock: Clock):
    page = in_condition(client, references=False)
    clock.now += 30
    page.read_instructions()
    for at in range(7):
        clock.now += 4
        page.answer("left", rt_ms=3000, focus_losses=at % 2, confidence=3)
    running = Running.open("drawn", folder)
    answers = answers_table(running)
    assert answers["server_s"].to_pylist() == [4.0] * 7
    assert answers["rt_s"].to_pylist() == [3.0] * 7
    assert {*answers["confidence"].to_pylist()} == {3}
    row = next(one for one in participants_table(running).to_pylist() if one["state"] == "done")
    told = {name: row[name] for name in ("instruction_s", "instruction_server_s", "total_s", "total_server_s")}
    assert told == {"instruction_s": 20.0, "instruction_server_s": 30.0, "total_s": 41.0, "total_server_s": 58.0}
    assert (row["trials"], row["focus_losses"], row["practice_rounds"], row["duplicate"]) == (7, 3, 0, False)
    assert (row["window_width"], row["window_height"], row["consent_version"]) == (1280, 800, "1")


def test_several_experiments_stand_side_by_side_in_one_database(folder: Path, tmp_path: Path):
    database = f"sqlite:///{tmp_path / 'all.sqlite'}"
    folders = {"drawn": folder, "again": folder}
    with TestClient(make_experiment_app(folders, database=database)) as client:
        one, two = Page(client, "drawn"), Page(client, "again")
        start = {"key": key(), "platform": {"PROLIFIC_PID": "p"}}
        assert [one.begin(**start).status_code, two.begin(**start).status_code] == [201, 201]
        assert one.token != two.token
        two.token, two.base = one.token, two.base
        assert two.ask("GET", "api/session").status_code == 401
    for name in folders:
        assert participants_table(Running.open(name, folder, database)).num_rows == 1


def test_answers_to_another_design_are_not_mixed_with_those_to_this_one(folder: Path):
    make_experiment_app({"drawn": folder})
    design_for(folder, people=3)
    with pytest.raises(StudyError, match="has answers to another design of the experiment 'drawn'"):
        make_experiment_app({"drawn": folder})


def test_records_that_do_not_belong_together_are_refused(folder: Path):
    design = Design.read(folder)
    Design(design.schedules, design.instruction, {}, "0" * 64).write(folder)
    with pytest.raises(StudyError, match="is for other stimuli than those there"):
        make_experiment_app({"drawn": folder})
    told = {"natural": design.schedules[0].trials[:1]}
    Design(design.schedules, told, {}, design.stimuli_digest).write(folder)
    with pytest.raises(StudyError, match=r"tell the answer to .* which people are asked about"):
        make_experiment_app({"drawn": folder})


@pytest.mark.parametrize(
    ("url", "law"),
    [
        ("nothing", "is no URL of a database"),
        ("sqlite://", "not kept in memory"),
        ("sqlite:////no/such/folder/a.sqlite", "cannot open the database"),
        (
            "postgresql+psycopg://nobody:secret@127.0.0.1:1/none",
            r"cannot open the database postgresql\+psycopg://nobody:\*\*\*",
        ),
    ],
)
def test_a_database_that_cannot_be_opened_is_refused_at_the_start(folder: Path, url: str, law: str):
    with pytest.raises(StudyError, match=law):
        make_experiment_app({"drawn": folder}, database=url)
