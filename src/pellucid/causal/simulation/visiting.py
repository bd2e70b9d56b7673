"""One simulated visit: the requests of the page, in its order, each sent again until it is acknowledged."""

import asyncio
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from pellucid.causal.simulation.clicks import Click, SimulatedVisit
from pellucid.causal.simulation.key import AnswerKey, Seen
from pellucid.causal.simulation.people import SimulatedPeople
from pellucid.errors import StudyError

_WAIT = 0.2  # seconds before a request is sent again
_START = 1.7e12  # milliseconds: a simulated clock
WINDOW = [1280, 800]


@dataclass
class Visitor:
    """A simulated person with a page of their own.

    `pace` is the median of simulated seconds for a trial; they pass in no time. Practice is answered as all else, or
    always right with `right_practice`; after `most_rounds` rounds the person gives up. `patience` is for how many
    seconds a server may be away.
    """

    client: httpx.AsyncClient
    base: str
    key: AnswerKey
    people: SimulatedPeople
    person: int
    seed: int = 0
    pace: float = 6.0
    right_practice: bool = False
    most_rounds: int = 200
    patience: float = 60.0
    platform: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed} {self.person}")
        self._clock = _START
        self._headers: dict[str, str] = {}

    async def visit(self) -> SimulatedVisit:
        """Take part from consent to the end."""
        study = await self._ask("GET", "study")
        start = {"consent": study["consent"]["version"], "platform": self.platform, "window": WINDOW}
        begun = await self._ask("POST", "sessions", start)
        if "session" not in begun:
            return SimulatedVisit(self.person, begun["code"], ())
        self._headers = {"Authorization": f"Bearer {begun['session']}"}
        read = [{"page": page, "ms": self._passes(4.0)} for page in range(8)]
        state = await self._ask("POST", "session/instructions", {"ms": sum(one["ms"] for one in read), "views": read})
        clicks: list[Click] = []
        while state["trial"] is not None:
            if state["trial"]["round"] > self.most_rounds:
                return SimulatedVisit(self.person, "gave_up", tuple(clicks))
            click = self._decide(state["trial"])
            state = await self._answer(click)
            clicks.append(click)
        withdrawal = (state["completion"] or {}).get("withdrawal", "")
        return SimulatedVisit(self.person, state["stage"], tuple(clicks), withdrawal)

    def _decide(self, trial: dict[str, Any]) -> Click:
        seen: Seen = self.key.seen(trial)
        sure = 1.0 if self.right_practice and seen.practice else self.people.probability(seen, self.person)
        right = self._random.random() < sure
        choice = seen.larger if right else "left" if seen.larger == "right" else "right"
        confidence = 1 + (abs(sure - 0.5) > 0.15) + (abs(sure - 0.5) > 0.35)
        rt = self._passes(self.pace)
        return Click(trial["id"], choice, confidence, rt, trial["round"], seen.stimulus.id, seen.condition, right)

    async def _answer(self, click: Click) -> dict[str, Any]:
        said = {
            "choice": click.choice,
            "confidence": click.confidence,
            "rt_ms": click.rt_ms,
            "focus_losses": 0,
            "window": WINDOW,
            "client_time": self._clock,
        }
        told = await self._ask("POST", f"session/trials/{click.trial}", said)
        feedback = told["feedback"]
        if (feedback is None) == bool(click.round) or (feedback and feedback["correct"] != click.correct):
            raise StudyError(f"the server takes the answer to {click.stimulus} for something else than it is")
        return told["state"]

    def _passes(self, median: float) -> float:
        """Milliseconds that pass on the simulated clock."""
        milliseconds = round(1000 * median * self._random.lognormvariate(0, 0.4), 1)
        self._clock += milliseconds
        return milliseconds

    async def _ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the server says; one key for a request however often it is sent, so it counts once."""
        body = None if content is None else {"key": str(uuid.uuid4()), **content}
        end = asyncio.get_running_loop().time() + self.patience
        while True:
            problem = ""
            try:
                response = await self.client.request(
                    method, f"{self.base}/api/{path}", json=body, headers=self._headers
                )
                if response.status_code < 300 or (response.status_code == 409 and path == "sessions"):
                    return response.json()
                problem = f"{response.status_code}: {response.text[:200]}"
                if response.status_code < 500:
                    raise StudyError(f"{self.base}/api/{path} refuses a simulated person, {problem}")
            except httpx.TransportError as error:
                problem = str(error) or type(error).__name__
            if asyncio.get_running_loop().time() > end:
                raise StudyError(f"{self.base} does not answer for {self.patience:g} seconds: {problem}")
            await asyncio.sleep(_WAIT)
