"""Takes part in an experiment as a person would, and keeps a log of every click."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from page import AtlasPage
from playwright.sync_api import Locator

from pellucid.study.experiments import Stimuli, Stimulus

READY = "[data-testid=trial][data-ready=true]"


@dataclass(frozen=True)
class Sent:
    """One response of the server."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Recorder:
    """Keeps everything that an app sends."""

    def __init__(self, app: Any, sent: list[Sent]):
        self.app, self.sent = app, sent

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass it on, and keep a copy."""
        head: dict[str, Any] = {}
        parts: list[bytes] = []

        async def recording(message: Any) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            parts.append(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, recording)
        headers = {name.decode(): value.decode() for name, value in head.get("headers", ())}
        one = Sent(scope.get("method", ""), scope.get("path", ""), head.get("status", 0), headers, b"".join(parts))
        self.sent.append(one)


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of the database that the answers of an experiment are in."""
    with closing(sqlite3.connect(f"file:{folder / 'answers.sqlite'}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def kept(folder: Path) -> dict[str, tuple[str, int]]:
    """The choice and the confidence of each answered trial by its name, in the order of the answers."""
    query = "SELECT id, choice, confidence FROM trial WHERE answered_at IS NOT NULL ORDER BY answered_at"
    return {name: (choice, confidence) for name, choice, confidence in rows(folder, query)}


@dataclass
class Person:
    """Somebody in front of a page. `log` has what they clicked, by the name of the trial."""

    page: AtlasPage
    stimuli: Stimuli
    log: dict[str, tuple[str, int]] = field(default_factory=dict)

    def part(self, name: str) -> Locator:
        """The element with a `data-testid`."""
        return self.page.part(name)

    def open(self, address: str = "") -> "Person":
        """Load the page; `address` is what follows that of the experiment."""
        self.page.page.goto(f"{self.page.origin}{address}")
        return self

    def agree(self) -> "Person":
        """Consent."""
        self.part("agree").click()
        return self

    def read(self) -> "Person":
        """Read the instructions to their end."""
        button = self.page.page.locator("#jspsych-instructions-next")
        button.wait_for()
        while button.count():
            shown = self.page.page.locator(".jspsych-instructions-pagenum").inner_text()
            here, of = shown.removeprefix("Page ").split("/")
            button.click()
            if here == of:
                break
        return self.asked()

    def asked(self) -> "Person":
        """Wait for a question."""
        self.page.page.wait_for_selector(READY)
        return self

    @property
    def trial(self) -> str:
        """The name of the question that is shown."""
        return self.part("trial").get_attribute("data-trial") or ""

    @property
    def place(self) -> tuple[int, int, int]:
        """Its round, its number, and of how many."""
        shown = self.part("trial")
        round_, number, of = (int(shown.get_attribute(f"data-{name}") or -1) for name in ("round", "number", "of"))
        return round_, number, of

    def picture(self, side: str) -> str:
        """The name of the picture on a side."""
        source = self.page.page.locator(f".query[data-side={side}] img").get_attribute("src") or ""
        return Path(source).stem

    @property
    def stimulus(self) -> Stimulus:
        """What the question is made of, which only the key on disk tells."""
        shown = {self.picture("left"), self.picture("right")}
        return next(one for one in self.stimuli.stimuli if {one.larger.picture, one.smaller.picture} == shown)

    @property
    def right(self) -> str:
        """The side of the larger query."""
        return "left" if self.picture("left") == self.stimulus.larger.picture else "right"

    @property
    def wrong(self) -> str:
        """The other side."""
        return "left" if self.right == "right" else "right"

    def say(self, side: str, confidence: int = 2) -> str:
        """Answer the question, wait until one may go on, and give what is told."""
        trial = self.asked().trial
        self.part(f"{side}-{confidence}").click()
        self.log[trial] = (side, confidence)
        self.part("continue").wait_for()
        return self.part("status").inner_text()

    def go_on(self) -> "Person":
        """Press Continue, and wait for what comes then."""
        before = self.trial if self.part("trial").count() else ""
        self.part("continue").click()
        self.page.page.wait_for_function(
            """before => {
                const trial = document.querySelector('[data-testid=trial]')
                if (trial) return trial.dataset.trial !== before && trial.dataset.ready === 'true'
                const told = '#jspsych-html-button-response-btngroup [data-testid=continue]'
                return document.querySelector(`[data-testid=end], #input-0, ${told}`)
            }""",
            arg=before,
        )
        return self

    def practice(self) -> "Person":
        """Answer practice questions rightly until the real ones begin."""
        while self.part("trial").count() and self.place[0]:
            self.say(self.right)
            self.go_on()
        if not self.part("trial").count():
            self.go_on()
        return self.asked()

    def main(self, choose: Callable[["Person"], tuple[str, int]], questions: int | None = None) -> "Person":
        """Answer so many real questions, by default all that are left."""
        while self.part("trial").count() and questions != 0:
            self.say(*choose(self))
            self.go_on()
            questions = None if questions is None else questions - 1
        return self

    def finish(self, remark: str = "") -> "Person":
        """Say something, or nothing, at the end."""
        self.page.page.locator("#input-0").fill(remark)
        self.page.page.locator("#jspsych-survey-text-next").click()
        self.part("end").wait_for()
        return self
