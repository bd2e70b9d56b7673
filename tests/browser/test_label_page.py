"""Labelling in a real browser: what is clicked is what the study holds, whatever happens on the way."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page import AtlasPage
from playwright.sync_api import Route
from serving import serve_app, serve_folder
from typer.testing import CliRunner

from harvests import LAYER, harvested, photographs
from labelling import UNIT, folder_of, say
from pellucid.cli.curves import app
from pellucid.curves.labels import LABELS, cohen_kappa, prepare_labels
from pellucid.study import Study
from pellucid.study.label_answers import read_answers, standing
from pellucid.study.label_record import LabelKey, LabelledImage, LabelTask
from pellucid.web.app import make_app
from pellucid.web.export import export
from pellucid.web.page import STATIC

pytestmark = pytest.mark.browser
TASK = f"#label={LAYER}:{UNIT}"
EDGES = (-math.inf, -1.5, -0.5, 0.0, 0.5, math.inf)


@pytest.fixture(scope="module")
def harvest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (STATIC / "index.html").is_file():
        pytest.fail("the page is not built; run 'pip install -e .'", pytrace=False)
    folder = tmp_path_factory.mktemp("labels")
    harvested(folder / "study", photographs(folder / "images", 9))
    return folder / "study"


@pytest.fixture
def task(harvest: Path) -> LabelTask:
    """A task of twenty images without answers."""
    study = Study.open(harvest)
    answers = folder_of(study) / "answers"
    for path in answers.glob("*"):
        path.unlink()
    return prepare_labels(study, LAYER, UNIT, per_bin=4, columns=EDGES, size=48)


@pytest.fixture
def study(harvest: Path, task: LabelTask) -> Study:
    assert len(task.images) == 20
    return Study.open(harvest)


class Recorder:
    """Keeps what an app sends: method and path of each request, the headers, and the body."""

    def __init__(self, app: Any, sent: list[tuple[str, str, bytes]]):
        self.app, self.sent = app, sent

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        parts: list[bytes] = []

        async def recording(message: Any) -> None:
            parts.extend(b": ".join(header) + b"\n" for header in message.get("headers", ()))
            parts.append(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, recording)
        self.sent.append((scope.get("method", ""), scope.get("path", ""), b"".join(parts)))


@pytest.fixture(scope="module")
def sent() -> list[tuple[str, str, bytes]]:
    """Everything that the server has sent."""
    return []


@pytest.fixture(scope="module")
def server(harvest: Path, sent: list[tuple[str, str, bytes]]) -> Iterator[str]:
    app = make_app(harvest)
    app.add_middleware(Recorder, sent=sent)
    with serve_app(app) as origin:
        yield origin


@pytest.fixture
def visit(open_page: Any, server: str) -> Any:
    """A function `visit(rater, **context)` that opens the task as a rater, or before the name if that is empty."""

    def visit(rater: str = "", **context: Any) -> AtlasPage:
        page: AtlasPage = open_page(server, load=False, **context)
        page.page.goto(f"{server}{TASK}{f'&rater={rater}' if rater else ''}")
        page.page.wait_for_selector("[data-testid=label-start], [data-testid=labelling]")
        return page

    return visit


def shown(page: AtlasPage, done: int) -> str:
    """Wait until so many images are labelled and the next one is drawn; give its name."""
    page.page.wait_for_selector(f'[data-testid=labelling][data-done="{done}"][data-ready=true]')
    image = page.part("labelling").get_attribute("data-image")
    assert image
    assert (page.part("label-picture").get_attribute("src") or "").endswith(f"/pictures/{image}")
    return image


def kept(page: AtlasPage, done: int) -> None:
    """Wait until so many images are labelled and everything has arrived."""
    page.page.wait_for_selector(f'[data-testid=labelling][data-done="{done}"][data-waiting="0"]')


def held(study: Study, rater: str) -> dict[str, str | None]:
    """What the study holds of a rater."""
    return {image: one.label for image, one in standing(read_answers(folder_of(study), rater)).items()}


def press(page: AtlasPage, image: str, key: str, clicked: dict[str, str | None]) -> None:
    page.page.keyboard.press(key)
    clicked[image] = LABELS[int(key) - 1]


def test_twenty_images_are_labelled_by_two_people(study: Study, task: LabelTask, visit: Any, sent: list):
    sent.clear()
    first: dict[str, str | None] = {}
    page: AtlasPage = visit()
    page.part("label-name").fill("Ann")
    page.page.keyboard.press("Enter")
    seen = []
    for place in range(11):
        seen.append(shown(page, place))
        press(page, seen[-1], "1342"[place % 4], first)
    assert seen == list(task.order("ann")[:11])

    # The last two were wrong.
    shown(page, 11)
    page.page.keyboard.press("u")
    assert shown(page, 10) == seen[10]
    page.page.keyboard.press("Backspace")
    assert shown(page, 9) == seen[9]
    assert page.part("label-progress").inner_text() == "9 of 20"
    for image in seen[9:]:
        del first[image]
    kept(page, 9)
    assert held(study, "ann") == first

    # A reload in the middle goes on at the same image.
    page.wait_for_address(label=f"{LAYER}:{UNIT}", rater="ann")
    page.page.reload()
    assert shown(page, 9) == seen[9]
    assert page.part("label-last").inner_text() == f"last: {first[seen[8]]}"
    for place in range(9, 20):
        press(page, shown(page, place), "1" if place == 12 else "234"[place % 3], first)
    kept(page, 20)
    assert page.part("label-end").is_visible()
    told = {
        row.get_attribute("data-label"): row.locator(".count").inner_text() for row in page.part("label-count").all()
    }
    assert told == {label: str([*first.values()].count(label)) for label in LABELS}
    assert held(study, "ann") == first
    assert [*first] == list(task.order("ann"))

    # Somebody else sees the same images in another order, and nothing of what was said.
    page.part("label-change").click()
    assert page.part("label-resume").inner_text().split() == ["ann", "20", "of", "20"]
    page.part("label-name").fill("Bob B")
    page.part("label-begin").click()
    second: dict[str, str | None] = {}
    for place in range(20):
        image = shown(page, place)
        key = str(LABELS.index(str(first[image])) + 1)
        press(page, image, "3" if place % 4 == 0 else key, second)
    kept(page, 20)
    assert held(study, "bob b") == second
    assert [*second] == list(task.order("bob b")) != [*first]
    assert {*second} == {*first} == {*task.images}
    assert held(study, "ann") == first

    # The answers have the activations, which the browser was never told.
    known = LabelKey.read(folder_of(study)).by_image()
    for rater in ("ann", "bob b"):
        assert all(one.activation == known[one.image].activation for one in read_answers(folder_of(study), rater))
    refuse_activations(sent, known)
    kappa = cohen_kappa([str(first[image]) for image in task.images], [str(second[image]) for image in task.images])
    assert 0.2 < kappa < 0.95
    ended = CliRunner().invoke(
        app, ["labels", "--study", str(study.path), "--unit", f"{LAYER}:{UNIT}", "--resamples", "20"]
    )
    assert ended.exit_code == 0, ended.output
    assert re.search(rf"ann and bob b: 20 images, .* alike, Cohen's kappa {kappa:.3f}", ended.output)


def refuse_activations(sent: list[tuple[str, str, bytes]], known: dict[str, LabelledImage]) -> None:
    """Nothing that the server sent but the page itself names an activation, a photograph, or where it was."""
    ours = [one for one in sent if one[1].startswith(("/labels", "/data"))]
    assert len({path for _, path, _ in ours if "/pictures/" in path}) == 20
    assert len([path for method, path, _ in ours if method == "POST"]) == 11 + 2 + 11 + 20
    numbers = {f"{abs(one.activation):.5f}"[:5].encode() for one in known.values() if abs(one.activation) > 0.1}
    assert len(numbers) > 10
    for _, path, content in ours:
        assert b"activation" not in content, path
        if "/pictures/" not in path:  # in the bytes of a picture anything may stand by chance
            assert not [number for number in numbers if number in content], path
        assert not [one.photograph for one in known.values() if one.photograph.encode() in content], path


def test_no_answer_is_lost_while_the_server_does_not_answer(study: Study, visit: Any):
    page: AtlasPage = visit("ann")
    said: dict[str, str | None] = {}
    press(page, shown(page, 0), "2", said)
    kept(page, 1)
    page.page.route("**/answers", lambda route: route.abort())
    for place in (1, 2, 3):
        press(page, shown(page, place), "4", said)
    page.page.keyboard.press("u")
    shown(page, 3)
    said.popitem()
    page.part("label-trouble").wait_for()
    assert "The server does not answer. 4 answers wait in this browser" in page.part("label-trouble").inner_text()
    assert len(held(study, "ann")) == 1

    # Not even by a reload, and they arrive in their order.
    page.page.reload()
    image = shown(page, 3)
    assert page.part("labelling").get_attribute("data-waiting") == "4"
    page.page.unroute("**/answers")
    page.part("label-retry").click()
    kept(page, 3)
    page.part("label-trouble").wait_for(state="hidden")
    assert held(study, "ann") == said
    press(page, image, "1", said)
    kept(page, 4)
    assert held(study, "ann") == said
    assert page.page.evaluate("localStorage.length") == 0
    forgive(page, "ERR_FAILED", "ERR_ABORTED")


def test_an_answer_whose_acknowledgement_was_lost_counts_once(study: Study, visit: Any):
    page: AtlasPage = visit("ann")
    lost = []

    def lose(route: Route) -> None:
        route.fetch()
        lost.append(route.request.post_data)
        if len(lost) < 3:
            route.abort()
        else:
            route.fallback()

    page.page.route("**/answers", lose)
    image = shown(page, 0)
    page.page.keyboard.press("3")
    kept(page, 1)  # it tries by itself
    assert len({*lost}) == 1
    assert len(lost) == 3
    assert [(one.image, one.label) for one in read_answers(folder_of(study), "ann")] == [(image, "unrelated")]
    forgive(page, "ERR_FAILED")


def test_a_refused_answer_is_told_and_asked_for_again(study: Study, visit: Any):
    page: AtlasPage = visit("ann")
    image = shown(page, 0)
    page.page.route("**/answers", lambda route: route.fulfill(status=422, json={"detail": "no such thing"}))
    page.page.keyboard.press("1")
    page.part("label-refused").wait_for()
    assert page.part("label-refused").inner_text() == "The label “curve” was refused: no such thing."
    assert shown(page, 0) == image
    page.page.unroute("**/answers")
    page.page.keyboard.press("2")
    kept(page, 1)
    assert page.part("label-refused").count() == 0
    assert held(study, "ann") == {image: "imperfect"}
    forgive(page, "422")


def forgive(page: AtlasPage, *kinds: str) -> None:
    """Forget the errors that a test provoked."""
    provoked = [problem for problem in page.problems if any(kind in problem for kind in kinds)]
    assert provoked
    page.problems[:] = [problem for problem in page.problems if problem not in provoked]


def test_two_tabs_of_one_rater_agree_in_the_end(study: Study, task: LabelTask, visit: Any, open_page: Any):
    one: AtlasPage = visit("ann")
    two: AtlasPage = visit("ann")
    order = task.order("ann")
    assert shown(one, 0) == shown(two, 0) == order[0]
    one.page.keyboard.press("1")
    kept(one, 1)
    two.page.keyboard.press("2")  # of the same image: the last word holds
    kept(two, 1)
    for place in (1, 2, 3):
        shown(one, place)
        one.page.keyboard.press("3")
    kept(one, 4)
    assert shown(two, 1) == order[1]
    two.page.keyboard.press("4")  # and then it learns of the others
    assert shown(two, 4) == order[4]
    two.page.keyboard.press("1")
    kept(two, 5)
    labels = ["imperfect", "opposing", "unrelated", "unrelated", "curve"]
    assert held(study, "ann") == dict(zip(order, labels, strict=False))


def test_nobody_labels_what_they_have_not_seen(study: Study, task: LabelTask, visit: Any):
    page: AtlasPage = visit()
    waiting: list[Route] = []
    second = task.order("ann")[1]
    page.page.route(f"**/pictures/{second}", lambda route: waiting.append(route))
    page.part("label-name").fill("ann")
    page.page.keyboard.press("Enter")
    shown(page, 0)
    page.page.keyboard.press("1")
    page.page.wait_for_selector(f'[data-testid=labelling][data-image="{second}"][data-ready=false]')
    page.page.keyboard.press("2")
    page.part("label-curve").click(force=True)
    page.page.keyboard.press("5")
    page.page.keyboard.press("Control+1")
    kept(page, 1)
    assert len(held(study, "ann")) == 1
    for route in waiting:
        route.continue_()
    page.page.unroute(f"**/pictures/{second}")
    assert shown(page, 1) == second

    # A key that is held down is one answer.
    page.page.keyboard.down("2")
    for _ in range(5):
        page.page.keyboard.down("2")
    page.page.keyboard.up("2")
    shown(page, 2)
    kept(page, 2)
    assert [*held(study, "ann").values()] == ["curve", "imperfect"]


def test_a_picture_that_cannot_be_read_can_be_asked_for_again(study: Study, task: LabelTask, visit: Any):
    page: AtlasPage = visit()
    first = task.order("ann")[0]
    page.page.route(f"**/pictures/{first}", lambda route: route.abort())
    page.part("label-name").fill("ann")
    page.page.keyboard.press("Enter")
    page.part("label-again").wait_for()
    page.page.keyboard.press("1")
    assert page.part("labelling").get_attribute("data-done") == "0"
    page.page.unroute(f"**/pictures/{first}")
    page.part("label-again").click()
    assert shown(page, 0) == first
    forgive(page, "ERR_FAILED")


def test_names_that_are_none_are_told_before_anything_is_asked(study: Study, visit: Any):
    page: AtlasPage = visit()
    assert page.page.evaluate("document.activeElement.dataset.testid") == "label-name"
    for name in ("", "../../etc", "-", "a/b", "x" * 60):
        page.part("label-name").fill(name)
        page.page.keyboard.press("Enter")
        assert "A name has 1 to 40 letters" in page.page.get_by_role("alert").inner_text()
        assert page.part("label-name").get_attribute("aria-invalid") == "true"
    page.part("label-name").fill("  José  Maria ")
    page.page.keyboard.press("Enter")
    shown(page, 0)
    page.wait_for_address(rater="josé maria")
    page.page.keyboard.press("1")
    kept(page, 1)
    assert len(held(study, "josé maria")) == 1


def test_everything_is_reached_by_tab_and_told_to_screen_readers(study: Study, task: LabelTask, visit: Any):
    page: AtlasPage = visit("ann")
    image = shown(page, 0)
    assert page.part("label-told").inner_text() == "Picture 1 of 20."
    assert page.part("label-told").get_attribute("role") == "status"
    assert page.part("label-picture").get_attribute("alt") == "Picture 1 of 20"
    reached = []
    for _ in range(12):
        page.page.keyboard.press("Tab")
        reached.append(page.page.evaluate("document.activeElement.dataset.testid ?? ''"))
    names = ["label-change", *(f"label-{label}" for label in LABELS), "label-undo"]
    assert [name for name in reached if name in names][:6] == names
    page.part("label-opposing").focus()
    page.page.keyboard.press("Enter")
    shown(page, 1)
    assert page.part("label-told").inner_text() == "Labelled opposing. Picture 2 of 20."
    assert page.page.evaluate("document.activeElement.dataset.testid") == "label-opposing"  # the next one likewise
    kept(page, 1)
    assert held(study, "ann") == {image: "opposing"}
    rubric = {label.name: label.rubric for label in task.labels}
    for number, label in enumerate(LABELS, start=1):
        button = page.page.get_by_role("button", name=re.compile(rf"^{label} {re.escape(rubric[label])}"))
        assert button.get_attribute("aria-keyshortcuts") == str(number)
    page.part("label-undo").focus()
    page.page.keyboard.press("Space")
    assert shown(page, 0) == image


def test_all_done_is_told_and_can_be_undone(study: Study, task: LabelTask, visit: Any):
    order = task.order("ann")
    for image in order[:19]:
        say(study, "ann", image, "unrelated")
    page: AtlasPage = visit("ann")
    assert shown(page, 19) == order[19]
    page.page.keyboard.press("1")
    page.part("label-end").wait_for()
    assert page.page.evaluate("document.activeElement.textContent") == "All 20 pictures are labelled"
    assert page.part("label-told").inner_text() == "Labelled curve. All 20 pictures are labelled."
    page.page.keyboard.press("2")  # there is nothing to label
    page.page.keyboard.press("u")
    assert shown(page, 19) == order[19]
    page.page.keyboard.press("2")
    page.part("label-end").wait_for()
    kept(page, 20)
    assert held(study, "ann")[order[19]] == "imperfect"


def test_a_study_of_labels_alone_opens_on_them(study: Study, server: str, open_page: Any):
    page: AtlasPage = open_page(server, load=False)
    page.page.goto(server)
    page.part("label-start").wait_for()
    assert page.part("rooms").count() == 0
    assert page.page.title() == f"Labels of {LAYER}:{UNIT} · made_up · Pellucid"


def test_a_study_that_was_exported_says_that_it_keeps_no_answers(study: Study, tmp_path: Path, open_page: Any):
    export(study.path, tmp_path / "site")
    with serve_folder(tmp_path / "site") as origin:
        page: AtlasPage = open_page(origin, load=False)
        page.page.goto(f"{origin}{TASK}")
        page.part("notice").wait_for()
        said = page.part("notice").inner_text()
        assert "a study that was exported as files cannot keep answers" in said
        assert f"“pellucid curves label study {LAYER}:{UNIT}”" in said


def test_a_phone_has_the_picture_and_all_labels_on_its_screen(study: Study, visit: Any):
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    page: AtlasPage = visit("ann", **phone)
    image = shown(page, 0)
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    for name in ("label-picture", *(f"label-{label}" for label in LABELS), "label-undo"):
        box = page.part(name).bounding_box()
        assert box is not None
        assert 0 <= box["y"] < box["y"] + box["height"] <= 780
    page.part("label-imperfect").tap()
    kept(page, 1)
    assert held(study, "ann") == {image: "imperfect"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_labels_can_be_read_in_both_schemes(study: Study, visit: Any, scheme: str):
    page: AtlasPage = visit("ann", color_scheme=scheme)
    shown(page, 0)
    for name in (".name", ".rubric", ".progress", ".rater span"):
        ink, ground = page.page.locator(name).first.evaluate(COLORS)
        light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
        assert (luminance(ground) > 0.5) is (scheme == "light")


COLORS = """(element) => {
    const rgb = (color) => color.match(/[\\d.]+/g).map(Number)
    for (let e = element; e; e = e.parentElement) {
        const ground = getComputedStyle(e).backgroundColor
        if (ground.startsWith('rgb(')) return [rgb(getComputedStyle(element).color), rgb(ground)]
    }
}"""


def luminance(color: list[float]) -> float:
    """Relative luminance of sRGB as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in color[:3])]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
