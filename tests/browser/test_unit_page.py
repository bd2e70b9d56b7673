"""The pages of units in a real browser, served by the app and as a static export in a folder of some server."""

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page import AtlasPage
from PIL import Image
from playwright.sync_api import Locator, Route
from serving import serve_app
from unit_study import BINS, LAYER, OTHER, ROWS, UNITS, colors, make_unit_study

from pellucid.web.app import make_app
from pellucid.web.page import STATIC
from studies import make_study

pytestmark = pytest.mark.browser
UNIT = f"#unit={LAYER}:379"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (STATIC / "index.html").is_file():
        pytest.fail("the page is not built; run 'pip install -e .'", pytrace=False)
    return make_unit_study(tmp_path_factory.mktemp("browser") / "study")


@pytest.fixture
def visit(open_page: Any) -> Any:
    """A function `visit(origin, address, **context)` that opens a room of the page and waits until it is there."""

    def visit(origin: str, address: str = UNIT, **context: Any) -> AtlasPage:
        page: AtlasPage = open_page(origin, load=False, **context)
        page.page.goto(f"{origin}{address}")
        return arrived(page)

    return visit


def arrived(page: AtlasPage, unit: int | None = None) -> AtlasPage:
    """Wait until a list, the page of a unit (a certain one, if told) with its pictures, or a notice is shown."""
    which = "" if unit is None else f'[data-unit="{LAYER}:{unit}"]'
    done = f"[data-testid=unit][data-settled=true]{which}:not(:has([data-testid=example] .picture:empty))"
    page.page.wait_for_selector(done if unit is not None else f"{done}, [data-testid=unit-tile], [data-testid=notice]")
    return page


def content(study: Path, unit: int = 379) -> dict[str, Any]:
    """The page of a unit as it lies on disk."""
    return json.loads((study / "units" / LAYER / f"{unit}.json").read_text())


def tile(page: AtlasPage, row: str, index: int) -> Locator:
    return page.page.locator(f'[data-testid=example][data-row="{row}"][data-index="{index}"]')


def expect_picture(place: Locator, kind: str, number: int) -> None:
    """An element shows the four quarters of a picture, in their middles and out to the corners."""
    pixels = np.asarray(Image.open(BytesIO(place.screenshot())).convert("RGB"), int)
    height, width = pixels.shape[:2]
    for rows, columns in (((height // 4, -height // 4), (width // 4, -width // 4)), ((2, -3), (2, -3))):
        found = pixels[np.ix_(rows, columns)]
        assert np.abs(found - colors(kind, number)).max() <= 3, f"this is not picture {number} of {kind}"


def shown(text: str) -> float:
    """The number that a text writes."""
    return float(text.replace("−", "-").replace(",", "").removesuffix(" %"))


def tiles(page: AtlasPage) -> list[int]:
    return page.part("unit-tile").evaluate_all("tiles => tiles.map((tile) => Number(tile.dataset.unit))")


# The list


def test_a_study_without_an_atlas_opens_on_its_units(tmp_path: Path, visit: Any):
    with serve_app(make_app(make_unit_study(tmp_path / "study", atlases=()))) as origin:
        page: AtlasPage = visit(origin, "")
        assert page.part("units").get_attribute("data-layer") == OTHER
        assert page.part("rooms").count() == 0
        page.wait_for_address(layer=OTHER)


def test_the_rooms_are_those_that_the_study_has(server: str, tmp_path: Path, open_page: Any):
    with serve_app(make_app(make_study(tmp_path / "study").path)) as origin:
        assert open_page(origin).part("rooms").count() == 0
    page: AtlasPage = open_page(server)
    assert page.part("room-atlas").get_attribute("aria-current") == "page"
    page.zoom_in()
    page.wait_for_address(atlas=OTHER, zoom="1.414")
    page.part("room-units").click()
    arrived(page)
    assert page.part("units").get_attribute("data-layer") == OTHER  # the layer of the atlas
    page.part("layer-select").select_option(LAYER)
    page.wait_for_address(layer=LAYER)
    page.part("room-atlas").click()
    page.settle()
    assert page.zoom == pytest.approx(2**0.5, abs=1e-3)  # as it was left
    page.page.go_back()
    arrived(page)
    assert tiles(page) == sorted(UNITS)


def test_an_export_that_knows_nothing_of_units_shows_its_atlas(server: str, open_page: Any):
    page: AtlasPage = open_page(server, load=False)

    def earlier(route: Route) -> None:
        catalog = route.fetch().json()
        route.fulfill(json={key: catalog[key] for key in ("format", "study", "atlases")})

    page.page.route("**/catalog.json", earlier)
    page.open()
    assert page.cells() > 10
    assert page.part("rooms").count() == 0


def test_the_list_has_every_unit_with_its_numbers(origin: str, visit: Any):
    page: AtlasPage = visit(origin, f"#layer={LAYER}")
    assert page.part("units-count").inner_text() == f"{len(UNITS)} units of drawn_network"
    assert tiles(page) == sorted(UNITS)
    texts = {unit: page.page.locator(f'[data-unit="{unit}"]').inner_text().split() for unit in UNITS}
    assert texts[379] == ["379", "903.1", "10.8", "%"]
    assert texts[12] == ["12", "3.500", "0", "%"]
    assert texts[7] == ["7"]
    assert "Units of mixed3b" in page.page.title()


def test_the_list_shows_the_rendered_picture_or_the_strongest_example(server: str, study: Path, visit: Any):
    page: AtlasPage = visit(server, f"#layer={LAYER}")
    kinds = {7: "none", 12: "example", 37: "none", 378: "example", 379: "rendered"}  # that of 12 shows nothing of it
    for unit, kind in kinds.items():
        page.page.wait_for_selector(f'[data-unit="{unit}"] [data-kind={kind}]')
    for unit in (12, 378):
        picture = page.page.locator(f'[data-unit="{unit}"] .picture')
        expect_picture(picture, f"crop{unit}", content(study, unit)["examples"]["rows"][0]["examples"][0]["crop"])
    page.page.wait_for_function("() => [...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    expect_picture(page.page.locator('[data-unit="379"] .picture'), f"other seeds{LAYER}:3794", 0)


def test_the_list_can_be_sorted_and_the_address_keeps_it(server: str, visit: Any):
    page: AtlasPage = visit(server, f"#layer={LAYER}")
    orders = {"number": [7, 12, 37, 378, 379], "max": [379, 37, 378, 12, 7], "fires": [378, 379, 37, 12, 7]}
    for sort in ("max", "fires", "number"):
        page.part(f"sort-{sort}").check(force=True)
        assert tiles(page) == orders[sort]
    page.part("sort-max").check(force=True)
    page.part("reversed").check()
    assert tiles(page) == [12, 378, 37, 379, 7]
    page.wait_for_address(layer=LAYER, sort="max", order="reversed")
    again: AtlasPage = visit(server, page.page.url.removeprefix(server))
    assert tiles(again) == [12, 378, 37, 379, 7]
    assert again.part("reversed").is_checked()


def test_a_unit_is_found_by_its_number(server: str, visit: Any):
    page: AtlasPage = visit(server, f"#layer={LAYER}")
    page.part("find-unit").fill("37")
    assert tiles(page) == [37, 378, 379]
    assert page.part("units-count").inner_text() == "3 of 5 units begin with “37”"
    page.wait_for_address(find="37")
    page.part("find-unit").fill("x")
    assert tiles(page) == []
    page.part("find-unit").fill("378")
    page.page.keyboard.press("Enter")
    arrived(page, 378)
    page.wait_for_address(unit=f"{LAYER}:378")


def test_a_list_of_thousands_fetches_what_is_seen(server: str, study: Path, open_page: Any):
    page: AtlasPage = open_page(server, load=False)
    asked: list[int] = []
    first = content(study, 378)

    def listed(route: Route) -> None:
        units = [{"unit": unit, "max": unit / 7, "fires": 0.1, "pages": ["examples"]} for unit in range(1000, 3000)]
        route.fulfill(json={"format": 1, "network": "net", "layer": LAYER, "units": units})

    def paged(route: Route) -> None:
        asked.append(int(route.request.url.rsplit("/", 1)[1].removesuffix(".json")))
        route.fulfill(json={**first, "unit": asked[-1]})

    page.page.route(f"**/units/{LAYER}/index.json", listed)
    page.page.route(re.compile(r"/units/mixed3b/\d{4}\.json"), paged)
    page.page.goto(f"{server}#layer={LAYER}")
    page.page.wait_for_selector('[data-unit="1000"] canvas')
    assert len(tiles(page)) == 2000
    page.page.wait_for_timeout(500)
    assert 20 < len(asked) < 300
    assert max(asked) < 1300
    page.part("sort-max").check(force=True)
    page.page.wait_for_selector('[data-unit="2999"] canvas')
    assert len(asked) == len({*asked}) < 600
    expect_picture(
        page.page.locator('[data-unit="2999"] .picture'), "crop378", first["examples"]["rows"][0]["examples"][0]["crop"]
    )


def test_the_list_can_be_walked_and_is_found_again_where_it_was(server: str, visit: Any):
    page: AtlasPage = visit(server, f"#layer={LAYER}")
    page.page.locator('[data-unit="7"] a').focus()
    for key, unit in (("ArrowRight", 12), ("End", 379), ("ArrowLeft", 378), ("Home", 7), ("ArrowRight", 12)):
        page.page.keyboard.press(key)
        assert page.page.evaluate("document.activeElement.closest('li').dataset.unit") == str(unit)
    page.page.keyboard.press("Enter")
    arrived(page, 12)
    page.part("all-units").click()
    page.page.wait_for_function("() => document.activeElement.closest('li')?.dataset.unit === '12'")


# The page


def test_the_page_tells_the_examples_of_the_study(origin: str, study: Path, visit: Any):
    page: AtlasPage = visit(origin)
    assert page.part("unit-title").inner_text() == "379"
    assert page.part("seen").inner_text() == "11,760 positions of 60 photographs"
    assert page.page.title() == f"{LAYER}:379 · drawn_network · Pellucid"
    for row in content(study)["examples"]["rows"]:
        group = page.part(f"examples-{row['name']}")
        assert page.page.get_by_role("heading", name=ROWS[row["name"]][0], exact=True).is_visible()
        values = [shown(text) for text in group.locator(".value").all_inner_texts()]
        assert values == pytest.approx([one["value"] for one in row["examples"]], rel=5e-4)
        labels = [text.strip() for text in group.locator(".label").all_inner_texts()]
        assert labels == [one["label"].split(",")[0] for one in row["examples"]]
        for index in (0, len(row["examples"]) - 1):
            place = tile(page, row["name"], index)
            assert row["examples"][index]["image"] in (place.get_attribute("aria-label") or "")
            expect_picture(place.locator(".picture"), "crop379", row["examples"][index]["crop"])


def test_hovering_shows_the_photograph_with_the_field_outlined(origin: str, study: Path, visit: Any):
    page: AtlasPage = visit(origin)
    row = content(study)["examples"]["rows"][0]
    for index in (0, 4, 8):
        one = row["examples"][index]
        tile(page, "highest", index).hover()
        page.page.wait_for_selector(f"[data-testid=context-picture][data-index='{one['context']}'] canvas")
        assert shown(page.part("context-value").inner_text()) == pytest.approx(one["value"], rel=5e-4)
        assert page.part("context-image").inner_text() == one["image"]
        if one["label"]:
            assert page.part("context-label").get_attribute("title") == one["label"]
        picture, outline = (page.part(name).bounding_box() for name in ("context-picture", "outline"))
        assert picture is not None
        assert outline is not None
        found = [
            (outline["x"] - picture["x"]) / picture["width"],
            (outline["y"] - picture["y"]) / picture["height"],
            (outline["x"] + outline["width"] - picture["x"]) / picture["width"],
            (outline["y"] + outline["height"] - picture["y"]) / picture["height"],
        ]
        assert found == pytest.approx(one["outline"], abs=2 / picture["width"])
        # Without what lies over it, the picture is that of the sheet.
        page.page.evaluate("document.querySelector('.photograph svg').style.display = 'none'")
        expect_picture(page.part("context-picture"), "context379", one["context"])
        page.page.evaluate("document.querySelector('.photograph svg').style.display = ''")
    page.page.locator("#examples-title").hover()
    page.page.get_by_text("Point at an example").wait_for()


def test_the_outline_is_drawn_in_the_accent_colour(server: str, study: Path, visit: Any):
    page: AtlasPage = visit(server)
    tile(page, "highest", 2).hover()
    page.part("outline").wait_for()
    pixels = np.asarray(Image.open(BytesIO(page.part("context-picture").screenshot())).convert("RGB"), int)
    side = len(pixels)
    left, top, right, bottom = content(study)["examples"]["rows"][0]["examples"][2]["outline"]
    middle = ((left + right) / 2, (top + bottom) / 2)
    for x, y in ((left, middle[1]), (right, middle[1]), (middle[0], top), (middle[0], bottom)):
        row, column = round(y * side), round(x * side)
        near = pixels[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]  # the line is about three pixels wide
        assert np.abs(near - [0x9C, 0x3A, 0x1C]).max(-1).min() <= 3


def test_a_chosen_example_stays_and_is_in_the_address(server: str, study: Path, visit: Any):
    page: AtlasPage = visit(server)
    tile(page, "0.999", 1).click()
    page.page.locator("#examples-title").hover()
    page.wait_for_address(example="0.999.1")
    image = content(study)["examples"]["rows"][1]["examples"][1]["image"]
    assert page.part("context-image").inner_text() == image
    again: AtlasPage = visit(server, page.page.url.removeprefix(server))
    assert again.part("context-image").inner_text() == image
    assert again.part("context").get_attribute("data-pinned") == "true"
    again.part("context-close").click()
    again.page.get_by_text("Point at an example").wait_for()
    again.until(lambda: "example" not in again.address, "an address without an example")


def test_the_keyboard_reaches_everything(server: str, study: Path, visit: Any):
    page: AtlasPage = visit(server)
    press = page.page.keyboard.press
    focused = "(({ row, index }) => [row, index])(document.activeElement.dataset)"
    rows = content(study)["examples"]["rows"]
    for row in rows:
        for _ in range(12):
            press("Tab")
            if page.page.evaluate(focused) == [row["name"], "0"]:
                break
        else:
            raise AssertionError(f"Tab does not come to the row {row['name']}")
        assert page.part("context-image").inner_text() == row["examples"][0]["image"]
    press("ArrowRight")
    assert page.page.evaluate(focused) == ["lowest", "1"]
    assert page.part("unit").get_attribute("data-unit") == f"{LAYER}:379"  # the arrows belong to the tiles now
    assert page.part("context-image").inner_text() == rows[2]["examples"][1]["image"]
    press("Enter")
    page.wait_for_address(example="lowest.1")
    press("Escape")
    page.page.get_by_text("Point at an example").wait_for()
    press("ArrowLeft")
    arrived(page, 378)


def test_arrow_keys_and_buttons_go_through_the_units(server: str, visit: Any):
    page: AtlasPage = visit(server, f"#unit={LAYER}:12")
    page.page.keyboard.press("ArrowRight")
    arrived(page, 37)
    page.part("next").click()
    arrived(page, 378)
    page.page.keyboard.press("ArrowRight")
    arrived(page, 379)
    assert page.part("next").is_disabled()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowLeft")
    arrived(page, 378)
    page.part("previous").click()
    arrived(page, 37)
    page.wait_for_address(unit=f"{LAYER}:37")
    expected = f"{LAYER}:37 · drawn_network · Pellucid"
    page.until(lambda: page.page.title() == expected, "the title")


def test_the_distribution_says_what_the_study_says(origin: str, study: Path, visit: Any):
    page: AtlasPage = visit(origin)
    taps = content(study)["distribution"]["taps"]
    number = "[data-testid=numbers] tr[data-number='{}'] td"
    texts = lambda key: page.page.locator(number.format(key)).all_inner_texts()  # noqa: E731
    page.page.wait_for_selector("[data-testid=mean-excess] svg")
    assert texts("count") == [f"{taps['pre']['count']:,}", ""]
    assert texts("fires") == ["10.82 %", "10.76 % to 10.88 %"]
    assert texts("mean") == ["−473.8", "−568.5 to −379.0"]
    assert texts("p99.9") == ["312.5", ""]
    assert texts("gini") == texts("invalid") == []
    assert page.part("tail").inner_text() == (
        "Exponential tail from 25 to 400: scale 96.60 (95.00 to 98.50), R²\u00a00.999."
    )
    assert page.page.get_by_text("0 positions lie below the bars, 3 above.").is_visible()
    filled = np.flatnonzero(taps["pre"]["histogram"]["counts"])
    bars = page.part("histogram").locator("g[aria-label=rect] rect")
    assert bars.count() == filled[-1] - filled[0] + 1
    heights = [float(bar.get_attribute("height") or 0) for bar in bars.all()]
    counts = np.asarray(taps["pre"]["histogram"]["counts"])[filled[0] : filled[-1] + 1]
    assert np.asarray(heights) / max(heights) == pytest.approx(counts / counts.max(), abs=0.01)

    bars.nth(int(counts.argmax())).hover()
    page.part("histogram").get_by_text(f"{counts.max():,} positions").wait_for()

    page.part("tap-post").check(force=True)
    page.page.wait_for_selector("[data-testid=distribution][data-tap=post]")
    assert texts("mean") == ["10.50"]
    assert page.part("tail").inner_text() == "Too few positions for a tail."
    assert page.part("mean-excess").count() == 0
    # The zeros' bar would press all others flat: it is cut off, and says so.
    assert re.search(r"\d\d\.\d % in this bar", page.part("histogram").inner_text() or "")
    page.wait_for_address(tap="post")
    page.page.keyboard.press("ArrowLeft")  # on the switch, it is the switch's
    page.page.wait_for_selector("[data-testid=distribution][data-tap=pre]")
    assert page.part("unit").get_attribute("data-unit") == f"{LAYER}:379"


def test_the_fitted_tail_lies_on_the_density(server: str, study: Path, visit: Any):
    page: AtlasPage = visit(server)
    page.page.wait_for_selector("[data-testid=log-density] svg")
    lines = page.page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=log-density] g[aria-label=line] path')].map((path) => {
            const { x, y, width, height } = path.getBBox()
            return { stroke: path.closest('g').getAttribute('stroke'), x, y, width, height }
        })"""
    )
    density, fit = lines
    assert fit["stroke"] == "var(--accent)"
    # The right flank of the study's density is exponential, from its peak to the end: the fit has its slope.
    record = content(study)["distribution"]["taps"]["pre"]
    reach = record["density"]["x"][-1] - record["density"]["x"][2]
    per_pixel = reach / density["width"]
    assert fit["width"] * per_pixel == pytest.approx(375, rel=0.02)
    drop = max(value for value in record["density"]["log"] if value is not None) - record["density"]["log"][-1]
    assert fit["height"] / density["height"] == pytest.approx(375 / 96.6 / drop, rel=0.03)


def test_the_quilt_has_the_right_pictures_in_its_columns(origin: str, study: Path, visit: Any):
    page: AtlasPage = visit(origin)
    columns = content(study)["quilt"]["columns"]
    shown_columns = page.part("quilt-column")
    assert shown_columns.count() == len(columns)
    assert page.page.locator(".count").all_inner_texts() == ["100K", "10K", "1.01K", "107", "17"]
    edges = [shown(text) for text in page.page.locator("[data-testid=quilt] .edge span").all_inner_texts()]
    assert edges == pytest.approx([edge for edge in BINS if edge is not None], rel=5e-3)
    assert shown_columns.first.get_attribute("aria-label") == "below −200: 100,007 positions"
    assert shown_columns.last.get_attribute("aria-label") == "above 125.5: 17 positions"
    for number, column in enumerate(columns):
        assert shown_columns.nth(number).get_by_test_id("example").count() == len(column["examples"])
        for index, one in enumerate(column["examples"]):
            expect_picture(tile(page, f"quilt.{number}", index).locator(".picture"), "quilt379", one["crop"])
    place = tile(page, "quilt.3", 2)
    place.hover()
    one = columns[3]["examples"][2]
    assert shown(page.part("context-value").inner_text()) == pytest.approx(one["value"], rel=5e-4)
    assert page.part("context-image").inner_text() == one["image"]
    expect_picture(page.part("context-picture"), "quilt379", one["crop"])
    assert page.part("outline").count() == 0
    place.focus()
    for key, row, index in (("ArrowLeft", 1, 2), ("ArrowUp", 1, 1), ("ArrowRight", 3, 1), ("ArrowRight", 4, 1)):
        page.page.keyboard.press(key)  # over the column without examples
        assert page.page.evaluate("({ ...document.activeElement.dataset })")["row"] == f"quilt.{row}"
        assert page.page.evaluate("({ ...document.activeElement.dataset })")["index"] == str(index)


def test_the_rendered_pictures_stand_beside(origin: str, visit: Any):
    page: AtlasPage = visit(origin)
    page.page.wait_for_function("() => [...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    others = page.part("rendered-other")
    names = [other.get_attribute("title") for other in others.all()]
    assert names == [
        "Drives the unit up · other seeds, seed 4 · 1.500",
        "Drives the unit up · pictures, seed 0 · 1.500",
        "Drives the unit down · pictures, seed 0 · 2.500",
    ]
    expect_picture(page.part("rendered"), f"other seeds{LAYER}:3794", 0)
    others.nth(2).click()
    page.page.wait_for_function("() => [...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    expect_picture(page.part("rendered"), f"pictures-{LAYER}:3790", 0)
    assert page.page.get_by_text("Drives the unit down").is_visible()
    silent: AtlasPage = visit(origin, f"#unit={LAYER}:12")
    assert silent.page.get_by_text("No gradient came to it").is_visible()


def test_parts_that_are_not_there_say_how_to_make_them(server: str, visit: Any):
    page: AtlasPage = visit(server, f"#unit={LAYER}:7")
    for part in ("examples", "distribution", "quilt"):
        assert page.part(f"missing-{part}").locator("code").inner_text() == f"pellucid {part} study {LAYER}:7"
    command = page.part("missing-rendered").locator("code").inner_text()
    assert command == f"pellucid render drawn_network {LAYER}:7 --study study"
    whole: AtlasPage = visit(server)
    assert whole.page.locator("[data-testid^=missing-]").count() == 0


def test_a_unit_with_a_picture_alone_has_a_page(server: str, visit: Any):
    page: AtlasPage = visit(server, f"#unit={LAYER}:9")
    assert page.part("rendered").is_visible()
    assert page.part("missing-examples").is_visible()
    page.page.keyboard.press("ArrowRight")
    arrived(page, 12)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"#unit={LAYER}:4000", f"Neither a page nor a picture of unit 4000 of {LAYER} is in the study."),
        ("#unit=gone:3", "The study has no pages of units of layer gone."),
        ("#layer=gone", "The study has no pages of units of layer gone."),
    ],
)
def test_what_is_not_in_the_study_is_named(server: str, visit: Any, address: str, said: str):
    page: AtlasPage = visit(server, address)
    assert said in page.part("notice").inner_text()
    page.page.evaluate(f"location.hash = '{UNIT}'")
    arrived(page, 379)


@pytest.mark.parametrize(
    ("file", "answer", "said"),
    [
        ("379.json", {"status": 404, "body": "gone"}, "379.json could not be read: the server answered 404"),
        ("379.json", {"body": "{"}, "379.json is damaged: it holds no JSON"),
        ("379.json", {"json": {"format": 1, "unit": 379}}, "379.json is damaged: it is not the page of a unit"),
        ("379.json", {"json": {"format": 2}}, "379.json was written by a newer version of Pellucid than this page"),
        ("index.json", {"json": {"format": 2}}, "index.json was written by a newer version of Pellucid than this page"),
        ("index.json", {"json": []}, "index.json is damaged: it is not the list of a layer’s units"),
    ],
)
def test_what_cannot_be_read_is_named(server: str, open_page: Any, file: str, answer: dict[str, Any], said: str):
    page: AtlasPage = open_page(server, load=False)
    page.page.route(f"**/units/{LAYER}/{file}", lambda route: route.fulfill(**answer))
    page.page.goto(f"{server}{UNIT}")
    page.part("notice").get_by_text(said).wait_for()
    page.page.unroute(f"**/units/{LAYER}/{file}")
    page.page.evaluate(f"location.hash = '#unit={LAYER}:378'")
    arrived(page, 378)
    # The browser itself reports the refusal that this test made.
    page.problems[:] = [problem for problem in page.problems if "404" not in problem]


@pytest.mark.parametrize("broken", ["units/mixed3b/379-contexts.webp", "visualizations/pictures/gallery.json"])
def test_one_broken_file_leaves_the_rest(server: str, open_page: Any, broken: str):
    page: AtlasPage = open_page(server, load=False)
    page.page.route(f"**/{broken}", lambda route: route.fulfill(body="no such thing"))
    page.page.goto(f"{server}{UNIT}")
    page.page.get_by_text(f"data/{broken} is damaged").wait_for()
    expect_picture(
        tile(page, "highest", 0).locator(".picture"), "crop379", sum(count for _, count in ROWS.values()) - 1
    )
    assert page.part("quilt").is_visible()
    assert page.part("rendered").is_visible()


def test_a_changed_hash_is_followed(server: str, visit: Any):
    page: AtlasPage = visit(server)
    page.page.evaluate(f"location.hash = '#unit={LAYER}:378&tap=post&example=lowest.2'")
    arrived(page, 378)
    assert page.part("context").get_attribute("data-pinned") == "true"
    assert page.part("distribution").get_attribute("data-tap") == "post"
    page.page.go_back()
    arrived(page, 379)
    assert page.part("context").get_attribute("data-pinned") == "false"


def test_stepping_keeps_the_reader_where_he_is(server: str, visit: Any):
    page: AtlasPage = visit(server)
    scrolled = "document.querySelector('.parts').scrollTop"
    page.page.wait_for_selector("[data-testid=mean-excess] svg")
    page.page.evaluate(f"{scrolled} = 300")
    page.page.keyboard.press("ArrowLeft")
    arrived(page, 378)
    assert page.page.evaluate(scrolled) == pytest.approx(300, abs=2)


def test_labels_are_text_and_not_markup(server: str, visit: Any):
    page: AtlasPage = visit(server)
    tile(page, "highest", 3).hover()
    assert page.part("context-label").inner_text() == "<b>bold & brave</b>"
    assert page.page.locator(".tile b").count() == 0


@pytest.mark.parametrize(("scheme", "bright"), [("light", True), ("dark", False)])
def test_light_and_dark_are_both_readable(server: str, visit: Any, scheme: str, bright: bool):
    page: AtlasPage = visit(server, color_scheme=scheme)
    tile(page, "highest", 0).click()
    page.page.wait_for_selector("[data-testid=mean-excess] svg")
    texts = ("unit-title", "seen", "context-value", "context-image", "tail", "numbers")
    inks = [page.part(name).evaluate(COLORS) for name in texts]
    inks += [page.page.locator(name).first.evaluate(COLORS) for name in (".value", ".label", ".count", ".edge span")]
    inks += [page.part("histogram").locator("g[aria-label^='x-axis tick label']").evaluate(COLORS)]
    for ink, ground in inks:
        light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
        assert (luminance(ground) > 0.5) is bright


COLORS = """(element) => {
    const rgb = (color) => color.match(/[\\d.]+/g).map(Number)
    const style = getComputedStyle(element)
    const ink = rgb(element instanceof SVGElement ? style.fill : style.color)
    for (let e = element; e; e = e.parentElement) {
        const ground = getComputedStyle(e).backgroundColor
        if (ground.startsWith('rgb(')) return [ink, rgb(ground)]
    }
    return [ink, rgb(getComputedStyle(document.documentElement).backgroundColor)]
}"""


def luminance(color: list[float]) -> float:
    """Relative luminance of sRGB as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in color[:3])]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_phone_docks_the_example_below_the_page(server: str, study: Path, visit: Any):
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    page: AtlasPage = visit(server, **phone)
    assert not page.part("context").is_visible()
    tile(page, "highest", 1).tap()
    page.part("context-picture").wait_for()
    box = page.part("context").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == pytest.approx(780, abs=1)
    assert box["y"] > 780 / 2
    page.part("context-close").tap()
    page.part("context").wait_for(state="hidden")
    # Nothing but the quilt and the row of pictures is wider than the screen, and those scroll by themselves.
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.page.evaluate("document.querySelector('main').scrollWidth") == 390


def test_the_narrow_list_fits(server: str, visit: Any):
    page: AtlasPage = visit(server, f"#layer={LAYER}", viewport={"width": 390, "height": 780})
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.part("find-unit").is_visible()
    assert page.page.evaluate("document.querySelector('header.bar').scrollWidth") == 390


def test_the_map_is_not_fetched_for_a_unit(server: str, open_page: Any):
    page: AtlasPage = open_page(server, load=False)
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url.removeprefix(server)))
    page.page.goto(f"{server}{UNIT}")
    arrived(page, 379)
    assert not any("AtlasView" in url or url.startswith("data/atlas") for url in asked)
    data = [url for url in asked if url.startswith("data/")]
    assert sorted(data) == sorted({*data})
