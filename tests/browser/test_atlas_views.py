"""The views of an atlas in a real browser: streamed sheets, class filter, cards, paths, points, kinds, addresses."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page import AtlasPage
from PIL import Image
from serving import serve_app
from tiled_study import (
    CLASS_ATLAS,
    COMPARISON,
    FIREBOAT,
    LAYER,
    NEXT,
    STREETCAR,
    attribution,
    color,
    make_tiled_study,
)

from pellucid.web.app import make_app
from pellucid.web.page import STATIC
from studies import CLASSES

pytestmark = pytest.mark.browser

FINE = f"#atlas={LAYER}&x=0.125&y=0.125&zoom=4"  # the corner of the grid of 40, whose sheets are tiled


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (STATIC / "index.html").is_file():
        pytest.fail("the page is not built; run 'pip install -e .'", pytrace=False)
    return make_tiled_study(tmp_path_factory.mktemp("browser") / "study").path


def squares_asked(page: AtlasPage) -> set[str]:
    """The files of the tiled sheet that the page has asked for."""
    names: list[str] = page.page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    return {name.rsplit("/", 1)[1] for name in names if "/icons-40/" in name}


def refused(page: AtlasPage) -> None:
    """Forget what the browser itself reports of the refusals that a test made."""
    page.problems[:] = [problem for problem in page.problems if "404" not in problem]


def test_only_the_sheets_in_the_window_are_fetched(origin: str, open_page: Any):
    page: AtlasPage = open_page(origin, FINE)
    assert page.grid == 40
    width, height = (float(page.map.evaluate(f"map => map.client{side}")) for side in ("Width", "Height"))
    scale = 4 * (min(width, height) - 40)
    seen = [
        (0.125 - width / 2 / scale, 0.125 + width / 2 / scale),
        (0.125 - height / 2 / scale, 0.125 + height / 2 / scale),
    ]
    columns, rows = ({i for i in range(5) if i / 5 < high and (i + 1) / 5 > low} for low, high in seen)
    assert squares_asked(page) == {f"{row}-{column}.webp" for row in rows for column in columns}
    assert 1 <= len(squares_asked(page)) <= 9
    before = squares_asked(page)
    page.drag(-500, 0)
    assert squares_asked(page) > before


def test_a_coarser_level_fills_the_squares_that_are_still_to_come(server: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(server, f"#atlas={LAYER}&labels=off")
    held: list[Any] = []
    holding = True
    page.page.route("**/icons-40/*", lambda route: held.append(route) if holding else route.continue_())
    page.part("grid-40").check(force=True)
    page.until(lambda: len(held) >= 6, "the first requests")
    assert (page.grid, page.state("wanted"), page.state("settled")) == (4, "40", "false")
    first = next(route for route in held if route.request.url.endswith("/2-2.webp"))  # the nearest to the middle
    first.continue_()
    page.until(lambda: page.state("grid") == "40", "the finer level")
    assert page.state("settled") == "false"
    picture = study.parent / "beneath.png"

    def shows(x: float, y: float, wanted: tuple[int, int, int]) -> bool:
        page.part("level").hover()
        page.map.screenshot(path=picture)
        window, box = np.asarray(Image.open(picture).convert("RGB"), int), page.map.bounding_box()
        point: dict[str, float] = page.page.evaluate("([x, y]) => window.pellucid.place(x, y)", [x, y])
        assert box is not None
        row, column = round(point["y"] - box["y"]), round(point["x"] - box["x"])
        shown = window[row - 6 : row + 7, column - 6 : column + 7].reshape(-1, 3).mean(0)
        return bool(np.abs(shown - wanted).max() < 16)

    # A square to come: the coarse cell's colour; the square that is there: that of its own cells.
    page.until(lambda: shows(0.13, 0.13, color(0, 0, 4)), "the coarse icon")
    page.until(lambda: shows(0.5, 0.5, color(20, 20, 40)), "the fine icon")
    holding = False
    for route in held:
        if route is not first:
            route.continue_()
    page.settle()
    assert page.state("tiles") == "25"
    assert shows(0.13, 0.13, color(5, 5, 40))


def test_a_missing_sheet_is_named_and_can_be_fetched_again(server: str, open_page: Any):
    page: AtlasPage = open_page(server, load=False)
    page.page.route("**/icons-40/0-0.webp", lambda route: route.fulfill(status=404, body="gone"))
    page.open(FINE)
    assert "icons-40/0-0.webp could not be read: the server answered 404" in page.part("level").inner_text()
    assert page.hover_cell(page.reachable()[0]).grid == 40  # all else goes on
    page.page.unroute("**/icons-40/0-0.webp")
    page.part("level").get_by_role("button", name="Try again").click()
    page.part("level").get_by_text("Grid 40 × 40").wait_for()
    page.settle()
    refused(page)


def opacities(page: AtlasPage) -> np.ndarray:
    return np.array(page.page.evaluate("Array.from({ length: pellucid.cells() }, (_, i) => pellucid.opacity(i))"))


def expected(label: int, grid: int, sign: int = 1, strength: float = 1) -> np.ndarray:
    said = attribution(label, grid).astype(float)
    return np.clip(sign * strength * said / np.abs(said).max(), 0, 1)


def test_cells_are_as_opaque_as_they_speak_for_a_class(origin: str, open_page: Any):
    page: AtlasPage = open_page(origin, f"#atlas={LAYER}")
    assert np.all(opacities(page) == 1)
    page.part("find").fill("boat")
    page.part(f"class-{FIREBOAT}").click()
    page.settle()
    assert page.part("find").input_value() == ""
    assert page.part("weighing").locator("b").inner_text() == "fireboat"
    np.testing.assert_allclose(opacities(page), expected(FIREBOAT, 4), atol=0.003)
    page.part("sign-minus").check(force=True)
    page.settle()
    np.testing.assert_allclose(opacities(page), expected(FIREBOAT, 4, -1), atol=0.003)
    page.part("strength").fill("2")
    page.settle()
    np.testing.assert_allclose(opacities(page), expected(FIREBOAT, 4, -1, 2), atol=0.003)
    page.wait_for_address(**{"class": str(FIREBOAT), "sign": "minus", "strength": "2"})
    page.page.reload()
    page.settle()
    np.testing.assert_allclose(opacities(page), expected(FIREBOAT, 4, -1, 2), atol=0.003)
    page.choose_grid(40)
    np.testing.assert_allclose(opacities(page), expected(FIREBOAT, 40, -1, 2), atol=0.003)
    page.part("weighing-close").click()
    assert np.all(opacities(page) == 1)
    page.until(lambda: "class" not in page.address, "the address without a class")


def test_two_classes_light_up_different_places(server: str, open_page: Any):
    page: AtlasPage = open_page(server, f"#atlas={LAYER}&level=40")
    brightest = []
    for words, label in (("fireb", FIREBOAT), ("tram", STREETCAR)):
        page.part("find").fill(words)
        page.part("find").press("Enter")  # the keyboard takes the first
        page.settle()
        assert page.part("weighing").get_attribute("data-class") == str(label)
        brightest.append(int(opacities(page).argmax()))
    assert brightest == [int(attribution(label, 40).argmax()) for label in (FIREBOAT, STREETCAR)]
    page.part("table-open").click()
    table = page.part("table")
    assert int(table.locator("tbody tr").first.get_attribute("data-cell") or -1) == brightest[1]
    assert "those first that speak most for it" in table.locator("caption").inner_text()


def test_damaged_attributions_are_named(server: str, open_page: Any):
    page: AtlasPage = open_page(server, load=False)
    page.page.route("**/classes-4/*.bin", lambda route: route.fulfill(body=b"1234567"))
    page.open(f"#atlas={LAYER}&class={FIREBOAT}")
    assert "is damaged: it is not as long as it should be" in page.part("weighing-failure").inner_text()
    assert np.all(opacities(page) == 1)


def test_the_card_tells_both_signs_and_how_far_they_scatter(origin: str, open_page: Any):
    page: AtlasPage = open_page(origin, f"#atlas={LAYER}")
    page.click_cell(5)
    page.part("card-numbers").wait_for()
    said = np.array([attribution(label, 4)[5] for label in range(len(CLASSES))], float)
    for name, order in (("card-class", np.argsort(-said)), ("card-against", np.argsort(said))):
        rows = page.part(name).all()
        assert [int(row.get_attribute("data-class") or -1) for row in rows] == list(order[:5])
        shown = [float(row.get_attribute("data-value") or 0) for row in rows]
        assert shown == pytest.approx(said[order[:5]], abs=1e-4)
        assert {row.get_attribute("data-deviation") for row in rows} == {"0.05"}
        assert "standard deviation 0.0500" in (rows[0].locator(".value").get_attribute("title") or "")
    assert page.part("card-numbers").inner_text().split() == ["Spread", "cosine", "0.625", "Length", "41.50"]
    page.part("card-class").first.get_by_role("button").click()
    page.wait_for_address(**{"class": str(int(np.argmax(said)))})


def test_the_nearest_cells_and_those_of_the_next_layer_can_be_gone_to(server: str, open_page: Any):
    page: AtlasPage = open_page(server, f"#atlas={LAYER}")
    page.click_cell(5)  # row 1, column 1: the nearest lie in row 2
    near = page.part("card-near")
    near.first.wait_for()
    assert [int(button.get_attribute("data-cell") or -1) for button in near.all()] == [9, 10, 11]
    near.nth(1).click()
    page.settle()
    assert page.state("selected") == "10"
    assert page.card(10).pinned
    page.part("card-next").get_by_text("row 3, column 3").click()
    page.until(lambda: NEXT in page.page.title(), "the next layer")
    page.settle()
    page.wait_for_address(atlas=NEXT, cell="4.2.2")
    assert page.state("selected") == "10"


CORNERS = ((0.11, 0.21), (0.61, 0.21), (0.61, 0.91))


def test_a_path_shows_the_pictures_along_it(origin: str, open_page: Any):
    page: AtlasPage = open_page(origin, f"#atlas={LAYER}&level=40")
    page.part("path").click()
    for x, y in CORNERS:
        point: dict[str, float] = page.page.evaluate("([x, y]) => window.pellucid.place(x, y)", [x, y])
        page.page.mouse.click(point["x"], point["y"])
        page.page.wait_for_timeout(400)  # lest two clicks be a double click, which zooms
    page.part("path-done").click()
    assert page.state("selected") == ""
    stops = page.part("path-stop")
    assert stops.count() == 20
    whole, cells = 0.5 + 0.7, []
    for i in range(20):
        way = whole * i / 19
        x, y = (0.11 + way, 0.21) if way <= 0.5 else (0.61, 0.21 + way - 0.5)
        cells.append((math.floor(x * 40), math.floor(y * 40)))
    shown = [int(stop.get_attribute("data-cell") or -1) for stop in stops.all()]
    # The strip below makes the map smaller between two clicks, and a pixel may make the next cell the nearest.
    assert all(abs(i % 40 - x) <= 1 and abs(i // 40 - y) <= 1 for i, (x, y) in zip(shown, cells, strict=True))
    stops.nth(3).hover()
    page.page.wait_for_selector(f'[data-testid=map][data-hovered="{shown[3]}"]')
    page.until(lambda: page.address.get("path", "").count(";") == 2, "the path in the address")
    page.page.reload()
    page.settle()
    assert [int(stop.get_attribute("data-cell") or -1) for stop in page.part("path-stop").all()] == shown
    page.part("path-undo").click()
    page.part("path-clear").click()
    page.part("path-strip").wait_for(state="detached")
    page.until(lambda: "path" not in page.address, "the address without a path")


def test_a_path_can_be_drawn_by_keyboard(server: str, open_page: Any):
    page: AtlasPage = open_page(server, f"#atlas={LAYER}").press("Enter", "p", "ArrowRight", "p")
    assert page.part("path-stop").count() == 20
    assert page.part("path-strip").get_attribute("data-corners") == "2"


def test_points_and_patches_stand_in_for_the_icons(origin: str, open_page: Any):
    page: AtlasPage = open_page(origin, f"#atlas={LAYER}&labels=off")
    icons = page.map.screenshot()
    page.part("shows-patches").check(force=True)
    page.settle()
    patches = page.map.screenshot()
    page.wait_for_address(icons="patches")
    page.part("shows-points").check(force=True)
    page.settle()
    assert page.state("points") == "2000"
    assert len({icons, patches, page.map.screenshot()}) == 3
    assert page.hover_cell(6).cell == 6
    page.wait_for_address(icons="points")
    page.page.reload()
    page.settle()
    assert (page.state("shows"), page.state("points")) == ("points", "2000")
    page.part("atlas-select").select_option(NEXT)  # which has no points
    page.until(lambda: NEXT in page.page.title(), "the other atlas")
    page.settle()
    assert page.state("shows") == "icons"
    assert page.part("shows-points").count() == 0


def test_kinds_of_atlases_are_told_apart(origin: str, open_page: Any):
    page: AtlasPage = open_page(origin, f"#atlas={COMPARISON}")
    assert page.part("axis-left").inner_text() == "fireboat"
    assert page.part("axis-right").inner_text() == "streetcar"
    assert "−0.750" in page.part("axis").inner_text()
    assert "fireboat or streetcar" in page.page.title()
    groups = page.part("atlas-select").locator("optgroup")
    assert [group.get_attribute("label") for group in groups.all()] == ["Layers", "Classes", "Two classes"]
    page.part("atlas-select").select_option(CLASS_ATLAS)
    page.part("legend").get_by_role("heading", name="fireboat", exact=True).wait_for()
    assert page.part("axis").count() == 0
    assert "matter most to fireboat" in page.part("legend").inner_text()
    page.settle()


def test_an_address_brings_everything_back(origin: str, open_page: Any):
    address = (
        f"#atlas={LAYER}&x=0.4&y=0.6&zoom=3&level=40&cell=40.24.16&density=2&labels=off"
        f"&class={STREETCAR}&sign=minus&strength=1.5&icons=patches&path=0.3,0.5;0.5,0.7"
    )
    page: AtlasPage = open_page(origin, address)
    assert page.part("path-stop").count() == 20
    card, state = page.card(), [page.state(name) for name in ("x", "y", "zoom", "grid", "shows", "selected")]
    assert state == ["0.400000", "0.600000", "3.0000", "40", "patches", str(24 * 40 + 16)]
    page.wait_for_address(path="0.3,0.5;0.5,0.7", strength="1.5", icons="patches", sign="minus")
    assert page.page.url == f"{page.origin}{address}"
    shown = opacities(page)
    page.page.reload()
    page.settle()
    assert page.card() == card
    assert [page.state(name) for name in ("x", "y", "zoom", "grid", "shows", "selected")] == state
    np.testing.assert_allclose(opacities(page), shown)


@pytest.mark.parametrize(
    "more", ["class=999&sign=minus", "class=x&icons=circles", "path=9,9;a,b", "icons=points&strength=900"]
)
def test_what_makes_no_sense_in_an_address_is_left_out(server: str, open_page: Any, more: str):
    page: AtlasPage = open_page(server, f"#atlas={NEXT}&{more}")
    assert (page.state("shows"), page.part("weighing").count(), page.part("path-strip").count()) == ("icons", 0, 0)
    assert np.all(opacities(page) == 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "is damaged: it holds no JSON"),
        (b'{"grid": 4, "cells": [{"row": 0}]}', "is damaged: it is not a table of cells"),
        (b"null", "is damaged: it is not a table of cells"),
    ],
)
def test_a_damaged_table_is_named(server: str, open_page: Any, content: bytes, said: str):
    page: AtlasPage = open_page(server, load=False)
    page.page.route("**/level-4.json", lambda route: route.fulfill(body=content))
    page.page.goto(f"{server}#atlas={LAYER}")
    page.part("level").get_by_text(f"level-4.json {said}").wait_for()
    page.choose_grid(40)
    assert page.cells() == 1600


@pytest.mark.parametrize(
    "content", ["null", "[]", '{"levels": []}', '{"levels": [{}], "classes": []}', '{"levels": [{"icons": 3}]}']
)
def test_a_damaged_record_is_named(server: str, open_page: Any, content: str):
    page: AtlasPage = open_page(server, load=False)
    page.page.route("**/atlas.json", lambda route: route.fulfill(body=content))
    page.page.goto(f"{server}#atlas={LAYER}")
    page.part("notice").get_by_text("atlas.json").wait_for()


def test_a_newer_atlas_is_refused_by_name(server: str, open_page: Any):
    page: AtlasPage = open_page(server, load=False)
    page.page.route("**/atlas.json", lambda route: route.fulfill(body=json.dumps({"format": 99})))
    page.page.goto(f"{server}#atlas={LAYER}")
    page.part("notice").get_by_text("was written by a newer version of Pellucid").wait_for()


def test_a_large_atlas_sends_little_before_its_first_picture(tmp_path: Path, open_page: Any):
    """10,000 icons and 100,000 points: what the first picture costs, and what all of them hold in memory."""
    study = make_tiled_study(tmp_path / "study", levels=(10, 100), size=40, tile=10, points=100_000).path
    with serve_app(make_app(study)) as origin:
        page: AtlasPage = open_page(origin, f"#atlas={LAYER}&zoom=9&x=0.4&y=0.6&cell=100.60.40")
        assert page.grid == 100
        assert 500_000 < page.page.evaluate(BYTES) <= 3_000_000
        page.open(f"#atlas={LAYER}").choose_grid(100)
        assert page.cells() == 10_000
        assert page.state("tiles") == "100"
        # Drawn 7 pixels wide, the icons are kept 10 wide: what the screen can show, not what the files hold.
        assert page.page.evaluate("window.pellucid.pixels()") == 10_000 * 10**2
        page.part("shows-points").check(force=True)
        page.settle()
        assert page.state("points") == "100000"


BYTES = """() => {
    const first = performance.getEntriesByName('pellucid-first-picture')[0].startTime
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    const before = all.filter(({ responseStart }) => responseStart <= first)
    return before.reduce((sum, { transferSize }) => sum + transferSize, 0)
}"""
