"""An experiment in a real browser: what is clicked is what the database holds, and nothing tells what is right."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from experiment_visit import READY, Person, Recorder, Sent, kept, rows
from page import AtlasPage
from playwright.sync_api import Browser, Route
from serving import serve_at

from commands import pellucid_command
from experiment_server import design_for
from experiments import make_experiment
from pellucid.causal.simulation.browser import answer_in_browser, observer_of
from pellucid.causal.simulation.people import Oracle
from pellucid.errors import PellucidError
from pellucid.study.experiments import Design, Stimuli
from pellucid.web.experiment import make_experiment_app
from pellucid.web.page import STATIC

pytestmark = pytest.mark.browser
SETTINGS = """contact = "lab@example.org"
[completion]
done = "DONE-1"
done_link = "https://example.org/done?cc=DONE-1"
screened_out = "OUT-2"
declined = "NO-3"
"""
RETRY = "document.querySelector('[data-testid=retry]').click()"  # though it may be gone by now
Visit = Callable[..., Person]
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A function `make(settings="", people=2, practice=(0, 1), **options)` that makes an experiment in a folder."""
    if not (STATIC / "experiment.html").is_file():
        pytest.fail("the page is not built; run 'pip install -e .'", pytrace=False)

    def make(settings: str = "", people: int = 2, practice: tuple[int, int] = (0, 1), **options: Any) -> Path:
        given = {"units": 3, "image_sets": 2, "catch": 1, "conditions": ("natural",), **options}
        folder = make_experiment(tmp_path / f"study{len([*tmp_path.iterdir()])}", **given)
        (folder / "settings.toml").write_text(settings + SETTINGS, "utf-8")
        design_for(folder, catch=given["catch"], people=people, practice=practice)
        return folder

    return make


@pytest.fixture
def folder(make: Make) -> Path:
    return make()


@pytest.fixture
def sent() -> list[Sent]:
    """Everything that the server has sent."""
    return []


@pytest.fixture
def serve(sent: list[Sent]) -> Iterator[Callable[[Path], str]]:
    """A function that serves the experiment in a folder until the test ends, and gives its address."""
    running: list[Any] = []

    def serve(folder: Path) -> str:
        app = make_experiment_app({folder.name: folder}, operator_token="operator")
        app.add_middleware(Recorder, sent=sent)
        server = serve_at(app, wait=False)
        running.append(server)
        return f"http://127.0.0.1:{server.__enter__()}/e/{folder.name}/"

    yield serve
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def visit(open_page: Any, serve: Callable[[Path], str]) -> Visit:
    """A function `visit(folder, **context)` that opens the page of an experiment, served from its folder."""

    def visit(folder: Path, address: str = "", url: str | None = None, **context: Any) -> Person:
        page: AtlasPage = open_page(url or serve(folder), load=False, **context)
        return Person(page, Stimuli.read(folder)).open(address)

    return visit


def alternating(person: Person) -> tuple[str, int]:
    """Right and wrong, more and less sure, left and right in turn."""
    number = len(person.log)
    return (person.right if number % 3 else person.wrong), 1 + number % 3


def forgive(person: Person, *kinds: str) -> None:
    """Forget the errors that a test provoked."""
    provoked = [problem for problem in person.page.problems if any(kind in problem for kind in kinds)]
    assert provoked
    person.page.problems[:] = [problem for problem in person.page.problems if problem not in provoked]


def test_a_visit_from_consent_to_code_is_kept_as_it_was_clicked(make: Make, sent: list[Sent], visit: Visit):
    folder = make(practice=(1, 3))
    person = visit(folder)
    page = person.page.page
    page.get_by_test_id("agree").wait_for()  # by then the page knows what it is about
    assert page.title() == "Which picture does the machine favor?"
    assert "Contact: lab@example.org" in page.locator(".page").inner_text()
    assert rows(folder, "SELECT * FROM session") == []
    leaks = [person.page.page.content()]
    person.agree()

    # The instructions can be read again, and that is kept.
    page.locator("#jspsych-instructions-next").click()
    assert page.locator("h1").inner_text() == "Favorite images"
    page.keyboard.press("ArrowRight")
    assert page.locator("h1").inner_text() == "The covered square"
    page.locator("#jspsych-instructions-back").click()
    person.read()
    [(views, milliseconds)] = rows(folder, "SELECT instruction_views, instruction_ms FROM session")
    assert [one["page"] for one in json.loads(views)][:4] == [0, 1, 2, 1]
    assert milliseconds >= sum(one["ms"] for one in json.loads(views)) - 10

    # A round of practice with a mistake in it comes to another one.
    assert person.place == (1, 1, 4)
    assert person.say(person.right, 3) == "Correct."
    person.go_on()
    assert person.say(person.wrong, 1) == "Not correct: the machine favors the other image more."
    person.go_on()
    for _ in range(2):
        person.say(person.right)
        person.go_on()
    assert page.locator("h1").inner_text() == "Once more"
    person.go_on()
    assert person.place == (2, 1, 4)
    for _ in range(4):
        person.say(person.right)
        person.go_on()
    assert page.locator("h1").inner_text() == "All correct"
    person.go_on()

    # Real questions tell nothing.
    assert person.place == (0, 1, 4)
    before = len(person.log)
    while person.part("trial").count():
        leaks += [page.content(), page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")]
        assert person.say(*alternating(person)).startswith("You chose the ")
        person.go_on()
    assert len(person.log) == before + 4
    person.finish("It was <fun> & quick.")
    assert person.part("completion-code").inner_text() == "DONE-1"
    assert person.part("completion-link").get_attribute("href") == "https://example.org/done?cc=DONE-1"
    assert len(person.part("withdrawal-code").inner_text()) >= 16
    assert rows(folder, "SELECT text FROM remark") == [("It was <fun> & quick.",)]
    assert kept(folder) == person.log
    assert [*kept(folder)] == [*person.log]
    assert rows(folder, "SELECT stage, consent_version, window FROM session") == [("done", "1", "[1200, 800]")]
    assert all(0 < time < 60_000 for (time,) in rows(folder, "SELECT rt_ms FROM trial"))
    refuse_leaks(folder, sent, leaks)


ALLOWED = {
    "study": {
        "format", "name", "title", "task", "contact", "consent", "version", "paragraphs", "minimum_window", "size",
    },
    "state": {
        "stage", "references", "minimal", "instruction", "preload", "progress", "done", "total", "trial", "completion",
        "id", "number", "of", "round", "base", "left", "right", "code", "link", "withdrawal",
    },
    "feedback": {"feedback", "state", "correct", "round_over", "round_right"},
}  # fmt: skip


def keys_of(content: Any) -> set[str]:
    """All names of fields, however deep."""
    if isinstance(content, list):
        return set().union(*map(keys_of, content))
    if isinstance(content, dict):
        return {*content}.union(*map(keys_of, content.values()))
    return set()


def refuse_leaks(folder: Path, sent: list[Sent], leaks: list[str]) -> None:
    """Nothing that was sent or that the page held tells the right side of a question before it was answered."""
    stimuli = Stimuli.read(folder)
    names = {one.id for one in stimuli.stimuli}
    numbers = {repr(query.activation)[:8] for one in stimuli.stimuli for query in (one.larger, one.smaller)}
    told = re.compile("|".join(map(re.escape, names | numbers | {"photograph_"})))
    forbidden = re.compile(r"larger|smaller|\bcatch\b|activation|\bpatch\b|obvious|stimulus|layer\d|\"role\"|\"unit\"")
    ours = [one for one in sent if "/assets/" not in one.path]
    answers = [one for one in ours if "/api/" in one.path]
    assert len(answers) > 15
    for one in answers:
        text = one.body.decode()
        assert not told.search(text), one.path
        content = json.loads(text)
        if one.path.endswith("/study"):
            assert keys_of(content) <= ALLOWED["study"]
            continue
        state = content.get("state", content)
        if state.get("stage") == "instructions":  # the examples are explained, and never asked
            explained = {example["left"] for example in state.pop("instruction")}
            assert explained <= {q.picture for s in stimuli.of_role("instruction") for q in (s.larger, s.smaller)}
        assert keys_of(content) <= ALLOWED["state"] | ALLOWED["feedback"] | {"session"}, one.path
        assert not forbidden.search(json.dumps(content)), one.path
        if state.get("stage") == "main":
            assert state["preload"] == sorted(state["preload"])
            # Feedback is of the practice question that was just answered.
            if content.get("feedback"):
                assert content["feedback"]["round_over"]
    for text in leaks:
        assert not told.search(text)
        assert not forbidden.search(re.sub(r"<(script|link)[^>]*>|jspsych-[a-z-]*", "", text))

    # All questions that count look alike from outside, catch trials among them; so do all pictures.
    caught = {one.larger.picture for one in stimuli.of_role("catch")}
    sizes: dict[bool, set[tuple[Any, ...]]] = {True: set(), False: set()}
    for one in answers:
        state = one.content.get("state", {}) if "/trials/" in one.path else {}
        if state.get("stage") == "main" and state["trial"]:
            shape = len(one.body) - len(json.dumps(one.content["feedback"], separators=(",", ":")))
            sizes[bool({state["trial"]["left"], state["trial"]["right"]} & caught)].add((shape, *one.headers))
    assert len(sizes[True] | sizes[False]) == 1
    assert sizes[False]
    pictures = [one for one in ours if "/pictures/" in one.path]
    assert len(pictures) > 30
    assert {one.status for one in pictures} == {200}
    assert len({tuple(sorted(one.headers)) for one in pictures}) == 1
    assert not {"last-modified", "date"} & {name for one in pictures for name in one.headers}
    assert all(re.fullmatch(r".*/pictures/[0-9a-f]{16}\.png", one.path) for one in pictures)


def test_who_does_not_agree_leaves_no_trace(folder: Path, visit: Visit):
    person = visit(folder)
    person.part("refuse").click()
    person.part("end").wait_for()
    assert person.part("end").get_attribute("data-end") == "declined"
    assert person.part("completion-code").inner_text() == "NO-3"
    assert rows(folder, "SELECT * FROM session") == []
    assert person.page.page.evaluate("localStorage.length") == 0
    assert person.page.page.evaluate("document.activeElement.textContent") == "You did not take part"


def test_a_reload_goes_on_at_the_next_question(folder: Path, visit: Visit):
    person = visit(folder).agree()
    page = person.page.page
    page.locator("#jspsych-instructions-next").click()
    page.reload()
    person.read()
    second = person.trial
    page.reload()
    assert person.asked().trial == second
    assert person.place == (1, 1, 1)
    person.practice().main(alternating, 1)
    shown = person.trial, person.picture("left"), person.picture("right")
    page.reload()
    person.asked()
    assert (person.trial, person.picture("left"), person.picture("right")) == shown

    # Between the answer and the button as well.
    person.say("left", 3)
    page.reload()
    person.asked()
    assert person.place == (0, 3, 4)
    person.main(alternating)
    page.reload()
    person.finish()
    code = person.part("withdrawal-code").inner_text()
    page.reload()
    person.part("end").wait_for()
    assert person.part("withdrawal-code").inner_text() == code
    assert page.locator("#input-0").count() == 0
    assert kept(folder) == person.log
    assert len(rows(folder, "SELECT * FROM session")) == 1


def test_a_second_tab_goes_on_in_step(folder: Path, visit: Visit):
    person = visit(folder).agree().read().practice()
    other = Person(AtlasPage(person.page.page.context.new_page(), person.page.origin), person.stimuli).open()
    assert other.asked().trial == person.trial
    other.say("right", 2)
    other.go_on()

    # What is said of the same question in the first one comes too late, and is told so.
    person.page.page.bring_to_front()
    stale = person.trial
    assert person.say("left", 3) == "This question was answered in another window. We go on from there."
    del person.log[stale]
    person.go_on()
    assert person.trial == other.trial
    person.say("left", 1)
    person.go_on()
    person.main(alternating)
    person.finish()
    other.page.page.bring_to_front()
    assert other.say("left", 1).startswith("This question was answered in another window")
    other.log.popitem()
    other.part("continue").click()
    other.part("end").wait_for()
    assert kept(folder) == {**other.log, **person.log}
    assert len(rows(folder, "SELECT * FROM session")) == 1
    assert other.page.problems == [
        "error: Failed to load resource: the server responded with a status of 409 (Conflict)"
    ]
    forgive(person, "409")


def test_the_back_button_neither_loses_nor_doubles(folder: Path, visit: Visit):
    person = visit(folder).agree().read().practice().main(alternating, 2)
    page, here = person.page.page, person.trial
    page.go_back()
    assert page.url == "about:blank"
    page.go_forward()
    assert person.asked().trial == here
    person.say("right", 1)
    page.go_back()
    page.go_forward()
    page.wait_for_function(
        "() => document.querySelector('[data-testid=trial]')?.dataset.number === '4' || "
        "document.querySelector('[data-testid=continue]:not([hidden])')"
    )
    if person.trial == here:  # the page was kept as it stood
        person.go_on()
    person.asked().main(alternating)
    person.finish()
    assert kept(folder) == person.log
    assert len(person.log) == 5


def test_a_window_that_is_too_small_is_told_before_a_place_is_taken(folder: Path, visit: Visit):
    small = {"viewport": {"width": 900, "height": 550}, "screen": {"width": 900, "height": 550}}
    person = visit(folder, **small).agree()
    page = person.page.page
    page.get_by_text("I cannot make the window any larger").wait_for()
    page.wait_for_function("() => document.querySelector('#browser-check-actual-width')?.textContent === '900'")
    assert "It should be 940 by 600 pixels, and is 900 by 550." in page.locator("main").inner_text()
    page.get_by_text("I cannot make the window any larger").click()
    page.get_by_text("The pictures do not fit into this window").wait_for()
    assert rows(folder, "SELECT * FROM session") == []

    # It goes on by itself as soon as it fits.
    page.reload()
    person.agree()
    page.get_by_text("I cannot make the window any larger").wait_for()
    page.set_viewport_size({"width": 940, "height": 600})
    person.read()
    assert rows(folder, "SELECT window FROM session") == [("[940, 600]",)]


def test_a_small_window_on_a_large_screen_may_fill_it(folder: Path, visit: Visit):
    person = visit(folder, viewport={"width": 900, "height": 550}, screen={"width": 1280, "height": 800}).agree()
    person.page.page.get_by_role("button", name="Fill the screen").click()
    person.page.page.set_viewport_size({"width": 1280, "height": 800})
    person.read()
    assert len(rows(folder, "SELECT * FROM session")) == 1


def test_the_keyboard_suffices(make: Make, visit: Visit):
    folder = make(practice=(1, 3))
    person = visit(folder)
    page = person.page.page
    press = page.keyboard.press
    person.part("agree").wait_for()
    while page.evaluate("document.activeElement.dataset.testid") != "agree":
        press("Tab")
    press("Enter")
    page.locator("#jspsych-instructions-next").wait_for()
    while page.locator(".jspsych-instructions-pagenum").count():
        press("ArrowRight")
    for number in range(4):
        side = person.asked().right
        arrow = "ArrowLeft" if side == "left" else "ArrowRight"
        press("2")  # of no side yet
        press(arrow)
        assert page.evaluate("document.activeElement.dataset.testid") == f"{side}-1"
        person.log[person.trial] = (side, number % 3 + 1)
        if number == 3:
            press("Enter")
            person.log[person.trial] = (side, 1)
        elif number == 2:
            press(arrow)
            press(arrow)
            press("Space")
        else:
            press(str(number % 3 + 1))
        person.part("continue").wait_for()
        page.wait_for_function("() => document.activeElement.dataset.testid === 'continue'")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        before = person.trial
        press("Enter")
        page.wait_for_function(
            "before => document.querySelector('[data-testid=trial]')?.dataset.trial !== before", arg=before
        )
    page.locator(".page [data-testid=continue], [data-testid=continue]").first.wait_for()
    press("Enter")
    person.asked()
    while person.part("trial").count():
        trial = person.asked().trial
        press("ArrowRight")
        page.keyboard.down("Enter")
        for _ in range(4):
            page.keyboard.down("Enter")  # held down, it is one press
        page.keyboard.up("Enter")
        person.log[trial] = ("right", 1)
        page.wait_for_function("() => document.activeElement.dataset.testid === 'continue'")
        press("Enter")
        page.wait_for_selector(f'{READY}:not([data-trial="{trial}"]), #input-0')
    page.wait_for_function("() => document.activeElement.id === 'input-0'")
    press("Tab")
    press("Enter")
    person.part("end").wait_for()
    assert kept(folder) == person.log


def test_screen_readers_are_told_what_there_is_and_nothing_of_what_is_right(folder: Path, visit: Visit):
    person = visit(folder).agree().read()
    page = person.page.page
    alts = [image.get_attribute("alt") for image in page.locator("[data-testid=trial] img").all()]
    favorites = [f"favorite image {number}" for number in range(1, 10)]
    assert alts == [*favorites, "another favorite image", "left image", "right image"]
    assert page.get_by_role("list").get_by_role("listitem").count() == 9
    for side in ("left", "right"):
        group = page.get_by_role("group", name=f"{side} image")
        names = [button.get_attribute("aria-label") for button in group.get_by_role("button").all()]
        order = (3, 2, 1) if side == "left" else (1, 2, 3)
        sure = {1: "not sure", 2: "rather sure", 3: "very sure"}
        assert names == [f"{side} image, confidence {one}, {sure[one]}" for one in order]
    assert page.get_by_role("status").inner_text() == "Practice: question 1 of 1. Which image is favored more?"
    assert page.get_by_role("progressbar").get_attribute("aria-valuenow") == "0"
    person.part("left-2").click()
    assert page.get_by_role("status").inner_text() == "You chose the left image, confidence 2."
    assert person.part("left-2").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("task", ["counterfactual", "two_choice"])
@pytest.mark.parametrize("condition", ["natural", "none"])
def test_all_of_a_question_is_in_the_smallest_window(make: Make, visit: Visit, task: str, condition: str):
    folder = make(task=task, conditions=(condition,))
    size = {"width": 940, "height": 600}
    person = visit(folder, viewport=size).agree()
    page = person.page.page
    button = page.locator("#jspsych-instructions-next")
    button.wait_for()
    while page.locator(READY).count() == 0:
        box = button.bounding_box()
        assert box is None or box["y"] + box["height"] <= 600
        assert page.locator("main").evaluate("main => main.scrollHeight <= main.clientHeight")
        button.click()
        page.wait_for_selector(f"#jspsych-instructions-next, {READY}")
        page.wait_for_timeout(50)
    assert (
        page.locator("[data-testid=trial] img").count()
        == {
            ("counterfactual", "natural"): 12,
            ("counterfactual", "none"): 3,
            ("two_choice", "natural"): 20,
            ("two_choice", "none"): 2,
        }[task, condition]
    )
    assert (person.place[0] == 1) is (condition == "natural")
    person.say("left", 3)
    seen = page.locator("[data-testid=trial] :is(img, button, h2, .status, .arrow)").all()
    for part in seen:
        box = part.bounding_box()
        assert box is not None
        assert min(box["x"], box["y"]) >= 0
        assert box["x"] + box["width"] <= 940
        assert box["y"] + box["height"] <= 600
    assert page.evaluate("document.documentElement.scrollWidth") == 940
    assert min(box["width"] for part in page.locator(".query img").all() if (box := part.bounding_box())) > 150
    assert kept(folder) == person.log


def test_time_runs_from_when_all_pictures_are_seen(folder: Path, visit: Visit):
    person = visit(folder).agree().read()
    page = person.page.page
    waiting: list[Route] = []
    page.route("**/pictures/*.png", lambda route: waiting.append(route))
    page.reload()
    page.wait_for_timeout(700)
    assert page.locator("[data-testid=trial]").count() == 0  # they are loaded before the first question
    bar = page.locator("#jspsych-loading-progress-bar")
    assert bar.count() == 1
    while not page.locator(READY).count():
        for route in waiting:
            route.continue_()
        waiting.clear()
        page.wait_for_timeout(50)
    page.wait_for_timeout(300)
    person.say("left", 1)
    [(milliseconds,)] = rows(folder, "SELECT rt_ms FROM trial WHERE answered_at IS NOT NULL")
    assert 250 < milliseconds < 5000


def test_nothing_is_lost_while_the_server_is_away(folder: Path, visit: Visit):
    person = visit(folder).agree().read().practice()
    page = person.page.page
    page.route("**/api/**", lambda route: route.abort())
    trial = person.trial
    person.part("left-3").click()
    person.log[trial] = ("left", 3)
    page.get_by_text("The server does not answer. What you did is kept").wait_for()
    assert not person.part("continue").is_visible()
    assert trial not in kept(folder)

    # Not even by a reload.
    page.reload()
    page.get_by_text("The server does not answer.").wait_for()
    page.unroute("**/api/**")
    page.evaluate(RETRY)
    person.asked()
    assert kept(folder)[trial] == ("left", 3)
    assert not page.locator("#trouble").is_visible()
    person.main(alternating)
    person.finish()
    assert kept(folder) == person.log
    forgive(person, "ERR_FAILED", "ERR_ABORTED", "Failed to load")


def test_an_answer_whose_acknowledgement_was_lost_counts_once(folder: Path, visit: Visit):
    person = visit(folder).agree().read().practice()
    lost: list[str | None] = []

    def lose(route: Route) -> None:
        lost.append(route.request.post_data)
        route.fetch()
        if len(lost) < 3:
            route.abort()
        else:
            route.fallback()

    person.page.page.route("**/trials/*", lose)
    person.say("right", 2)
    assert len(lost) == 3
    assert len({*lost}) == 1
    person.page.page.unroute("**/trials/*")
    person.go_on().main(alternating)
    person.finish()
    assert kept(folder) == person.log
    forgive(person, "ERR_FAILED")


def test_a_visit_whose_beginning_was_lost_is_the_same_visit(folder: Path, visit: Visit):
    person = visit(folder)
    page = person.page.page

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/sessions", lose)
    person.agree()
    page.get_by_text("The server does not answer.").wait_for()
    page.reload()
    page.unroute("**/api/sessions")
    person.read()  # it is tried again by itself
    assert len(rows(folder, "SELECT * FROM session")) == 1
    forgive(person, "ERR_FAILED", "ERR_ABORTED")


def test_a_server_that_is_ended_and_begun_again_loses_nothing(folder: Path, visit: Visit):
    def app() -> Any:
        return make_experiment_app({folder.name: folder})

    with serve_at(app(), wait=False) as port:
        url = f"http://127.0.0.1:{port}/e/{folder.name}/"
        person = visit(folder, url=url).agree().read().practice().main(alternating, 1)
        trial = person.trial
    person.part("right-3").click()
    person.log[trial] = ("right", 3)
    person.page.page.get_by_text("The server does not answer.").wait_for()
    with serve_at(app(), port, wait=False):
        person.page.page.evaluate(RETRY)
        person.part("continue").wait_for()
        person.go_on().main(alternating)
        person.finish()
        assert kept(folder) == person.log
        person.page.page.goto("about:blank")
    forgive(person, "ERR_CONNECTION", "ERR_EMPTY", "ERR_SOCKET")


def test_a_picture_that_does_not_arrive_can_be_asked_for_again(folder: Path, visit: Visit):
    person = visit(folder)
    page = person.page.page
    page.route("**/pictures/*.png", lambda route: route.abort())
    person.agree()
    page.get_by_text("Some pictures did not arrive.").wait_for()
    page.unroute("**/pictures/*.png")
    person.part("continue").click()
    person.read()
    assert person.place == (1, 1, 1)
    forgive(person, "ERR_FAILED")


def test_leaving_the_window_is_counted_with_the_question(folder: Path, visit: Visit):
    person = visit(folder).agree().read().practice()
    page = person.page.page
    for kind in ("blur", "focus", "blur", "focus"):
        page.evaluate("kind => void window.dispatchEvent(new Event(kind))", kind)
    first = person.trial
    person.say(person.right)
    person.go_on()
    second = person.trial
    person.say(person.right)
    counted = dict(rows(folder, "SELECT id, focus_losses FROM trial WHERE answered_at IS NOT NULL AND round = 0"))
    assert counted == {first: 2, second: 0}
    person.page.until(lambda: len(rows(folder, "SELECT * FROM event")) == 4, "the events")
    found = rows(folder, "SELECT kind, at_ms FROM event ORDER BY at_ms, position")
    assert [kind for kind, _ in found] == ["blur", "focus", "blur", "focus"]
    assert all(0 < at < 120_000 for _, at in found)


def test_who_does_not_pass_the_practice_is_thanked_and_has_a_code(make: Make, visit: Visit):
    folder = make("most_practice_rounds = 2\n")
    person = visit(folder).agree().read()
    person.say(person.wrong)
    person.go_on().go_on()
    assert person.place == (2, 1, 1)
    person.say(person.wrong)
    person.go_on()
    assert person.part("end").get_attribute("data-end") == "screened_out"
    assert person.part("completion-code").inner_text() == "OUT-2"
    assert kept(folder) == person.log


def test_a_platforms_person_takes_part_once_and_the_last_place_is_the_last(make: Make, serve: Any, visit: Visit):
    folder = make(people=1)
    url = serve(folder)
    person = visit(folder, "?PROLIFIC_PID=p1&STUDY_ID=s&SESSION_ID=v", url).agree().read()
    again = visit(folder, "?PROLIFIC_PID=p1&STUDY_ID=s&SESSION_ID=v", url).agree()
    again.part("end").wait_for()
    assert again.part("end").get_attribute("data-end") == "already"
    other = visit(folder, "?PROLIFIC_PID=p2", url).agree()
    other.part("end").wait_for()
    assert other.part("end").get_attribute("data-end") == "full"
    forgive(again, "409")
    forgive(other, "409")

    # In one browser two people are two.
    person.open("?PROLIFIC_PID=p2")
    person.part("agree").wait_for()
    person.open("?PROLIFIC_PID=p1&STUDY_ID=s&SESSION_ID=v")
    person.asked()
    assert "p1" not in json.dumps(rows(folder, "SELECT * FROM session"))


def test_answers_are_deleted_with_the_code(folder: Path, visit: Visit):
    person = visit(folder).agree().read().practice().main(alternating)
    person.finish("Hello.")
    page = person.page.page
    code = person.part("withdrawal-code").inner_text()
    page.get_by_role("link", name="have your answers deleted").click()
    person.part("withdraw-code").fill("wrong")
    person.part("withdraw").click()
    page.get_by_text("No answers are known under this code.").wait_for()
    person.part("withdraw-code").fill(f" {code} ")
    page.keyboard.press("Enter")
    page.get_by_text("Your answers have been deleted.").wait_for()
    assert kept(folder) == {}
    assert rows(folder, "SELECT * FROM remark") == []
    assert page.evaluate("localStorage.length") == 0
    forgive(person, "404")


def test_a_visit_that_was_deleted_meanwhile_is_told_so(folder: Path, serve: Any, visit: Visit):
    url = serve(folder)
    person = visit(folder, url=url).agree().read().practice()
    [(participant,)] = rows(folder, "SELECT participant FROM session")
    operator = url.replace(f"/e/{folder.name}/", f"/operator/api/{folder.name}/participants/{participant}")
    httpx.delete(operator, headers={"Authorization": "Bearer operator"}).raise_for_status()
    person.part("left-1").click()
    person.part("continue").wait_for()
    person.part("continue").click()
    person.part("end").wait_for()
    assert person.part("end").get_attribute("data-end") == "withdrawn"
    assert kept(folder) == {}
    forgive(person, "409")


def in_a_thread(do: Callable[[], Any]) -> Any:
    """Playwright runs once in a thread, and the tests' own is running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(do).result(120)


def test_simulated_people_answer_in_a_browser_of_their_own(folder: Path, serve: Any, chromium: Browser):
    stimuli, url, program = Stimuli.read(folder), serve(folder), shutil.which("chromium")
    program = os.environ.get("PELLUCID_CHROMIUM") or program
    oracle = observer_of(Oracle(), stimuli)
    seen: list[dict[str, Any]] = []

    def observe(trial: dict[str, Any]) -> tuple[str, int]:
        seen.append(trial)
        return oracle(trial)

    [visit] = in_a_thread(lambda: answer_in_browser(url, observe, executable=program))
    assert visit.stage == "done"
    assert visit.completion == "DONE-1"
    assert {one.trial: (one.choice, one.confidence) for one in visit.answers} == kept(folder)
    assert [one.round for one in visit.answers] == [1, 0, 0, 0, 0]
    assert rows(folder, "SELECT DISTINCT correct FROM trial") == [(1,)]
    schedule = Design.read(folder).schedules[0]
    assert [tuple(one["references"]) for one in seen[1:]] == [one.references for one in schedule.trials]
    assert [one["of"] for one in seen] == [1, 4, 4, 4, 4]

    # Who never passes the practice leaves.
    def stubborn(trial: dict[str, Any]) -> tuple[str, int]:
        larger, confidence = oracle(trial)
        return ("left" if larger == "right" else "right"), confidence

    [visit] = in_a_thread(lambda: answer_in_browser(url, stubborn, executable=program, most_rounds=1))
    assert (visit.stage, len(visit.answers)) == ("gave_up", 1)


def test_people_in_a_browser_need_one(folder: Path):
    with pytest.raises(PellucidError, match="no browser can be started: name the program of a Chromium"):
        in_a_thread(lambda: answer_in_browser("http://127.0.0.1:9/e/drawn", lambda _: ("left", 1), executable="/no"))


def test_the_command_lets_people_take_part_in_a_browser(folder: Path):
    program = os.environ.get("PELLUCID_CHROMIUM") or shutil.which("chromium")
    ended = pellucid_command(
        "experiment", "simulate", folder.parents[1], "--observer", "oracle", "--people", 1, "--browser",
        "--chromium", program,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "1 people: 1 done" in ended.stdout
    assert "4 of 4 main and catch trials right" in ended.stdout
    assert "the database has all 5 clicks and no other" in ended.stdout
