"""A real Chromium for the tests of the page."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page import AtlasPage
from playwright.sync_api import Browser, sync_playwright
from serving import serve_app, serve_folder

from pellucid.web.app import make_app
from pellucid.web.export import export

# Draws in software, so that no graphics card is needed, and asks nothing of the network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]

OpenPage = Callable[..., AtlasPage]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser; where there is none, tests are skipped, but not in CI."""
    program = os.environ.get("PELLUCID_CHROMIUM") or shutil.which("chromium")
    if program is None:
        reason = "no browser: install chromium, or name one in the environment variable PELLUCID_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """A function `open_page(origin, address="", **context)` that gives an `AtlasPage`.

    When the test ends, none of its pages may have logged an error or asked anything of another server.
    """
    opened: list[AtlasPage] = []

    def open_page(origin: str, address: str = "", *, load: bool = True, **context: Any) -> AtlasPage:
        context = {"viewport": {"width": 1200, "height": 800}, "reduced_motion": "reduce", **context}
        page = AtlasPage(chromium.new_context(**context).new_page(), origin)
        opened.append(page)
        return page.open(address) if load else page

    yield open_page
    for page in opened:
        page.leaving = True
        page.page.context.close()
    problems = [problem for page in opened for problem in page.problems]
    assert problems == []


@pytest.fixture(scope="module")
def server(study: Path) -> Iterator[str]:
    """The address of a server of the module's own `study`."""
    with serve_app(make_app(study)) as origin:
        yield origin


@pytest.fixture(scope="module")
def site(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the module's own `study`, exported into a folder of some web server."""
    folder = tmp_path_factory.mktemp("server")
    export(study, folder / "papers" / "study")
    with serve_folder(folder) as origin:
        yield f"{origin}papers/study/"


@pytest.fixture(params=["server", "site"])
def origin(request: pytest.FixtureRequest) -> str:
    """One after the other."""
    return request.getfixturevalue(request.param)
