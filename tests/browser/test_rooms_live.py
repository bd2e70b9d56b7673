"""The rooms with a network at hand, here a worker that computes nothing: paintings, patches, queries."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_pages import GRID, LATE, SHARK, WHALE, cells_of, make_pages_study
from fake_worker import NAMES, FakeWorker
from page import AtlasPage
from PIL import Image
from serving import serve_app

from pellucid.study import Study
from pellucid.web.app import make_app
from pellucid.web.page import STATIC
from studies import CLASSES

pytestmark = pytest.mark.browser
Visit = Callable[..., AtlasPage]
ROWS, COLUMNS = 6, 8  # of the worker's canvas


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (STATIC / "index.html").is_file():
        pytest.fail("the page is not built; run 'pip install -e .'", pytrace=False)
    return make_pages_study(tmp_path_factory.mktemp("live") / "study").path


@pytest.fixture(scope="module")
def spots(study: Path) -> list[str]:
    """The cells of the finer level as addresses write them."""
    return [f"{GRID}.{row}.{column}" for row, column in cells_of(Study.open(study), LATE)]


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def live(study: Path, worker: FakeWorker) -> Iterator[str]:
    with serve_app(make_app(study, worker=worker)) as origin:
        yield origin


@pytest.fixture
def visit(open_page: Any, live: str) -> Iterator[Visit]:
    """A function `visit(address, wait, **context)` that opens a room and waits for one of its parts."""
    opened: list[AtlasPage] = []

    def visit(address: str, wait: str, **context: Any) -> AtlasPage:
        page: AtlasPage = open_page(live, load=False, **context)
        opened.append(page)
        page.page.goto(f"{live}{address}")
        page.part(wait).first.wait_for()
        return page

    yield visit
    for page in opened:  # before its server ends
        page.page.wait_for_load_state("networkidle")
        page.page.wait_for_function("() => [...document.images].every((image) => image.complete)")
        page.page.goto("about:blank")


def paint(page: AtlasPage, *positions: tuple[int, int]) -> None:
    """Draw over positions of the canvas with the mouse held down."""
    box = page.part("easel").bounding_box()
    assert box is not None
    points = [
        (box["x"] + (column + 0.5) * box["width"] / COLUMNS, box["y"] + (row + 0.5) * box["height"] / ROWS)
        for row, column in positions
    ]
    page.page.mouse.move(*points[0])
    page.page.mouse.down()
    for point in points[1:]:
        page.page.mouse.move(*point)
    page.page.mouse.up()


def strokes(page: AtlasPage) -> str:
    return page.part("paint").get_attribute("data-strokes") or ""


def test_a_brush_is_dipped_in_the_map_and_what_is_painted_is_drawn(visit: Visit, worker: FakeWorker, spots: list[str]):
    page = visit("#paint=", "paint")
    page.settle()
    assert page.part("draw").is_disabled()
    page.page.mouse.click(*page.point(5))
    page.wait_for_address(brush=spots[5])
    paint(page, (0, 0), (0, 5))  # a quick hand leaves no gaps
    assert strokes(page) == f"{spots[5]}:0-5"
    page.part("mix").check()
    page.page.mouse.click(*page.point(9))
    page.wait_for_address(brush=f"{spots[5]},{spots[9]}")
    page.part("brush-cell").nth(1).locator("input").fill("0.5")
    page.wait_for_address(brush=f"{spots[5]},{spots[9]}*0.5")
    page.part("reach-2").check(force=True)
    paint(page, (2, 2))
    mixed = f"{spots[5]},{spots[9]}*0.5"
    assert strokes(page) == f"{spots[5]}:0-5;{mixed}:18-19,26-27"
    page.part("tool-wipe").check(force=True)
    page.part("reach-1").check(force=True)
    paint(page, (0, 0))
    assert strokes(page) == f"{spots[5]}:1-5;{mixed}:18-19,26-27"
    page.part("undo").click()
    assert strokes(page) == f"{spots[5]}:0-5;{mixed}:18-19,26-27"
    page.part("steps").fill("40")
    page.part("size").fill("9999")  # the most that is drawn
    page.part("seed").fill("7")
    page.part("seed").press("Tab")
    page.wait_for_address(paint=LATE, strokes=strokes(page), steps="40", size="320", seed="7")
    page.part("draw").click()
    page.page.wait_for_selector("[data-testid=painted][data-state=done]")
    page.part("painted-picture").wait_for()
    assert page.part("painted-picture").evaluate("img => img.decode().then(() => img.naturalWidth)") == 64
    assert page.part("painted-said").inner_text() == "Drawn in 40 steps."
    top = [row.get_attribute("data-class") for row in page.part("painted-top").locator("li").all()]
    assert top == list(CLASSES[:5])

    ((kind, asked),) = worker.asked
    assert (kind, asked["atlas"], asked["steps"], asked["size"], asked["seed"]) == ("paint", LATE, 40, 320, 7)
    first, second = (tuple(int(part) for part in spots[i].split(".")) for i in (5, 9))
    painted = {(row, column): cells for row, column, cells in asked["strokes"]}
    assert set(painted) == {(0, column) for column in range(6)} | {(2, 2), (2, 3), (3, 2), (3, 3)}
    assert painted[0, 3] == ((*first, 1.0),)
    assert painted[3, 3] == ((*first, 1.0), (*second, 0.5))

    # What is painted now is another picture than the one that is shown.
    page.part("tool-paint").check(force=True)
    paint(page, (5, 7))
    page.until(lambda: "earlier state" in page.part("painted-said").inner_text(), "a word that it is old")


def test_a_painting_comes_back_from_its_address(visit: Visit, spots: list[str]):
    said = f"{spots[5]},{spots[9]}*0.25:0-9,14;{spots[12]}:20-30"
    page = visit(f"#paint={LATE}&brush={spots[12]}&strokes={said}&steps=99&seed=3", "paint")
    assert strokes(page) == said
    page.page.wait_for_selector("[data-testid=easel][data-known='2']")
    picture = np.asarray(Image.open(BytesIO(page.part("easel").screenshot())).convert("RGB")).astype(float)
    pitch = picture.shape[1] / COLUMNS

    def inside(row: int, column: int) -> np.ndarray:
        top, left = int(row * pitch + 4), int(column * pitch + 4)
        return picture[top : top + int(pitch) - 8, left : left + int(pitch) - 8]

    assert inside(2, 4).std((0, 1)).sum() > 20  # an icon
    assert inside(5, 5).std((0, 1)).sum() < 1  # bare
    assert page.part("painted").get_attribute("data-state") == ""  # nothing is drawn unasked
    page.page.reload()
    page.part("paint").wait_for()
    assert strokes(page) == said
    assert page.part("steps").input_value() == "99"
    assert page.part("seed").input_value() == "3"
    page.page.evaluate(f"location.hash = '#paint={LATE}&strokes={spots[3]}:1'")
    page.until(lambda: strokes(page) == f"{spots[3]}:1", "the painting of another address")


def test_the_canvas_is_painted_with_the_keyboard_alone(visit: Visit, spots: list[str]):
    page = visit(f"#paint={LATE}&brush={spots[5]}", "paint")
    page.part("easel").focus()
    for key in ("ArrowRight", "ArrowDown", "Enter", "ArrowDown", "Space", "ArrowUp", "ArrowUp", "ArrowUp", "Enter"):
        page.page.keyboard.press(key)
    assert strokes(page) == f"{spots[5]}:1,9,17"
    page.page.keyboard.press("Delete")
    assert strokes(page) == f"{spots[5]}:9,17"
    page.page.keyboard.press("Control+z")
    assert strokes(page) == f"{spots[5]}:1,9,17"
    page.part("fill").click()
    assert strokes(page) == f"{spots[5]}:0-47"
    page.part("clear").click()
    assert strokes(page) == ""
    assert page.part("draw").is_disabled()


def test_a_drawing_can_be_stopped(visit: Visit, worker: FakeWorker, spots: list[str]):
    worker.looks = 100
    page = visit(f"#paint={LATE}&strokes={spots[5]}:0", "paint")
    page.part("draw").click()
    page.part("painted-picture").wait_for()  # a preview
    assert page.part("draw").is_disabled()
    page.part("cancel").click()
    page.page.wait_for_selector("[data-testid=painted][data-state=cancelled]")
    assert "Stopped after" in page.part("painted-said").inner_text()
    assert worker.cancelled == {"job-1"}
    assert page.part("draw").is_enabled()
    seen = worker.seen["job-1"]
    page.page.wait_for_timeout(1000)
    assert worker.seen["job-1"] == seen  # it asks no more


def test_what_cannot_be_drawn_is_told_in_the_servers_words(visit: Visit, worker: FakeWorker, spots: list[str]):
    page = visit(f"#paint={LATE}&strokes={spots[5]}:0", "paint")
    worker.busy = True
    page.part("draw").click()
    page.page.wait_for_selector("[data-testid=painted][data-state=failed]")
    assert page.part("painted-said").inner_text().endswith(".")
    worker.busy, worker.broken = False, "the atlas has no such cell"
    page.part("draw").click()
    page.until(lambda: "the atlas has no such cell" in page.part("painted-said").inner_text(), "the reason")
    worker.broken = ""
    page.part("draw").click()
    page.page.wait_for_selector("[data-testid=painted][data-state=done]")
    forgive(page, "503")


def forgive(page: AtlasPage, *kinds: str) -> None:
    """Forget the errors that a test provoked."""
    provoked = [problem for problem in page.problems if any(kind in problem for kind in kinds)]
    assert provoked
    page.problems[:] = [problem for problem in page.problems if problem not in provoked]


def test_an_atlas_that_cannot_be_painted_with_is_named(visit: Visit):
    page = visit("#paint=none", "notice")
    assert f"cannot paint with the atlas “none”, but with “{LATE}”" in page.part("notice").inner_text()
    page.page.evaluate("location.hash = '#paint='")
    page.part("paint").wait_for()


def test_a_patch_is_tried_wherever_it_is_moved(visit: Visit, worker: FakeWorker):
    page = visit("#patch=some-patch", "trial")
    page.part("trial-find").fill("lemon")
    page.until(lambda: len(page.part("trial-photo").all()) == 1, "the lemon")
    page.part("trial-photo").click()
    page.part("trial-picture").wait_for()
    assert worker.asked[-1] == ("patch", {"image": 2, "patch": "ball-01", "size": 0.4, "corner": 0})
    before, after = (
        [row.get_attribute("data-class") for row in page.part(f"trial-{when}").locator("li").all()]
        for when in ("before", "after")
    )
    assert (before[0], after[0]) == (CLASSES[WHALE], CLASSES[SHARK])
    assert page.part("trial-picture").evaluate("img => img.decode().then(() => img.naturalWidth)") == 64
    page.part("trial-patch").select_option("noise")
    page.part("trial-corner-3").check(force=True)
    page.part("trial-scale").fill("0.6")
    page.wait_for_address(patch="some-patch", photo="2", **{"with": "noise"}, place="3", scale="0.6")
    wanted = {"image": 2, "patch": "noise", "size": 0.6, "corner": 3}
    page.until(lambda: worker.asked[-1] == ("patch", wanted), "the last state to be tried")
    count = len(worker.asked)
    page.page.reload()
    page.part("trial-picture").wait_for()
    assert worker.asked[count:] == [("patch", wanted)]
    assert "The logit of great white shark is 9 with the patch, 7 without." in page.page.locator("main").inner_text()


def test_a_patch_can_be_tried_without_a_page(visit: Visit, worker: FakeWorker):
    page = visit("#patch=", "trial")
    page.part("trial-photo").nth(1).click()
    page.part("trial-picture").wait_for()
    worker.busy = True
    page.part("trial-corner-1").check(force=True)
    page.part("trial-failure").wait_for()
    worker.busy = False
    page.part("trial-corner-2").check(force=True)
    page.part("trial-failure").wait_for(state="detached")
    forgive(page, "503")


def test_images_are_asked_for_by_cells(visit: Visit, worker: FakeWorker, spots: list[str]):
    page = visit(f"#query={LATE}", "query")
    page.settle()
    assert page.part("hit").count() == 0
    page.page.mouse.click(*page.point(5))
    page.wait_for_address(cells=spots[5])
    page.part("hit").first.wait_for()
    page.page.mouse.click(*page.point(9))
    page.wait_for_address(cells=f"{spots[5]},{spots[9]}")
    page.page.wait_for_selector(f"[data-testid=query][data-of='{LATE} {spots[5]},{spots[9]} 40']")
    hits = page.part("hit").all()
    assert [hit.get_attribute("data-index") for hit in hits] == ["3", "4", "0", "1", "2"]
    assert hits[0].inner_text().split() == [NAMES[3], "0.9"]
    picture, box = hits[0].locator("img").bounding_box(), hits[0].locator(".box").bounding_box()
    assert picture is not None
    assert box is not None
    assert box["width"] == pytest.approx(picture["width"] / 2, abs=2)
    assert box["y"] - picture["y"] == pytest.approx(picture["height"] / 2, abs=2)
    page.part("sought-cell").nth(1).locator("input").fill("-0.5")
    page.wait_for_address(cells=f"{spots[5]},{spots[9]}*-0.5")
    first, second = (tuple(int(part) for part in spots[i].split(".")) for i in (5, 9))
    wanted = {"atlas": LATE, "cells": ((*first, 1.0), (*second, -0.5)), "limit": 40}
    page.until(lambda: worker.asked[-1] == ("query", wanted), "a weight below zero")
    page.page.reload()
    page.part("hit").first.wait_for()
    assert worker.asked[-1] == ("query", wanted)
    page.part("query-clear").click()
    page.until(lambda: "cells" not in page.address, "an empty query")
    assert page.part("hit").count() == 0


def test_a_query_that_fails_is_told(visit: Visit, worker: FakeWorker, spots: list[str]):
    worker.broken = "the atlas's layer was never harvested; run 'pellucid harvest'"
    page = visit(f"#query={LATE}&cells={spots[5]}", "query-trouble")
    assert page.part("query-trouble").inner_text().startswith("The atlas's layer was never harvested")
    worker.broken = ""
    page.part("query-clear").click()
    page.until(lambda: "cells" not in page.address, "an empty query")
    page.settle()
    page.page.mouse.click(*page.point(5))
    page.part("hit").first.wait_for()
    forgive(page, "422")


def test_the_rooms_of_a_live_study_are_in_the_bar(visit: Visit):
    page = visit("#pages=", "pages")
    page.part("rooms-more").click()
    for key, part in (("paint", "paint"), ("query", "query"), ("patch", "patch-page")):
        page.part(f"room-{key}").click()
        page.part(part).wait_for()
        page.part("rooms-more").click()


@pytest.mark.parametrize("address", [f"#paint={LATE}", f"#query={LATE}", "#patch=&photo=1"])
def test_a_phone_has_room_for_them(address: str, visit: Visit):
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    page = visit(address, "trial" if "patch" in address else address[1:6], **phone)
    page.page.wait_for_timeout(300)
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.page.locator("main").first.evaluate("main => main.scrollWidth <= main.clientWidth + 1")
