"""Drives the atlas page as a person would, and reads what it says."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import ConsoleMessage, Locator, Page, Request

PATIENCE = 20_000  # milliseconds: Chromium draws in software here


@dataclass(frozen=True)
class Card:
    """What the card says of a cell, read from its text; `values` also exactly, from its attributes."""

    cell: int
    grid: int
    label: str
    title: str
    count: str
    names: tuple[str, ...]
    values: tuple[str, ...]
    classes: tuple[tuple[int, float], ...]
    stable: bool
    photographs: tuple[str, ...]
    pinned: bool


class AtlasPage:
    """A page with an atlas. `problems` collects console messages, errors and requests that should not be."""

    def __init__(self, page: Page, origin: str):
        self.page, self.origin = page, origin
        self.problems: list[str] = []
        self.leaving = False  # what is under way then is given up, and no problem
        self._documents = 0  # loaded so far
        self._document_of: dict[Request, int] = {}
        page.set_default_timeout(PATIENCE)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._on_request)
        page.on("requestfailed", self._on_failure)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def _on_failure(self, request: Request) -> None:
        # The browser asks for the page's icon when it likes, and gives up on it when the page is left or loaded again.
        left = self.leaving or self._document_of.get(request, 0) < self._documents
        if request.failure == "net::ERR_ABORTED" and (left or "/assets/icon-" in request.url):
            return
        self.problems.append(f"failed: {request.url} {request.failure}")

    def _on_request(self, request: Request) -> None:
        self._documents += request.is_navigation_request()
        self._document_of[request] = self._documents
        if not request.url.startswith((self.origin, "blob:")):
            self.problems.append(f"foreign: {request.url}")

    def open(self, address: str = "") -> "AtlasPage":
        """Load the page; `address` is what follows the origin, such as `#atlas=...`."""
        # A page that is there already would only follow the hash.
        self.leaving = True
        self.page.goto("about:blank")
        self.leaving = False
        self.page.goto(f"{self.origin}{address}")
        return self.settle()

    def settle(self) -> "AtlasPage":
        """Wait until the wanted level is drawn and nothing moves."""
        self.page.wait_for_function(
            """() => {
                const map = document.querySelector('[data-testid=map]')
                const now = map && JSON.stringify([map.dataset.settled, map.dataset.zoom, map.dataset.x, map.dataset.y])
                const before = window.seen
                window.seen = now
                return map?.dataset.settled === 'true' && map.dataset.grid === map.dataset.wanted && now === before
            }""",
            polling=120,
        )
        return self

    def part(self, name: str) -> Locator:
        """The element with a `data-testid`."""
        return self.page.get_by_test_id(name)

    @property
    def map(self) -> Locator:
        """The map element, with the state of the map in its data attributes."""
        return self.part("map")

    def state(self, name: str) -> str:
        """A data attribute of the map, such as `grid`, `zoom`, `icons`, `hovered`."""
        return self.map.get_attribute(f"data-{name}") or ""

    @property
    def grid(self) -> int:
        """The grid of the level that is drawn."""
        return int(self.state("grid"))

    @property
    def zoom(self) -> float:
        """How many times larger than the whole map."""
        return float(self.state("zoom"))

    @property
    def position(self) -> tuple[float, float]:
        """The middle of the view in the unit square."""
        return float(self.state("x")), float(self.state("y"))

    @property
    def address(self) -> dict[str, str]:
        """The parts of the address bar's hash."""
        return {key: values[0] for key, values in parse_qs(urlsplit(self.page.url).fragment).items()}

    def wait_for_address(self, **parts: str) -> None:
        """Wait until the address bar says so; the page writes it when things have come to rest."""
        self.until(lambda: all(self.address.get(key) == value for key, value in parts.items()), f"address {parts}")

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for something that only Python can see."""
        for _ in range(PATIENCE // 50):
            if true():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"in vain waited for {what}; the page is at {self.page.url}")

    def cells(self) -> int:
        """The number of cells of the level that is drawn."""
        return self.page.evaluate("window.pellucid.cells()")

    def point(self, cell: int) -> tuple[float, float]:
        """Where the middle of a cell is in the window."""
        point: dict[str, Any] | None = self.page.evaluate("cell => window.pellucid.project(cell)", cell)
        assert point is not None, f"no cell {cell} in the level of grid {self.grid}"
        return point["x"], point["y"]

    def reachable(self) -> list[int]:
        """The cells whose middles are in the map and not below a button."""
        return self.page.evaluate(
            """() => Array.from({ length: window.pellucid.cells() }, (_, cell) => cell).filter((cell) => {
                const { x, y } = window.pellucid.project(cell)
                return document.elementFromPoint(x, y)?.closest('[data-testid=map]')
            })"""
        )

    def hover_cell(self, cell: int) -> Card:
        """Move the mouse to a cell and read its card."""
        self.page.mouse.move(*self.point(cell))
        self.page.wait_for_selector(f'[data-testid=map][data-hovered="{cell}"]')
        return self.card(cell)

    def click_cell(self, cell: int) -> Card:
        """Select a cell with the mouse and read its card."""
        self.page.mouse.click(*self.point(cell))
        self.page.wait_for_selector(f'[data-testid=map][data-selected="{cell}"]')
        return self.card(cell)

    def tap_cell(self, cell: int) -> Card:
        """Select a cell with a finger and read its card."""
        self.page.touchscreen.tap(*self.point(cell))
        self.page.wait_for_selector(f'[data-testid=map][data-selected="{cell}"]')
        return self.card(cell)

    def card(self, cell: int | None = None) -> Card:
        """Read the open card, once it is that of `cell` and its patches are there."""
        which = "" if cell is None else f'[data-cell="{cell}"]'
        card = self.page.wait_for_selector(
            f"[data-testid=card]{which}:has([data-testid=card-icon]):not(:has(.waiting))"
        )
        assert card is not None
        read: dict[str, Any] = self.page.evaluate(READ_CARD, card)
        for name in ("names", "values", "photographs"):
            read[name] = tuple(read[name])
        read["classes"] = tuple((label, value) for label, value in read["classes"])
        return Card(**read)

    def zoom_in(self) -> "AtlasPage":
        """Press the button once."""
        self.part("zoom-in").click()
        return self.settle()

    def zoom_out(self) -> "AtlasPage":
        """Press the button once."""
        self.part("zoom-out").click()
        return self.settle()

    def home(self) -> "AtlasPage":
        """Show the whole map."""
        self.part("home").click()
        return self.settle()

    def choose_grid(self, grid: int | None) -> "AtlasPage":
        """Choose a level by hand, or leave it to the zoom again (None)."""
        # The button itself is invisible: its label shows it.
        self.part(f"grid-{'auto' if grid is None else grid}").check(force=True)
        return self.settle()

    def press(self, *keys: str) -> "AtlasPage":
        """Give keys to the map."""
        self.map.focus()
        for key in keys:
            self.page.keyboard.press(key)
            self.settle()
        return self

    def drag(self, dx: float, dy: float) -> "AtlasPage":
        """Pull the map with the mouse and let it come to rest."""
        box = self.map.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=24)
        self.page.wait_for_timeout(300)  # held still, so that it is not thrown
        self.page.mouse.up()
        return self.settle()

    def wheel(self, steps: float) -> "AtlasPage":
        """Turn the wheel over the middle of the map, upward (zooming in) for positive steps."""
        box = self.map.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.wheel(0, -100 * steps)
        self.page.wait_for_timeout(400)  # the wheel glides
        return self.settle()

    def colors(self) -> int:
        """How many colours the window shows at a raster of points: a blank map has few."""
        picture = np.asarray(Image.open(BytesIO(self.map.screenshot())).convert("RGB"))[::7, ::7].reshape(-1, 3)
        return len(np.unique(picture // 8, axis=0))


READ_CARD = """card => {
    const text = (name) => card.querySelector(`[data-testid=${name}]`)?.innerText ?? ''
    const all = (name) => [...card.querySelectorAll(`[data-testid=${name}]`)]
    const classes = all('card-class')
    return {
        cell: Number(card.dataset.cell),
        grid: Number(card.dataset.grid),
        label: text('card-label'),
        title: card.querySelector('[data-testid=card-label]').title,
        count: text('card-count'),
        names: classes.map((row) => row.querySelector('.name').innerText),
        values: classes.map((row) => row.querySelector('.value').innerText),
        classes: classes.map((row) => [Number(row.dataset.class), Number(row.dataset.value)]),
        stable: all('card-unstable').length === 0,
        photographs: all('card-patch').map((patch) => patch.getAttribute('aria-label')),
        pinned: card.dataset.pinned === 'true',
    }
}"""
