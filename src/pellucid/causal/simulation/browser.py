"""Simulated people in a real browser: they see what the page shows, and press its buttons.

Needs Playwright and a Chromium.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pellucid.causal.simulation.clicks import Click, SimulatedVisit
from pellucid.causal.simulation.key import AnswerKey, Seen
from pellucid.causal.simulation.people import SimulatedPeople
from pellucid.errors import PellucidError, StudyError
from pellucid.study.experiments import Stimuli

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Observer = Callable[[dict[str, Any]], tuple[str, int]]
"""Sees a trial as the page shows it, and says which side, "left" or "right", with what confidence, 1 to 3."""

_WINDOW = {"width": 1280, "height": 800}
_TRIAL = "[data-testid=trial][data-ready=true]"
_MESSAGE = "#jspsych-html-button-response-btngroup [data-testid=continue]"
_READ = """screen => {
    const all = (where) => [...screen.querySelectorAll(`${where} img`)].map(
        (image) => image.getAttribute('src').split('/').pop().replace(/[.]png$/, ''))
    return {
        id: screen.dataset.trial,
        number: Number(screen.dataset.number),
        of: Number(screen.dataset.of),
        round: Number(screen.dataset.round),
        base: all('.base')[0] ?? null,
        left: all('.query[data-side=left]')[0],
        right: all('.query[data-side=right]')[0],
        references: all('.references'),
        minimal: all('.minimal'),
    }
}"""


@dataclass(frozen=True)
class BrowserAnswer:
    """One answer as it was clicked, to the trial of that name. Practice has a `round` from 1, other trials 0."""

    trial: str
    choice: str
    confidence: int
    round: int


@dataclass(frozen=True)
class BrowserVisit:
    """What became of one person: the stage that the last screen tells, or "gave_up"; all clicks; and the codes."""

    person: int
    stage: str
    answers: tuple[BrowserAnswer, ...]
    completion: str = ""
    withdrawal: str = ""


def observer_of(people: SimulatedPeople, stimuli: Stimuli, *, person: int = 0, seed: int = 0) -> Observer:
    """An observer that answers as one of some simulated people, always with confidence 2."""
    key, rng = AnswerKey(stimuli), random.Random(f"{seed} {person}")

    def observe(trial: dict[str, Any]) -> tuple[str, int]:
        seen = key.seen(trial)
        right = rng.random() < people.probability(seen, person)
        return seen.larger if right else "left" if seen.larger == "right" else "right", 2

    return observe


def answer_in_browser(
    url: str,
    observer: Observer,
    people: int = 1,
    executable: str | None = None,
    *,
    most_rounds: int = 50,
    patience: float = 30.0,
) -> list[BrowserVisit]:
    """Let people take part in a headless Chromium, one after the other, and give what they clicked.

    `url` is that of the experiment, http://HOST:PORT/e/NAME. `observer` is given each trial as a dictionary of its
    `id`, `number`, `of`, `round`, and the names of the pictures that are seen: `base` (None where there is none),
    `left`, `right`, `references` and `minimal`. Each person has a browser profile of their own. `executable` is the
    browser's program, by default the one that Playwright installed. Who did not pass after `most_rounds` rounds of
    practice leaves. `patience` is for how many seconds a screen may take to come.
    Raises `PellucidError` without Playwright or a browser, and `StudyError` if the page does not go on.
    """
    with _chromium(executable) as browser:
        return [_visit(browser, url, observer, person, most_rounds, patience) for person in range(people)]


def simulate_in_browser(
    url: str,
    stimuli: Stimuli,
    people: SimulatedPeople,
    *,
    count: int,
    executable: str | None = None,
    most_rounds: int = 50,
    seed: int = 0,
) -> list[SimulatedVisit]:
    """Let simulated people take part as `simulate` does, in a headless Chromium: the log of what they clicked.

    Arguments and errors are those of `answer_in_browser`; reaction times are the page's own, and not in the log.
    """
    key, found = AnswerKey(stimuli), []
    for person in range(count):
        shown: dict[str, Seen] = {}
        answer = observer_of(people, stimuli, person=person, seed=seed)

        def observe(
            trial: dict[str, Any], shown: dict[str, Seen] = shown, answer: Observer = answer
        ) -> tuple[str, int]:
            shown[trial["id"]] = key.seen(trial)
            return answer(trial)

        [visit] = answer_in_browser(url, observe, executable=executable, most_rounds=most_rounds)
        clicks = tuple(_click(one, shown[one.trial]) for one in visit.answers)
        found.append(SimulatedVisit(person, visit.stage, clicks, visit.withdrawal))
    return found


def _click(one: BrowserAnswer, seen: Seen) -> Click:
    right = one.choice == seen.larger
    return Click(one.trial, one.choice, one.confidence, None, one.round, seen.stimulus.id, seen.condition, right)


@contextmanager
def _chromium(executable: str | None) -> "Iterator[Browser]":
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise PellucidError("people in a browser need Playwright; install it: pip install playwright") from error
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        except Error as error:
            raise PellucidError(
                f"no browser can be started: name the program of a Chromium, or run 'playwright install chromium' "
                f"({str(error).splitlines()[0]})"
            ) from error
        try:
            yield browser
        finally:
            browser.close()


def _visit(
    browser: "Browser", url: str, observer: Observer, person: int, most_rounds: int, patience: float
) -> BrowserVisit:
    from playwright.sync_api import TimeoutError as Late

    context = browser.new_context(viewport=_WINDOW, screen=_WINDOW, reduced_motion="reduce")  # pyright: ignore[reportArgumentType]
    context.set_default_timeout(1000 * patience)
    page = context.new_page()
    answers: list[BrowserAnswer] = []
    try:
        page.goto(f"{url.rstrip('/')}/")
        page.get_by_test_id("agree").click()
        return _questions(page, observer, person, answers, most_rounds)
    except Late as error:
        raise StudyError(
            f"the page of {url} did not go on after {len(answers)} answers of person {person}: "
            f"{' '.join(page.locator('body').inner_text().split())[:200]!r}"
        ) from error
    finally:
        context.close()


def _questions(
    page: "Page", observer: Observer, person: int, answers: list[BrowserAnswer], most_rounds: int
) -> BrowserVisit:
    """Press what each screen has to press, until the last one."""
    next_page, remark = page.locator("#jspsych-instructions-next"), page.locator("#jspsych-survey-text-next")
    trial, message, end = page.locator(_TRIAL), page.locator(_MESSAGE), page.get_by_test_id("end")
    while True:
        next_page.or_(remark).or_(trial).or_(message).or_(end).first.wait_for()
        if trial.count():
            shown = trial.evaluate(_READ)
            if shown["round"] > most_rounds:
                return BrowserVisit(person, "gave_up", tuple(answers))
            choice, confidence = observer(shown)
            page.get_by_test_id(f"{choice}-{confidence}").click()
            page.get_by_test_id("continue").click()
            answers.append(BrowserAnswer(shown["id"], choice, confidence, shown["round"]))
            page.wait_for_selector(f"[data-trial='{shown['id']}']", state="detached")
        elif end.count():
            stage = end.get_attribute("data-end") or ""
            codes = [page.get_by_test_id(f"{name}-code") for name in ("completion", "withdrawal")]
            return BrowserVisit(
                person, stage, tuple(answers), *(one.inner_text() if one.count() else "" for one in codes)
            )
        else:
            _press(next_page, remark, message)


def _press(*buttons: Any) -> None:
    """Press the one that is there; it may be gone before it is pressed, and the next screen has come."""
    for button in buttons:
        if button.count():
            button.evaluate_all("buttons => buttons[0]?.click()")
