"""The atlas page in a real browser, served by the app and as a static export in a folder of some server."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page import AtlasPage, Card
from PIL import Image
from serving import serve_app

from pellucid.web.app import make_app
from pellucid.web.export import export
from pellucid.web.page import STATIC
from studies import COLUMNS, ICON, make_study

pytestmark = pytest.mark.browser

NAMES = ("blocks.4.2.bn2", "conv_head")
ATLAS = NAMES[0]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (STATIC / "index.html").is_file():
        pytest.fail("the page is not built; run 'pip install -e .'", pytrace=False)
    return make_study(tmp_path_factory.mktemp("browser") / "study", names=NAMES).path


def read(study: Path, grid: int, atlas: str = ATLAS) -> tuple[list[dict[str, Any]], list[str]]:
    """The cells of a level and the names of the classes, as they lie on disk."""
    folder = study / "atlas" / atlas
    table = json.loads((folder / f"level-{grid}.json").read_text())
    return table["cells"], json.loads((folder / "atlas.json").read_text())["classes"]


def expect(card: Card, study: Path, grid: int, cell: int, atlas: str = ATLAS) -> None:
    """The card says what the study says, in the text that people read."""
    cells, names = read(study, grid, atlas)
    record = cells[cell]
    first = names[record["labels"][0][0]]
    assert (card.cell, card.grid) == (cell, grid)
    assert card.title == first
    assert card.label == first.split(",")[0]
    assert card.count == f"Average of {record['count']:,} activations"
    assert card.stable is record["stable"]
    assert card.classes == tuple((label, value) for label, value in record["labels"])
    assert card.names == tuple(names[label].split(",")[0] for label, _ in record["labels"])
    shown = [float(value.replace("−", "-")) for value in card.values]
    assert shown == pytest.approx([value for _, value in record["labels"]], abs=0.006)
    assert card.photographs == tuple(record["patches"])


def test_it_opens_on_the_whole_map(origin: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(origin)
    assert (page.zoom, page.position) == (1, (0.5, 0.5))
    assert page.cells() == len(read(study, page.grid)[0]) == int(page.state("icons"))
    assert page.part("level").inner_text() == f"Grid {page.grid} × {page.grid}, {page.cells()} cells"
    assert page.part("legend").get_by_text("6,000 activations from 600 photographs").count() == 1
    assert page.colors() > 50
    assert ATLAS in page.page.title()


def test_hovering_tells_what_the_study_says(origin: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(origin)
    cells = page.reachable()
    assert len(cells) > 0.8 * page.cells()
    for cell in cells[:: math.ceil(len(cells) / 12)]:
        expect(page.hover_cell(cell), study, page.grid, cell)
    page.part("level").hover()
    page.part("legend").wait_for()


def test_zooming_exchanges_the_levels(origin: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(origin)
    grids = [page.grid]
    for _ in range(3):
        page.zoom_in()
        if page.grid != grids[-1]:
            grids.append(page.grid)
            width = float(page.map.evaluate("map => Math.min(map.clientWidth, map.clientHeight) - 40"))
            assert 48 <= page.zoom * width / page.grid <= 96
            cell = page.reachable()[-1]
            expect(page.hover_cell(cell), study, page.grid, cell)
    assert grids == [8, 16]
    page.home()
    assert (page.grid, page.zoom) == (8, 1)


def test_levels_are_fetched_when_they_are_wanted(server: str, open_page: Any):
    page: AtlasPage = open_page(server, load=False)
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
    page.open()
    assert "level-8.json" in asked
    assert not {"level-16.json", "icons-16.png", "patches-8.png"} & {*asked}
    page.hover_cell(page.reachable()[0])
    assert "patches-8.png" in asked
    page.choose_grid(16)
    assert {"level-16.json", "icons-16.png"} <= {*asked}
    data = [name for name in asked if name.endswith((".png", ".json"))]
    assert sorted(data) == sorted({*data})


def test_the_coarser_level_stays_while_the_finer_one_loads(server: str, open_page: Any):
    page: AtlasPage = open_page(server)
    held: list[Any] = []
    page.page.route("**/icons-16.png", lambda route: held.append(route))
    page.part("grid-16").check(force=True)
    page.page.get_by_text("Loading grid 16").wait_for()
    assert (page.grid, page.state("wanted"), page.state("settled")) == (8, "16", "false")
    assert page.colors() > 50
    assert page.hover_cell(page.reachable()[3]).grid == 8
    page.until(lambda: len(held) == 1, "the request for the sheet")
    held[0].continue_()
    page.settle()
    assert page.grid == 16


def test_a_level_that_cannot_be_loaded_says_so_and_can_be_tried_again(server: str, open_page: Any):
    page: AtlasPage = open_page(server)
    page.page.route("**/level-16.json", lambda route: route.fulfill(status=404, body="gone"))
    page.part("grid-16").check(force=True)
    page.page.get_by_text("level-16.json could not be read: the server answered 404").wait_for()
    assert page.grid == 8
    page.page.unroute("**/level-16.json")
    page.part("level").get_by_role("button", name="Try again").click()
    page.settle()
    assert page.grid == 16
    # The browser itself reports the refusal that this test made.
    page.problems[:] = [problem for problem in page.problems if "404" not in problem]


def test_wheel_and_drag_move_the_map(server: str, open_page: Any):
    page: AtlasPage = open_page(server).wheel(3)
    assert page.zoom > 1.2
    x, y = page.position
    page.drag(-120, -60)
    scale = page.zoom * float(page.map.evaluate("map => Math.min(map.clientWidth, map.clientHeight) - 40"))
    assert page.position == pytest.approx((x + 120 / scale, y + 60 / scale), abs=0.01)
    for _ in range(6):
        page.drag(600, 0)
    assert page.position[0] == 0
    page.wheel(-60)
    assert page.zoom == 1


def test_a_drag_selects_nothing_and_a_click_does(server: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(server).zoom_in().drag(40, 30)
    assert page.state("selected") == ""
    cell = page.reachable()[5]
    card = page.click_cell(cell)
    expect(card, study, page.grid, cell)
    page.page.mouse.move(2, 2)  # off the map: the selected cell's card stays
    assert page.card(cell).pinned
    page.part("card-close").click()
    page.part("legend").wait_for()
    assert page.state("selected") == ""


def test_motion_also_comes_to_rest_where_it_should(server: str, open_page: Any):
    page: AtlasPage = open_page(server, reduced_motion="no-preference").zoom_in().zoom_in()
    assert page.zoom == pytest.approx(2)
    assert page.grid == 16
    page.home()
    assert (page.zoom, page.position) == (1, (0.5, 0.5))


def test_the_keyboard_reaches_everything(origin: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(origin).press("+", "=", "ArrowRight", "ArrowDown")
    assert page.zoom == pytest.approx(2)
    assert page.position[0] > 0.6 < page.position[1]
    page.press("ArrowLeft", "ArrowUp", "-", "-")
    assert page.zoom == pytest.approx(1)
    page.press("Home", "Enter")
    first = int(page.state("selected"))
    expect(page.card(first), study, page.grid, first)
    cells, names = read(study, page.grid)
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        before = cells[int(page.state("selected"))]
        page.press(key)
        cell = int(page.state("selected"))
        after = cells[cell]
        expect(page.card(cell), study, page.grid, cell)
        axis, sign = ("column", 1) if key in ("ArrowLeft", "ArrowRight") else ("row", 1)
        sign = -1 if key in ("ArrowLeft", "ArrowUp") else 1
        assert sign * (after[axis] - before[axis]) > 0
    spoken = page.part("card-live")
    assert spoken.get_attribute("aria-live") == "polite"
    short = names[after["labels"][0][0]].split(",")[0]
    unstable = "" if after["stable"] else ", label unstable"
    assert spoken.inner_text() == (
        f"{short}{unstable}. Average of {after['count']:,} activations. "
        f"Row {after['row'] + 1}, column {after['column'] + 1} of {page.grid}."
    )
    page.press("Escape")
    assert page.state("selected") == ""
    page.press("Shift+ArrowLeft")
    assert page.state("selected") != ""


def test_a_walk_keeps_its_cell_in_the_window(server: str, open_page: Any):
    page: AtlasPage = open_page(server).press("+", "+", "+", "Enter")
    for _ in range(6):
        page.press("ArrowLeft")
        assert int(page.state("selected")) in page.reachable()


def test_every_control_can_be_reached_by_tab_and_shows_it(server: str, open_page: Any):
    page: AtlasPage = open_page(server)
    reached = []
    for _ in range(14):
        page.page.keyboard.press("Tab")
        reached.append(page.page.evaluate("document.activeElement.dataset.testid"))
    expected = {"atlas-select", "grid-auto", "density", "labels-toggle", "find", "table-open", "map", "zoom-in", "home"}
    assert expected <= {*reached}
    page.map.focus()
    page.page.keyboard.press("Shift+Tab")
    page.page.keyboard.press("Tab")
    assert page.map.evaluate("map => getComputedStyle(map, '::after').borderTopStyle") == "solid"


def test_an_address_brings_back_the_same_view(origin: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(origin).zoom_in().drag(-90, 40)
    cell = page.reachable()[-1]
    page.click_cell(cell)
    place = read(study, page.grid)[0][cell]
    page.page.mouse.move(2, 2)
    page.wait_for_address(cell=f"{page.grid}.{place['row']}.{place['column']}", atlas=ATLAS, level="auto")
    card, url = page.card(cell), page.page.url

    again: AtlasPage = open_page(origin, url.removeprefix(origin))
    assert again.zoom == pytest.approx(page.zoom, abs=1e-3)
    assert again.position == pytest.approx(page.position, abs=1e-4)
    assert again.grid == page.grid
    assert again.card(cell) == card
    assert again.page.url == url


def test_an_address_holds_the_choices_too(server: str, study: Path, open_page: Any):
    address = "#atlas=conv_head&x=0.4&y=0.6&zoom=2&level=4&cell=16.3.8&density=4&labels=off&find=wok"
    page: AtlasPage = open_page(server, address)
    cells, _ = read(study, 16, "conv_head")
    cell = next(i for i, cell in enumerate(cells) if (cell["row"], cell["column"]) == (3, 8))
    expect(page.card(cell), study, 16, cell, "conv_head")
    assert (page.grid, page.position) == (4, (0.4, 0.6))
    assert page.part("grid-4").is_checked()
    assert not page.part("labels-toggle").is_checked()
    assert page.part("density-value").inner_text() == "4.0"
    assert page.part("find").input_value() == "wok"
    page.wait_for_address(atlas="conv_head", level="4", density="4", labels="off", find="wok", cell="16.3.8")


def test_a_changed_hash_is_followed(server: str, open_page: Any):
    page: AtlasPage = open_page(server, "#zoom=2&x=0.3&y=0.3&level=4")
    assert page.grid == 4
    page.page.evaluate("location.hash = '#atlas=conv_head&x=0.6&y=0.6&zoom=2.5'")
    page.until(lambda: page.position == (0.6, 0.6), "the new view")
    page.settle()
    assert page.grid == 16
    assert page.part("atlas-select").input_value() == "conv_head"


@pytest.mark.parametrize("address", ["#", "#x=y&zoom=-1&level=7&cell=a.b.c&density=no", "#atlas=gone&cell=16.99.1"])
def test_a_senseless_address_shows_the_whole_map(server: str, open_page: Any, address: str):
    page: AtlasPage = open_page(server, address)
    assert (page.zoom, page.position, page.grid) == (1, (0.5, 0.5), 8)


def test_the_layers_can_be_exchanged(origin: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(origin)
    page.part("atlas-select").select_option("conv_head")
    page.until(lambda: "conv_head" in page.page.title(), "the other atlas")
    page.settle()
    cell = page.reachable()[2]
    expect(page.hover_cell(cell), study, page.grid, cell, "conv_head")
    page.wait_for_address(atlas="conv_head")


def test_icons_stand_where_the_study_puts_them(server: str, study: Path, open_page: Any):
    """A large icon's corner shows the ground colour that its cell has on the sheet."""
    page: AtlasPage = open_page(server, "#density=8&labels=off&level=4")
    sheet = np.asarray(Image.open(study / "atlas" / ATLAS / "icons-4.png"), int)
    page.part("level").hover()
    picture = page.map.screenshot(path=study.parent / "map.png")
    assert picture
    window = np.asarray(Image.open(study.parent / "map.png").convert("RGB"), int)
    box = page.map.bounding_box()
    assert box is not None
    cells, _ = read(study, 4)
    compared = 0
    for i, cell in enumerate(cells):
        if i not in page.reachable() or cell["count"] * 8 * 16 < 6000:
            continue
        x, y = page.point(i)
        pitch = (box["height"] - 40) / 4
        left, top = round(x - box["x"] - 0.44 * pitch), round(y - box["y"] - 0.44 * pitch)
        corner = sheet[i // COLUMNS * ICON + 2, i % COLUMNS * ICON + 2]
        assert np.abs(window[top, left] - corner).max() <= 3, f"cell {i}"
        compared += 1
    assert compared >= 5


def test_density_and_names_change_the_map(server: str, open_page: Any):
    page: AtlasPage = open_page(server)
    before = page.map.screenshot()
    page.part("labels-toggle").uncheck()
    without = page.map.screenshot()
    assert without != before
    page.part("density").fill("-2")
    page.part("density-value").get_by_text("0.25").wait_for()
    page.settle()
    assert page.map.screenshot() != without
    page.wait_for_address(density="0.25", labels="off")


def test_a_class_can_be_found(server: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(server)
    page.part("find").fill("TINCA")
    cells, names = read(study, page.grid)
    tench = names.index("tench, Tinca tinca")
    expected = sorted(i for i, cell in enumerate(cells) if tench in [label for label, _ in cell["labels"]])
    said = f"Grid {page.grid} × {page.grid}, {len(expected)} of {len(cells)} cells with “TINCA”"
    assert page.part("level").inner_text() == said
    page.part("table-open").click()
    rows = page.part("table").locator("tbody tr")
    assert sorted(int(row.get_attribute("data-cell") or -1) for row in rows.all()) == expected
    assert "“TINCA”" in page.part("table").locator("caption").inner_text()


def test_the_table_lists_the_cells_and_selects_them(origin: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(origin)
    page.part("table-open").click()
    cells, names = read(study, page.grid)
    rows = page.part("table").locator("tbody tr")
    assert rows.count() == len(cells)
    fullest = max(range(len(cells)), key=lambda i: (cells[i]["count"], -i))
    texts = rows.first.locator("th, td").all_inner_texts()
    record = cells[fullest]
    assert texts[0].split("\n")[0].removesuffix("unstable").strip() == names[record["labels"][0][0]].split(",")[0]
    assert texts[2:] == [f"{record['count']:,}", str(record["row"] + 1), str(record["column"] + 1)]
    rows.first.get_by_role("button").click()
    page.part("table").wait_for(state="detached")
    expect(page.card(fullest), study, page.grid, fullest)


def test_names_of_classes_are_text_and_not_markup(server: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(server)
    cells, names = read(study, page.grid)
    bold = next(i for i, name in enumerate(names) if name.startswith("<b>"))
    cell = next(i for i in page.reachable() if bold in [label for label, _ in cells[i]["labels"]])
    card = page.hover_cell(cell)
    assert "<b>bold & brave</b>" in card.names
    assert page.page.locator("aside b").count() == 0


@pytest.mark.parametrize(("scheme", "bright"), [("light", True), ("dark", False)])
def test_light_and_dark_are_both_readable(server: str, open_page: Any, scheme: str, bright: bool):
    page: AtlasPage = open_page(server, color_scheme=scheme)
    page.click_cell(page.reachable()[4])
    for selector in ("[data-testid=card-label]", "[data-testid=card-count]", ".value", "[data-testid=level]", "h3"):
        ink, ground = (luminance(color) for color in page.page.evaluate(COLORS, selector))
        assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4.5, selector
        assert (ground > 0.5) is bright


COLORS = """selector => {
    const element = document.querySelector(selector)
    const rgb = (color) => color.match(/[\\d.]+/g).map(Number)
    for (let e = element; e; e = e.parentElement) {
        const ground = getComputedStyle(e).backgroundColor
        if (ground.startsWith('rgb(')) return [getComputedStyle(element).color, ground].map(rgb)
    }
    return [getComputedStyle(element).color, getComputedStyle(document.documentElement).backgroundColor].map(rgb)
}"""


def luminance(color: list[float]) -> float:
    """Relative luminance of sRGB as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in color[:3])]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_change_of_scheme_is_followed(server: str, open_page: Any):
    page: AtlasPage = open_page(server, color_scheme="light")
    light = page.map.screenshot()
    page.page.emulate_media(color_scheme="dark")
    page.until(lambda: page.map.screenshot() != light, "the dark map")


def test_a_phone_docks_the_card_below_the_map(origin: str, study: Path, open_page: Any):
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    page: AtlasPage = open_page(origin, **phone)
    assert page.grid == 4
    cell = page.reachable()[-1]
    expect(page.tap_cell(cell), study, 4, cell)
    page.settle()
    card, map_ = page.part("card").bounding_box(), page.map.bounding_box()
    assert card is not None
    assert map_ is not None
    assert card["y"] >= map_["y"] + map_["height"] - 1
    assert card["width"] == 390
    assert cell in page.reachable()
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    page.part("options").click()
    page.part("grid-8").check(force=True)
    page.part("options").click()
    page.settle()
    assert page.grid == 8
    page.part("card-close").click()
    page.part("card").wait_for(state="hidden")


def test_fingers_pinch(server: str, open_page: Any):
    page: AtlasPage = open_page(server, has_touch=True)
    fingers = page.page.context.new_cdp_session(page.page)

    def touch(kind: str, half: float) -> None:
        points = [{"x": 400 + side * half, "y": 400, "id": i} for i, side in enumerate((-1, 1))]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if half else []})

    touch("touchStart", 50)
    for half in range(60, 151, 10):
        touch("touchMove", half)
    touch("touchEnd", 0)
    page.settle()
    assert 1.8 < page.zoom < 3.5
    assert page.state("selected") == ""


def test_without_webgl_there_is_the_table(server: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(server, load=False)
    page.page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "  return /webgl/.test(kind) ? null : get.call(this, kind, ...rest) }"
    )
    page.page.goto(server)
    page.part("notice").get_by_text("The map needs WebGL 2").wait_for()
    rows = page.part("table").locator("tbody tr")
    rows.first.wait_for()
    assert rows.count() == len(read(study, 4)[0])
    rows.first.get_by_role("button").click()
    card = page.card()
    expect(card, study, 4, card.cell)


def test_a_study_without_an_atlas_says_so(tmp_path: Path, open_page: Any):
    with serve_app(make_app(make_study(tmp_path / "study", names=()).path)) as origin:
        page: AtlasPage = open_page(origin, load=False)
        page.page.goto(origin)
        page.part("notice").get_by_text("This study has no atlas yet").wait_for()


def test_a_page_on_disk_asks_for_a_server(study: Path, tmp_path: Path, open_page: Any):
    folder = export(study, tmp_path / "site")
    page: AtlasPage = open_page(folder.as_uri(), load=False)
    page.page.goto(f"{folder.as_uri()}/index.html")
    page.page.get_by_text("This page must come from a web server").wait_for()
    assert page.problems  # the browser says why: it refused the page its own files
    page.problems.clear()


def test_missing_data_are_named(site: str, open_page: Any):
    page: AtlasPage = open_page(site, load=False)
    page.page.route("**/atlas.json", lambda route: route.fulfill(status=404, body="gone"))
    page.page.goto(site)
    page.part("notice").get_by_text(
        re.compile(r"data/atlas/.*/atlas\.json could not be read: .* answered 404")
    ).wait_for()
    page.problems[:] = [problem for problem in page.problems if "404" not in problem]
