"""The rooms that need no worker: pages of a study, one class in all layers, atlases side by side."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_pages import COLUMNS, EARLY, GRID, GUEST, LATE, SHARK, attribution, cells_of, make_pages_study, write_page
from page import AtlasPage
from PIL import Image
from playwright.sync_api import Locator
from serving import serve_app, serve_folder

from pellucid.study import Study
from pellucid.study.page_record import page_folder
from pellucid.web.app import make_app
from pellucid.web.export import export
from pellucid.web.page import STATIC
from studies import CLASSES, make_study

pytestmark = pytest.mark.browser
Visit = Callable[..., AtlasPage]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (STATIC / "index.html").is_file():
        pytest.fail("the page is not built; run 'pip install -e .'", pytrace=False)
    return make_pages_study(tmp_path_factory.mktemp("pages") / "study").path


@pytest.fixture
def visit(open_page: Any, server: str) -> Visit:
    """A function `visit(address, wait, **context)` that opens a room and waits for one of its parts."""

    def visit(address: str, wait: str, origin: str = "", **context: Any) -> AtlasPage:
        page: AtlasPage = open_page(origin or server, load=False, **context)
        page.page.goto(f"{page.origin}{address}")
        page.part(wait).first.wait_for()
        return page

    return visit


def middle(part: Locator, row: int, column: int, grid: int = GRID) -> tuple[float, float]:
    """Where a cell of a small map is in the window."""
    part.scroll_into_view_if_needed()
    box = part.bounding_box()
    assert box is not None
    return box["x"] + (column + 0.5) * box["width"] / grid, box["y"] + (row + 0.5) * box["height"] / grid


def pixels(part: Locator) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(part.screenshot())).convert("RGB")).astype(float)


def cell_of(picture: np.ndarray, row: int, column: int, grid: int = GRID) -> np.ndarray:
    """The pixels of a cell, without its edge."""
    pitch = picture.shape[0] / grid
    top, left, inset = row * pitch, column * pitch, pitch / 6
    return picture[int(top + inset) : int(top + pitch - inset), int(left + inset) : int(left + pitch - inset)]


def test_the_contents_lead_to_every_page(study: Path, visit: Visit):
    page = visit("#pages=", "pages")
    links = [link.get_attribute("href") for link in page.part("page-link").all()]
    assert links == [f"#{kind}=some-{kind}" for kind in ("image", "patch", "histogram", "networks")]
    for kind in ("image", "patch", "histogram", "networks"):
        page.page.evaluate("location.hash = '#pages='")
        page.part("pages").wait_for()
        page.page.locator(f"a[href='#{kind}=some-{kind}'][data-testid=page-link]").click()
        page.part(f"{kind}-page").wait_for()
        assert page.page.locator("h2").first.inner_text() == f"A page of {kind}"
        page.until(lambda kind=kind: page.page.title().startswith(f"A page of {kind}"), "the title")
    # Nothing is offered that only a worker could do.
    assert page.page.locator("a[href^='#paint'], a[href^='#query']").count() == 0
    page.part("rooms-more").click()
    page.part("room-networks").wait_for()
    assert page.part("room-paint").count() == 0


def test_pages_are_the_same_in_an_export(study: Path, tmp_path: Path, visit: Visit):
    export(study, tmp_path / "papers" / "study")
    with serve_folder(tmp_path) as origin:
        page = visit("#patch=some-patch", "patch-page", f"{origin}papers/study/")
        assert len(page.part("patch-row").all()) == 3
        assert "files that were exported have none" in page.part("trial-dead").inner_text()
        page.page.evaluate("location.hash = '#paint='")
        page.part("notice").wait_for()
        assert "“pellucid serve study --live”" in page.part("notice").inner_text()
        page.page.evaluate(f"location.hash = '#class={SHARK}'")
        page.page.wait_for_selector("[data-testid=class-page][data-layers='2']")


def test_a_page_that_is_missing_is_told_by_name_and_so_is_its_command(visit: Visit):
    page = visit("#patch=<b>none</b>", "notice")
    assert "no page “<b>none</b>” of this kind" in page.part("notice").inner_text()
    assert "“pellucid atlas patch”" in page.part("notice").inner_text()
    page.page.evaluate("location.hash = '#patch=some-patch'")
    page.part("patch-page").wait_for()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 99}, "newer"),
        ({"content": {"grid": "x"}}, "is damaged"),
        ({"content": {}}, "is damaged"),
    ],
)
def test_a_broken_page_says_so_and_the_others_stay(change: dict[str, Any], said: str, tmp_path: Path, open_page: Any):
    study = make_pages_study(tmp_path / "study")
    with serve_app(make_app(study.path)) as origin:
        page: AtlasPage = open_page(origin, load=False)
        page.page.goto(origin)
        page.part("map").wait_for()
        path = page_folder(study, "image", "some-image") / "page.json"
        record = {**json.loads(path.read_text()), **change}
        page.page.route("**/some-image/page.json", lambda route: route.fulfill(json=record))
        page.page.evaluate("location.hash = '#image=some-image'")
        page.part("notice").wait_for()
        assert said in page.part("notice").inner_text()
        page.page.wait_for_load_state("networkidle")
        page.page.evaluate("location.hash = '#networks=some-networks'")
        page.part("networks-own").wait_for()
        page.part("networks-other").wait_for()


def test_an_image_is_told_from_a_neuron_to_the_atlas(study: Path, visit: Visit):
    page = visit("#image=some-image", "image-atlas")
    assert len(page.part("image-neuron").all()) == 3
    assert page.part("image-pair").inner_text() == "17 and 42 together"
    assert len(page.part("image-group").all()) == 3
    # The strongest position until one is pointed at; a click keeps it, also through a reload.
    norms = [1 + (7 * i) % 12 for i in range(12)]
    assert page.part("image-card").get_attribute("data-position") == str(int(np.argmax(norms)))
    page.page.wait_for_selector("[data-testid=image-icons][data-drawn=true]")
    icons = page.part("image-icons")
    box = icons.bounding_box()
    assert box is not None
    x, y = box["x"] + 1.5 * box["width"] / COLUMNS, box["y"] + 0.5 * box["height"] / 3
    page.page.mouse.move(x, y)
    page.page.wait_for_selector("[data-testid=image-card][data-position='1']")
    page.page.mouse.click(x, y)
    page.wait_for_address(image="some-image", at="0.1")
    page.page.keyboard.press("ArrowDown")
    page.wait_for_address(at="1.1")
    page.part("image-class").select_option(str(SHARK))
    page.wait_for_address(label=str(SHARK))
    page.page.reload()
    page.page.wait_for_selector("[data-testid=image-card][data-kept='5']")
    assert page.part("image-photo").get_attribute("data-heated") == "true"
    says = [row.get_attribute("data-class") for row in page.part("image-says").locator("li").all()]
    assert says == [CLASSES[(5 + j) % len(CLASSES)] for j in range(5)]
    row, column = cells_of(Study.open(study), LATE)[5]
    page.part("image-cell").click()
    page.settle()
    page.wait_for_address(atlas=LATE, cell=f"{GRID}.{row}.{column}")


def test_the_icons_of_an_image_are_as_large_as_its_activations(visit: Visit):
    page = visit("#image=some-image", "image-icons")
    page.page.wait_for_selector("[data-testid=image-icons][data-drawn=true]")
    picture = pixels(page.part("image-icons").locator("canvas"))
    ground = picture[2, 2]
    height, width = picture.shape[0] / 3, picture.shape[1] / COLUMNS
    areas = []
    for i in range(12):
        row, column = divmod(i, COLUMNS)
        part = picture[int(row * height) : int((row + 1) * height), int(column * width) : int((column + 1) * width)]
        areas.append(float((np.abs(part - ground).sum(2) > 40).mean()))
    norms = np.array([1 + (7 * i) % 12 for i in range(12)])
    framed = int(np.argmax(norms))
    plain = [i for i in range(12) if i != framed]
    assert np.corrcoef(np.array(areas)[plain], norms[plain])[0, 1] > 0.99
    assert np.allclose(np.array(areas)[plain], norms[plain] / norms.max(), atol=0.06)


def test_patches_are_tabled_by_the_setting_that_is_chosen(visit: Visit):
    page = visit("#patch=some-patch", "patch-table")

    def rows() -> list[tuple[str, float]]:
        return [
            (str(row.get_attribute("data-patch")), float(row.get_attribute("data-rate") or ""))
            for row in page.part("patch-row").all()
        ]

    assert rows() == [("ball-02", 31 / 40), ("ball-01", 24 / 40), ("noise", 6 / 40)]
    assert "make drawn_network say great white shark?" in page.part("patch-about").inner_text()
    overall = page.part("patch-overall").inner_text()
    assert "70 %" in overall
    assert "+2.5" in overall
    assert "+1.75 to +3.25; p < 0.001" in overall
    assert page.part("patch-null").count() == 0
    assert page.part("patch-controls").locator("tbody tr").all_inner_texts()[1].split("\t") == [
        "grey",
        "10 %",
        "+2.25",
        "+1.25 to +3.25",
        "0.03",
    ]
    page.part("mode-consistent").check(force=True)
    page.wait_for_address(mode="consistent")
    assert rows() == [("ball-02", 26 / 40), ("ball-01", 21 / 40), ("noise", 3 / 40)]
    page.part("mode-fixed").check(force=True)
    page.part("patch-size-0.2").check(force=True)
    page.part("patch-corner-3").check(force=True)
    page.wait_for_address(size="0.2", corner="3")
    expected = [("ball-02", 18 / 40), ("ball-01", 13 / 40), ("noise", 3 / 40)]
    assert rows() == expected
    page.page.reload()
    page.part("patch-table").wait_for()
    assert rows() == expected
    example = page.part("patch-example").first
    assert example.locator("figure").nth(1).locator("li").first.get_attribute("data-class") == CLASSES[SHARK]


def test_patches_that_do_nothing_are_told_so(tmp_path: Path, open_page: Any):
    from drawn_pages import patch_content

    study = make_study(tmp_path / "study", levels=(4,))
    content = patch_content()
    content["overall"].update(difference=0.1, low=-0.3, high=0.5, p=0.6)
    write_page(study, "patch", "nothing", content)
    with serve_app(make_app(study.path)) as origin:
        page: AtlasPage = open_page(origin, load=False)
        page.page.goto(f"{origin}#patch=nothing")
        page.part("patch-null").wait_for()
        assert "do not lift great white shark more than the control does" in page.part("patch-null").inner_text()


def test_a_histogram_frames_the_cells_that_differ_and_names_them(study: Path, visit: Visit):
    page = visit("#histogram=some-histogram", "histogram-map")
    assert "They differ by more than chance (p < 0.001 over 2,000" in page.part("histogram-verdict").inner_text()
    spots = cells_of(Study.open(study), LATE)
    page.part("histogram-row").nth(2).wait_for()
    rows = [row.get_attribute("data-cell") for row in page.part("histogram-row").all()]
    assert rows == [f"{row}.{column}" for row, column in (spots[9], spots[3], spots[7])]
    # More in the second is red, more in the first blue, and only what is beyond chance is framed.
    picture = pixels(page.part("histogram-map"))
    more, less = (cell_of(picture, *spots[i]).mean((0, 1)) for i in (9, 10))
    assert more[0] - more[2] > less[0] - less[2]
    page.page.mouse.move(*middle(page.part("histogram-map"), *spots[9]))
    page.until(
        lambda: "8 % of the rest: 4 times more in the second" in page.part("histogram-cell").inner_text(), "the cell"
    )
    page.page.mouse.click(*middle(page.part("histogram-map"), *spots[9]))
    page.wait_for_address(cell=f"{spots[9][0]}.{spots[9][1]}")
    page.page.reload()
    page.page.wait_for_selector("[data-testid=histogram-map][data-selected='9']")
    page.part("histogram-map").focus()
    page.page.keyboard.press("ArrowRight")
    page.page.wait_for_selector("[data-testid=histogram-map]:not([data-selected='9'])")


def test_two_networks_point_at_each_others_matches(study: Path, visit: Visit):
    page = visit("#networks=some-networks", "networks-other")
    page.part("networks-own").wait_for()
    own, other = (cells_of(Study.open(study), name) for name in (LATE, GUEST))
    page.page.mouse.move(*middle(page.part("networks-own"), *own[4]))
    page.page.wait_for_selector(f"[data-testid=networks-other][data-lit='{len(other) - 5}']")
    assert "Matched with" in page.part("networks-cell").inner_text()
    page.page.mouse.click(*middle(page.part("networks-other"), *other[-1]))
    page.wait_for_address(of="other", cell=f"{other[-1][0]}.{other[-1][1]}")
    page.page.mouse.move(5, 5)
    page.page.wait_for_selector("[data-testid=networks-own][data-lit='0']")
    assert "Only this network has it." in page.part("networks-cell").inner_text()
    page.page.mouse.click(*middle(page.part("networks-own"), *own[0]))
    page.page.mouse.move(5, 5)
    page.until(lambda: "5 % in the other network (q = 0.01)" in page.part("networks-cell").inner_text(), "the region")
    page.page.evaluate(f"location.hash = '#networks=some-networks&of=other&cell={other[-1][0]}.{other[-1][1]}'")
    measures = page.part("networks-measures").inner_text()
    assert "null: low" in measures
    assert "0.62" in measures
    assert len(page.part("networks-only-own").locator("li").all()) == 2
    page.page.reload()
    page.page.wait_for_selector("[data-testid=networks-own][data-lit='0']")


def test_one_class_is_shown_in_all_layers(study: Path, visit: Visit):
    page = visit("#class=", "class-page")
    page.part("class-search").fill("white shark")
    page.part("class-search").press("Enter")
    page.wait_for_address(**{"class": str(SHARK)})
    page.page.wait_for_selector("[data-testid=class-page][data-layers='2']")
    assert page.page.locator("h2").inner_text() == "great white shark"
    for offset, atlas in enumerate((EARLY, LATE)):
        spots = cells_of(Study.open(study), atlas)
        values = attribution(SHARK, len(spots), offset)
        layer = page.page.locator(f"[data-testid=class-layer][data-atlas='{atlas}']")
        assert layer.get_attribute("data-strongest") == str(int(np.argmax(values)))
        picture = pixels(layer.get_by_test_id("class-map"))
        contrast = np.array([cell_of(picture, *spot).std((0, 1)).sum() for spot in spots])
        assert contrast[values > 0.7].min() > 2 * contrast[values < -0.2].max()
    page.part("class-sign-minus").check(force=True)
    page.wait_for_address(sign="minus")
    layer = page.page.locator(f"[data-testid=class-layer][data-atlas='{EARLY}']")
    page.until(
        lambda: (
            layer.get_attribute("data-strongest")
            == str(int(np.argmin(attribution(SHARK, len(cells_of(Study.open(study), EARLY)), 0))))
        ),
        "the strongest against",
    )
    page.part("class-side").click()
    page.part("side").wait_for()
    page.wait_for_address(side=f"{EARLY},{LATE}", sign="minus")
    page.page.go_back()
    page.part("class-page").wait_for()


def test_a_class_that_is_none_is_asked_again(visit: Visit):
    page = visit("#class=999", "class-page")
    page.page.get_by_text("The network has 16 classes, counted from 0; 999 is none of them.").wait_for()
    page.part("class-search").fill("whale or shark")
    page.part("class-search").press("Enter")
    page.page.get_by_text("No class, or more than one, is called so.").wait_for()
    assert page.part("class-search").get_attribute("aria-invalid") == "true"


def test_a_study_of_an_earlier_version_shows_a_class_as_far_as_it_is_known(tmp_path: Path, open_page: Any):
    study = make_study(tmp_path / "study", levels=(4,), names=(EARLY, LATE))
    with serve_app(make_app(study.path)) as origin:
        page: AtlasPage = open_page(origin, load=False)
        page.page.goto(f"{origin}#class={SHARK}")
        page.page.wait_for_selector("[data-testid=class-page][data-layers='2']")
        assert "Only the largest attributions" in page.part("class-layer").first.inner_text()


def test_a_click_in_a_layer_leads_to_its_cell(study: Path, visit: Visit):
    page = visit(f"#class={SHARK}", "class-layer")
    page.page.wait_for_selector("[data-testid=class-page][data-layers='2']")
    row, column = cells_of(Study.open(study), LATE)[11]
    maps = page.page.locator(f"[data-testid=class-map][data-atlas='{LATE}']")
    page.page.mouse.click(*middle(maps, row, column))
    page.settle()
    page.wait_for_address(atlas=LATE, cell=f"{GRID}.{row}.{column}")


def panes_settled(page: AtlasPage, count: int) -> None:
    page.page.wait_for_function(
        f"() => [...document.querySelectorAll('[data-testid=map][data-settled=true]')].length === {count}"
    )


def test_atlases_side_by_side_move_and_point_together(study: Path, visit: Visit):
    page = visit(f"#side={LATE},{GUEST}", "side")
    panes_settled(page, 2)
    assert "They share a plane" in page.part("side-said").inner_text()
    first, second = page.part("map").nth(0), page.part("map").nth(1)
    first.focus()
    page.page.keyboard.press("+")
    page.page.keyboard.press("ArrowRight")
    page.until(lambda: float(second.get_attribute("data-zoom") or 0) > 1.2, "the other map to follow")
    page.until(lambda: first.get_attribute("data-x") == second.get_attribute("data-x"), "the same place")
    page.until(lambda: float(page.address.get("zoom", 0)) > 1.2, "the address")
    box = first.bounding_box()
    assert box is not None
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - 60)

    def pointed() -> bool:
        cell = first.get_attribute("data-hovered")
        echo = page.part("side-pane").nth(1).get_attribute("data-echo")
        return bool(cell) and bool(echo)

    for dy in range(0, 240, 20):
        page.page.mouse.move(box["x"] + box["width"] / 2 + 90, box["y"] + 80 + dy)
        page.page.wait_for_timeout(60)
        if pointed():
            break
    assert pointed()
    assert page.part("side-pane").nth(0).get_attribute("data-echo") == ""
    view = (first.get_attribute("data-x"), first.get_attribute("data-zoom"))
    page.page.wait_for_timeout(400)
    page.page.reload()
    panes_settled(page, 2)
    again = page.part("map").nth(0)
    assert float(again.get_attribute("data-zoom") or 0) == pytest.approx(float(view[1] or 0), abs=0.01)
    assert float(again.get_attribute("data-x") or 0) == pytest.approx(float(view[0] or 0), abs=0.001)


def test_atlases_are_added_exchanged_and_taken_away(study: Path, visit: Visit):
    page = visit(f"#side={LATE}", "side")
    panes_settled(page, 1)
    page.part("side-add").select_option(EARLY)
    page.wait_for_address(side=f"{LATE},{EARLY}")
    panes_settled(page, 2)
    assert "They do not share a plane" in page.part("side-said").inner_text()
    page.page.get_by_label("Take blocks.4.2.bn2 away").click()
    page.wait_for_address(side=EARLY)
    panes_settled(page, 1)
    page.part("class-search").fill("lemon")
    page.part("class-search").press("Enter")
    page.wait_for_address(**{"class": str(CLASSES.index("lemon"))})
    page.part("side-all").click()
    page.until(lambda: "class" not in page.address, "no class")


def test_atlases_that_are_not_there_are_named(visit: Visit):
    page = visit("#side=none,other", "notice")
    assert "The study has no atlas “none”, “other”." in page.part("notice").inner_text()
    page.page.evaluate(f"location.hash = '#side={LATE},none'")
    page.part("side").wait_for()
    page.until(lambda: "no atlas “none”" in page.part("side-said").inner_text(), "the missing one")


@pytest.mark.parametrize(
    ("address", "wait"),
    [
        (f"#class={SHARK}", "class-map"),
        ("#image=some-image", "image-atlas"),
        ("#patch=some-patch", "patch-table"),
        ("#histogram=some-histogram", "histogram-map"),
        ("#networks=some-networks", "networks-other"),
        (f"#side={LATE},{GUEST}", "map"),
        ("#pages=", "page-link"),
    ],
)
def test_a_phone_needs_no_sideways_scrolling(address: str, wait: str, visit: Visit):
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    page = visit(address, wait, **phone)
    page.page.wait_for_timeout(200)
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    main = page.page.locator("main").first
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth + 1")
