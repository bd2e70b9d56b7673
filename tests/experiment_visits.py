"""A visit as the page makes it, request by request."""

import uuid
from typing import Any

import httpx

WINDOW = [1280, 800]


def key() -> str:
    return str(uuid.uuid4())


class Page:
    """A page of an experiment, with any client that speaks as httpx does."""

    def __init__(self, client: Any, name: str = "drawn") -> None:
        self.client, self.base = client, f"/e/{name}"
        self.token, self.state = "", {}
        self.payloads: list[str] = []

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> httpx.Response:
        if self.token:
            headers = {"Authorization": f"Bearer {self.token}", **headers}
        response = self.client.request(method, f"{self.base}/{path}", json=content, headers=headers)
        self.payloads.append(response.text)
        return response

    def begin(self, **changes: Any) -> httpx.Response:
        said = {"key": key(), "consent": "1", "platform": {}, "window": WINDOW, **changes}
        response = self.ask("POST", "api/sessions", said)
        if response.status_code < 300:
            self.token, self.state = response.json()["session"], response.json()["state"]
        return response

    def read_instructions(self) -> httpx.Response:
        response = self.ask(
            "POST", "api/session/instructions", {"key": key(), "ms": 20_000, "views": [{"page": 0, "ms": 9.5}]}
        )
        self.state = response.json()
        return response

    def answer(self, choice: str, trial: str | None = None, **changes: Any) -> httpx.Response:
        """Answer the current trial, or one of another name; the state is then what the server says it is."""
        response = self.ask("POST", f"api/session/trials/{trial or self.state['trial']['id']}", said(choice, **changes))
        self.state = response.json().get("state", self.state)
        return response

    def reload(self) -> dict[str, Any]:
        self.state = self.ask("GET", "api/session").json()
        return self.state


def said(choice: str, **changes: Any) -> dict[str, Any]:
    given = {
        "key": key(),
        "choice": choice,
        "confidence": 2,
        "rt_ms": 1500.5,
        "focus_losses": 0,
        "window": WINDOW,
        "client_time": 1.7e12,
    }
    return {**given, **changes}
