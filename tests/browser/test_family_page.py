"""The page of curve detectors in a real browser, of a real search of the network whose units are known."""

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page import AtlasPage
from playwright.sync_api import Locator
from serving import serve_app
from typer.testing import CliRunner

from pellucid.cli.application import app
from pellucid.web.app import make_app
from pellucid.web.page import STATIC
from photographs import photograph_squares

pytestmark = pytest.mark.browser
FAMILY = "#curves=relu4:1"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def run(*arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with a search; two of the 24 units have examples, another one a rendered picture."""
    if not (STATIC / "index.html").is_file():
        pytest.fail("the page is not built; run 'pip install -e .'", pytrace=False)
    images = photograph_squares(tmp_path_factory.mktemp("images") / "squares", 8)
    root = str(tmp_path_factory.mktemp("curves") / "study")
    what = ("--layers", "relu3,relu4", "--orientations", "24", "--null", "permuted", "--no-natural")
    run("curves", "find", "handnet", "--images", str(images), *what, "--study", root)
    run("harvest", "handnet", "--images", str(images), "--layer", "relu4", "--covariance", "0", "--output", root)
    run("examples", root, "relu4:3,7", "--count", "2")
    run("render", "handnet", "relu4:5", "--study", root, "--steps", "2", "--size", "48")
    return Path(root)


@pytest.fixture
def visit(open_page: Any) -> Any:
    """A function `visit(origin, address, **context)` that opens the page and waits for what was found."""

    def visit(origin: str, address: str = FAMILY, **context: Any) -> AtlasPage:
        page: AtlasPage = open_page(origin, load=False, **context)
        page.page.goto(f"{origin}{address}")
        return arrived(page)

    return visit


def arrived(page: AtlasPage) -> AtlasPage:
    page.page.wait_for_selector(
        "[data-testid=family][data-ready=true], [data-testid=layer-table], [data-testid=missing-curves], "
        "[data-testid=notice]"
    )
    return page


def other(study: Path, folder: Path, change: Any) -> Path:
    """A study with what was found, changed, and nothing else."""
    (folder / "curves").mkdir(parents=True)
    shutil.copy(study / "study.json", folder / "study.json")
    record = json.loads((study / "curves" / "found.json").read_text())
    change(record)
    (folder / "curves" / "found.json").write_text(json.dumps(record))
    return folder


def name_of(page: AtlasPage, unit: int) -> Locator:
    return page.page.locator(f'[data-testid=radial-unit][data-unit="{unit}"]')


def row_of(page: AtlasPage, unit: int) -> Locator:
    return page.page.locator(f'[data-testid=unit-row][data-unit="{unit}"]')


def shown(page: AtlasPage) -> str:
    return page.part("family").get_attribute("data-shown") or ""


def highlighted(page: AtlasPage) -> list[str]:
    return page.page.locator(".curve.shown").evaluate_all("curves => curves.map((one) => one.dataset.curve)")


# All that was found


def test_all_layers_and_families_are_listed(origin: str, study: Path, visit: Any):
    page: AtlasPage = visit(origin, "#curves")
    record = json.loads((study / "curves" / "found.json").read_text())
    assert page.part("some-curves").inner_text() == "24 curve detectors among the 84 units of 2 layers."
    for row in record["layers"]:
        cells = page.page.locator(f'[data-testid=layer-table] [data-layer="{row["layer"]}"] td').all_inner_texts()
        kinds = [f"{row['mature']}", f"{row['mature_null']:g}", "–"]
        for kind in ("proto", "line", "double"):
            kinds += [f"{row[kind]}", f"{row[f'{kind}_null']:g}"]
        assert cells == [f"{row['units']}", *kinds]
    told = page.part("discoveries").locator("[data-kind=mature]").inner_text()
    most = 100 * record["discoveries"]["mature"]["most"]
    assert told.startswith("24 curve detectors; ")
    assert "in the network with permuted channels" in told
    assert f"at most {most:.3g}\u00a0% with 95\u00a0% confidence" in told
    families = page.part("family-link").evaluate_all("links => links.map((one) => one.dataset.family)")
    assert families == ["relu3:1", "relu4:1"]
    page.page.locator('[data-testid=family-link][data-family="relu4:1"]').click()
    arrived(page)
    page.wait_for_address(curves="relu4:1")
    page.part("all-families").click()
    page.page.wait_for_selector("[data-testid=layer-table]")
    page.part("room-units").click()
    page.wait_for_address(layer="relu4")
    page.part("room-curves").click()
    page.page.wait_for_selector("[data-testid=layer-table]")


# A family


def test_all_units_stand_in_the_plot_where_they_point(origin: str, study: Path, visit: Any):
    page: AtlasPage = visit(origin)
    record = json.loads((study / "curves" / "found.json").read_text())
    units = {row["unit"]: row for row in record["units"]}
    curves = page.page.locator("[data-testid=radial] .curve")
    assert curves.count() == page.part("radial-unit").count() == page.part("unit-row").count() == 24
    assert page.part("envelope").count() == 1
    plot = page.part("radial").bounding_box()
    assert plot is not None
    middle = plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2
    for unit in range(24):
        box = name_of(page, unit).locator("circle").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2 - middle[0], box["y"] + box["height"] / 2 - middle[1]
        argmax = units[f"relu4:{unit}"]["argmax"]
        # Clockwise from 3 o'clock; names of neighbours may make room for each other.
        assert abs((math.degrees(math.atan2(y, x)) - argmax + 180) % 360 - 180) < 5, unit
        path = page.page.locator(f'[data-curve="{unit}"] .line').get_attribute("d") or ""
        points = np.array([[float(number) for number in point.split()] for point in path[1:-1].split("L")])
        tuning = np.array(units[f"relu4:{unit}"]["tuning"])
        angles = 2 * np.pi * np.arange(24) / 24
        radius = 0.3 + tuning / tuning.max()
        np.testing.assert_allclose(points, np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1), atol=1e-3)
        cells = row_of(page, unit).locator("td").all_inner_texts()
        direction = f"{units[f'relu4:{unit}']['direction']:.1f}".removesuffix(".0")
        assert f"{'0' if direction == '360' else direction}°" in cells
        assert f"{units[f'relu4:{unit}']['R']:.2f}" in cells
        assert cells[-1] == "Not tested"
    order = page.part("unit-row").evaluate_all("rows => rows.map((row) => Number(row.dataset.unit))")
    assert order == list(range(24))


def test_the_pointer_brings_out_a_unit_and_a_click_keeps_it(server: str, visit: Any):
    page: AtlasPage = visit(server)
    assert shown(page) == ""
    assert page.part("detail").get_attribute("data-unit") == ""
    name_of(page, 6).hover()
    page.until(lambda: highlighted(page) == ["6"], "unit 6")
    assert page.part("detail").locator("h3").inner_text() == "Unit 6"
    plot = page.part("radial").bounding_box()
    assert plot is not None
    # On the curve itself: unit 12 points to the left.
    page.page.mouse.move(plot["x"] + plot["width"] * 0.25, plot["y"] + plot["height"] / 2)
    page.until(lambda: highlighted(page) == ["12"], "unit 12")
    page.page.mouse.click(plot["x"] + plot["width"] * 0.25, plot["y"] + plot["height"] / 2)
    page.wait_for_address(curves="relu4:1", pick="12")
    row_of(page, 3).hover()
    page.until(lambda: highlighted(page) == ["3"], "unit 3")
    page.part("family").locator("h2").hover()
    page.until(lambda: highlighted(page) == ["12"], "unit 12 again")
    assert page.part("preferred").get_attribute("data-direction") == "180"
    assert name_of(page, 12).get_attribute("aria-pressed") == "true"
    row_of(page, 12).get_by_test_id("highlight").click()
    page.until(lambda: page.part("family").get_attribute("data-chosen") == "", "no unit")


def test_the_address_brings_a_unit_back(origin: str, visit: Any):
    page: AtlasPage = visit(origin)
    name_of(page, 20).click()
    page.wait_for_address(pick="20")
    page.page.reload()
    arrived(page)
    page.until(lambda: highlighted(page) == ["20"], "unit 20")
    assert page.address == {"curves": "relu4:1", "pick": "20"}
    assert page.page.title() == "Family 1 of relu4 · handnet · Pellucid"
    page.part("family-select").select_option("relu3:1")
    page.wait_for_address(curves="relu3:1")
    page.until(lambda: shown(page) == "" and page.part("radial-unit").count() == 24, "the other family")
    assert "early curve detectors" in page.part("family-about").inner_text()
    page.page.go_back()
    page.until(lambda: shown(page) == "20", "the family before")


def test_the_keyboard_goes_round_the_circle(server: str, visit: Any):
    page: AtlasPage = visit(server)
    keyboard = page.page.keyboard
    assert page.page.evaluate("document.activeElement.dataset.testid") == "curves"  # so that the keys scroll it
    stops = page.page.locator("[data-testid=radial-unit][tabindex='0']")
    assert stops.count() == 1
    stops.focus()
    page.until(lambda: shown(page) == "0", "the first unit")
    for key, unit in (("ArrowRight", "1"), ("ArrowDown", "2"), ("ArrowLeft", "1"), ("Home", "0"), ("ArrowUp", "23")):
        keyboard.press(key)
        page.until(lambda unit=unit: highlighted(page) == [unit], f"unit {unit} after {key}")
    keyboard.press("Enter")
    page.wait_for_address(pick="23")
    keyboard.press("Home")
    page.until(lambda: shown(page) == "0", "the first unit")
    assert page.part("family").get_attribute("data-chosen") == "23"
    keyboard.press("Escape")
    page.until(lambda: page.part("family").get_attribute("data-chosen") == "", "no unit")
    keyboard.press("Tab")  # out of the plot, into the table
    page.until(lambda: page.page.evaluate("!document.activeElement.closest('svg')"), "something else")
    row_of(page, 7).get_by_test_id("unit-link").focus()
    page.until(lambda: highlighted(page) == ["7"], "unit 7")


def test_units_lead_to_their_pages_and_missing_pictures_say_how_to_make_them(origin: str, visit: Any):
    page: AtlasPage = visit(origin)
    linked = page.part("unit-link").evaluate_all("links => links.map((one) => one.getAttribute('href'))")
    assert linked == [f"#unit=relu4:{unit}" for unit in (3, 5, 7)]
    pictures = {
        kind: page.part(f"curve-{kind}").evaluate_all("all => all.map((one) => Number(one.dataset.unit))")
        for kind in ("rendered", "example")
    }
    assert pictures == {"rendered": [5], "example": [3, 7]}
    page.page.wait_for_selector("[data-testid=curve-example] canvas")
    commands = {kind: page.part(f"missing-{kind}").locator("code").inner_text() for kind in ("rendered", "examples")}
    assert commands["rendered"] == "pellucid render handnet relu4:0-4,6-23 --study study"
    assert commands["examples"] == "pellucid examples study relu4:0-2,4-6,8-23"
    assert page.part("missing-harvest").count() == 0
    row_of(page, 3).get_by_test_id("unit-link").click()
    page.page.wait_for_selector('[data-testid=unit][data-unit="relu4:3"][data-settled=true]')
    page.page.go_back()
    arrived(page)
    assert page.part("radial-unit").count() == 24


def test_a_layer_that_was_not_harvested_says_so(server: str, visit: Any):
    page: AtlasPage = visit(server, "#curves=relu3:1")
    harvest = page.part("missing-harvest").locator("code").inner_text()
    assert re.fullmatch(r"pellucid harvest handnet --images \S+ --layer relu3 --output study", harvest)
    assert page.part("unit-link").count() == 0


def test_wide_gaps_are_drawn_and_photographs_told(study: Path, tmp_path: Path, visit: Any):
    def change(record: dict[str, Any]) -> None:
        record["config"]["natural"] = True
        kept = [0, 6, 8]
        argmax = {row["unit"]: row["argmax"] for row in record["units"]}
        turned = [argmax[f"relu4:{unit}"] for unit in kept]
        gaps = [(b - a) % 360 for a, b in zip(turned, [*turned[1:], turned[0]], strict=True)]
        record["families"][1].update(
            units=kept,
            gaps=[{"before": a, "after": b, "degrees": gap} for a, b, gap in zip(kept, [6, 8, 0], gaps, strict=True)],
        )
        told = {0: (3.0, 0.01, True, ""), 6: (-22.7, 0.01, False, ""), 8: (None, None, False, "it fires at nothing")}
        for row in record["units"]:
            if row["unit"].startswith("relu4:") and int(row["unit"][6:]) in told:
                difference, chance, confirmed, note = told[int(row["unit"][6:])]
                row.update(natural_difference=difference, natural_chance=chance, confirmed=confirmed, note=note)

    with serve_app(make_app(other(study, tmp_path / "study", change))) as origin:
        page: AtlasPage = visit(origin)
        assert page.part("gap").count() == 1
        assert page.page.locator(".gap-name").text_content() == "240°"
        assert "240° between 8 and 0" in page.part("detail").inner_text()
        assert "1 of 3 confirmed" in page.part("detail").inner_text()
        last = [row_of(page, unit).locator("td").last.inner_text() for unit in (0, 6, 8)]
        assert last == ["Yes", "No: −23° is over 15°", "No: it fires at nothing"]


# Studies that have none


def test_a_network_without_curve_detectors_is_told_plainly(study: Path, tmp_path: Path, visit: Any):
    def change(record: dict[str, Any]) -> None:
        record["families"] = []
        for number, row in enumerate(record["units"]):
            row.update(kind="none", score=number / 1000, missed="R 0.5, not ≥ 0.85")
        for row in record["layers"]:
            row.update(mature=0, proto=0)
        for one in record["discoveries"].values():
            one.update(real=0, rate=None, most=None)

    with serve_app(make_app(other(study, tmp_path / "study", change))) as origin:
        page: AtlasPage = visit(origin, "")  # there is nothing else to open on
        assert "This network has no curve detectors: of the 84 units of 2 layers" in page.part("no-curves").inner_text()
        assert page.part("families").count() == 0
        record = json.loads((tmp_path / "study" / "curves" / "found.json").read_text())
        rows = page.part("unit-row").all_inner_texts()
        wanted = [row["unit"] for row in sorted(record["units"], key=lambda row: -row["score"])[:12]]
        assert [row.split()[0] for row in rows] == wanted
        assert "R 0.5, not ≥ 0.85" in rows[0]
        page = visit(origin, FAMILY)
        assert "relu4 has no family 1" in page.part("notice").inner_text()


def test_a_study_without_a_search_says_how_to_make_one(study: Path, tmp_path: Path, visit: Any):
    bare = other(study, tmp_path / "study", lambda record: None)
    shutil.rmtree(bare / "curves")
    shutil.copytree(study / "units", bare / "units")
    with serve_app(make_app(bare)) as origin:
        page: AtlasPage = visit(origin, "#curves")
        assert page.part("room-curves").count() == 0
        command = page.part("missing-curves").locator("code").inner_text()
        assert command == "pellucid curves find handnet --images IMAGES --study study"


# Screens


def test_a_phone_shows_all_of_it(server: str, visit: Any):
    for address in ("#curves", FAMILY, f"{FAMILY}&pick=5"):
        page: AtlasPage = visit(server, address, **PHONE)
        widths = page.part("curves").evaluate("main => [main.scrollWidth, main.clientWidth]")
        assert widths[0] <= widths[1], address
    name_of(page, 9).tap()
    page.until(lambda: highlighted(page) == ["9"], "unit 9")


def test_colours_follow_the_scheme(server: str, visit: Any):
    inks = {
        scheme: visit(server, color_scheme=scheme).part("envelope").evaluate("line => getComputedStyle(line).stroke")
        for scheme in ("light", "dark")
    }
    assert inks["light"] != inks["dark"]
