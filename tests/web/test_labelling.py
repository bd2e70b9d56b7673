"""Labelling through the server: what it tells, what it keeps, and what it refuses."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from harvests import LAYER
from labelling import UNIT, folder_of, labelling, say
from pellucid.study import Study
from pellucid.study.label_answers import read_answers
from pellucid.study.label_record import LabelKey, LabelTask, picture_name
from pellucid.web.app import make_app
from pellucid.web.export import export

BASE = f"/labels/{LAYER}:{UNIT}"


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    return folder


@pytest.fixture
def made(tmp_path: Path) -> tuple[Study, LabelTask]:
    return labelling(tmp_path, images=5, per_bin=2)


@pytest.fixture
def study(made: tuple[Study, LabelTask]) -> Study:
    return made[0]


@pytest.fixture
def task(made: tuple[Study, LabelTask]) -> LabelTask:
    return made[1]


@pytest.fixture
def client(study: Study, static: Path) -> Iterator[TestClient]:
    with TestClient(make_app(study.path, static=static)) as client:
        yield client


def body(task: LabelTask, **changes: Any) -> dict[str, Any]:
    given = {"rater": "ann", "image": task.images[0], "label": "curve", "key": "key-000001", "client_time": 1.7e12}
    return {**given, **changes}


def test_the_task_is_told_and_kept_answers_count(client: TestClient, study: Study, task: LabelTask):
    told = client.get(BASE).json()
    assert told == {
        "format": 1,
        "layer": LAYER,
        "unit": UNIT,
        "labels": [{"name": label.name, "rubric": label.rubric} for label in task.labels],
        "count": len(task.images),
        "size": 32,
        "reference": False,
        "raters": [],
    }
    posted = client.post(f"{BASE}/answers", json=body(task))
    assert (posted.status_code, posted.json()) == (200, {"rater": "ann", "answered": 1})
    assert client.get(BASE).json()["raters"] == [{"name": "ann", "answered": 1}]
    (kept,) = read_answers(folder_of(study), "ann")
    known = LabelKey.read(folder_of(study)).by_image()[task.images[0]]
    assert (kept.image, kept.label, kept.key, kept.client_time) == (task.images[0], "curve", "key-000001", 1.7e12)
    assert kept.activation == known.activation


def test_a_rater_goes_on_where_they_were(client: TestClient, task: LabelTask):
    order = client.get(f"{BASE}/raters/ann").json()["order"]
    assert order == list(task.order("ann")) != client.get(f"{BASE}/raters/bob").json()["order"]
    for number, image in enumerate(order[:3]):
        client.post(f"{BASE}/answers", json=body(task, image=image, label="unrelated", key=f"key-{number:06d}"))
    taken = client.post(f"{BASE}/answers", json=body(task, image=order[1], label=None, key="key-000009"))
    assert taken.json()["answered"] == 2
    said = client.get(f"{BASE}/raters/ANN%20").json()
    assert said == {"rater": "ann", "order": order, "answers": [[order[0], "unrelated"], [order[2], "unrelated"]]}


def test_every_picture_is_sent_and_nothing_else(client: TestClient, study: Study, task: LabelTask):
    for image in task.images:
        response = client.get(f"{BASE}/pictures/{image}")
        assert response.status_code == 200
        assert response.headers["content-type"] == "image/webp"
        assert response.content == (folder_of(study) / picture_name(image)).read_bytes()
        with Image.open(BytesIO(response.content)) as picture:
            assert picture.size == (32, 32)
            assert "exif" not in picture.info
    other = "0" * 16
    assert client.get(f"{BASE}/pictures/{other}").status_code == 404
    (folder_of(study) / picture_name(other)).write_bytes(b"not of the task")
    assert client.get(f"{BASE}/pictures/{other}").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        f"{BASE}/key.json",
        f"{BASE}/pictures/..%2fkey.json",
        f"{BASE}/pictures/..%2f..%2fkey",
        f"{BASE}/pictures/reference",
        f"{BASE}/pictures/",
        f"{BASE}/answers/rater-ann.jsonl",
        f"/data/labels/{LAYER}/{UNIT}/key.json",
        f"/data/labels/{LAYER}/{UNIT}/task.json",
        f"/data/labels/{LAYER}/{UNIT}/answers/rater-ann.jsonl",
        f"/labels/{LAYER}:4",
        f"/labels/{LAYER}:03",
        f"/labels/{LAYER}:+3",
        f"/labels/{LAYER}:{'9' * 5000}",
        f"/labels/{LAYER}:%D9%A3",
        f"/labels/{LAYER}",
        f"/labels/..%2fsummaries%2f{LAYER}:3",
        "/labels/..:3",
        "/labels/a%00b:3",
        f"/labels/{'a' * 3000}:3",
        "/labels/",
        f"/labels/{LAYER}:3:4",
        f"/labels/{LAYER}:*",
    ],
)
def test_no_other_address_leads_anywhere(client: TestClient, study: Study, task: LabelTask, address: str):
    say(study, "ann", task.images[0], "curve")
    response = client.get(address)
    assert response.status_code == 404
    assert "activation" not in response.text


def test_a_picture_that_leads_out_of_the_study_is_not_sent(client: TestClient, study: Study, task: LabelTask):
    (study.path.parent / "secret.webp").write_bytes(b"secret")
    path = folder_of(study) / picture_name(task.images[0])
    path.unlink()
    path.symlink_to(study.path.parent / "secret.webp")
    assert client.get(f"{BASE}/pictures/{task.images[0]}").status_code == 404


def test_nothing_that_is_sent_tells_an_activation(client: TestClient, study: Study, task: LabelTask):
    known = LabelKey.read(folder_of(study)).images
    order = client.get(f"{BASE}/raters/ann").json()["order"]
    responses = [client.get(address) for address in (BASE, f"{BASE}/raters/ann", "/data/catalog.json")]
    for number, image in enumerate(order):
        responses.append(client.get(f"{BASE}/pictures/{image}"))
        label = task.names[number % 4]
        sent = body(task, image=image, label=label, key=f"key-{number:06d}")
        responses.append(client.post(f"{BASE}/answers", json=sent))
    responses += [client.get(address) for address in (BASE, f"{BASE}/raters/ann")]
    texts = [str(response.headers) + response.content.decode("latin-1") for response in responses]
    numbers = {f"{abs(one.activation):.4g}" for one in known if f"{abs(one.activation):.4g}".count("") > 5}
    assert len(numbers) > len(known) / 2
    for text in texts:
        assert "activation" not in text
        assert not [number for number in numbers if number in text]
        assert not [one.photograph for one in known if one.photograph in text]
    # Neither do names, orders and times follow it.
    by_activation = [one.image for one in sorted(known, key=lambda one: one.activation)]
    by_bin = [one.image for one in sorted(known, key=lambda one: one.bin)]
    for shown in (order, list(task.images), sorted(task.images, key=lambda image: _time(study, image))):
        assert abs(_correlation(shown, by_activation)) < 0.5
        assert abs(_correlation(shown, by_bin)) < 0.5


def _time(study: Study, image: str) -> int:
    return (folder_of(study) / picture_name(image)).stat().st_mtime_ns


def _correlation(first: list[str], second: list[str]) -> float:
    """Spearman's, of two orders of the same names."""
    n = len(first)
    return 1 - 6 * sum((place - second.index(name)) ** 2 for place, name in enumerate(first)) / (n * (n**2 - 1))


@pytest.mark.parametrize(
    ("changes", "status", "detail"),
    [
        ({"image": "0" * 16}, 404, "no such image"),
        ({"image": "../../key"}, 404, "no such image"),
        ({"image": 3}, 422, "image must be text"),
        ({"image": None}, 422, "image must be text"),
        ({"label": "Curve"}, 422, "the label is none of curve, imperfect"),
        ({"label": 1}, 422, "label must be text"),
        ({"rater": ""}, 422, "a rater's name"),
        ({"rater": "../../../x"}, 422, "a rater's name"),
        ({"rater": "x" * 41}, 422, "a rater's name"),
        ({"rater": "\ud800"}, 422, "a rater's name"),
        ({"rater": ["ann"]}, 422, "rater must be text"),
        ({"key": "short"}, 422, "the key of an answer"),
        ({"key": "../../../../etc"}, 422, "the key of an answer"),
        ({"client_time": "now"}, 422, "client_time is a number"),
        ({"client_time": True}, 422, "client_time is a number"),
        ({"client_time": -1}, 422, "client_time is a number"),
        ({"client_time": 10**400}, 422, "client_time is a number"),
        ({"activation": 3.0}, 422, "an answer is an object of"),
    ],
)
def test_answers_that_are_none_are_refused(
    client: TestClient, study: Study, task: LabelTask, changes: dict[str, Any], status: int, detail: str
):
    sent = json.dumps(body(task, **changes))
    response = client.post(f"{BASE}/answers", content=sent, headers={"Content-Type": "application/json"})
    assert (response.status_code, detail in response.json()["detail"]) == (status, True), response.text
    assert not (folder_of(study) / "answers").exists()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 4000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b"3", 422),
        (b'{"rater": "ann"}', 422),
        (b'{"rater": "ann", "image": "x", "label": "curve", "key": "key-000001", "client_time": NaN}', 422),
        (b'{"rater": "ann", "image": "x", "label": "curve", "key": "key-000001", "client_time": Infinity}', 422),
        (b" " * 4097, 413),
        (b'{"rater": "' + b"a" * 1_000_000 + b'"}', 413),
    ],
)  # fmt: skip
def test_malformed_and_oversize_bodies_are_refused(client: TestClient, study: Study, content: bytes, status: int):
    response = client.post(f"{BASE}/answers", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == status
    assert not (folder_of(study) / "answers").exists()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_can_send_is_refused(client: TestClient, study: Study, task: LabelTask, kind: str):
    response = client.post(f"{BASE}/answers", content=json.dumps(body(task)), headers={"Content-Type": kind})
    assert response.status_code == 415
    assert not (folder_of(study) / "answers").exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://before.a.proxy"}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://testserver:81"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": "http://testserver:81"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_only_our_own_page_may_answer(client: TestClient, study: Study, task: LabelTask, headers, status: int):
    assert client.post(f"{BASE}/answers", json=body(task), headers=headers).status_code == status
    assert (folder_of(study) / "answers").exists() is (status == 200)


def test_another_sites_preflight_gets_no_leave(client: TestClient):
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    response = client.options(f"{BASE}/answers", headers=asked)
    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_answers_are_only_posted(client: TestClient, method: str):
    assert client.request(method, f"{BASE}/answers").status_code in (404, 405)


def test_a_task_that_is_not_there_takes_no_answers(client: TestClient, study: Study, task: LabelTask):
    assert client.post(f"/labels/{LAYER}:4/answers", json=body(task)).status_code == 404
    assert not (study.path / "labels" / LAYER / "4").exists()


def test_a_key_counts_once(client: TestClient, study: Study, task: LabelTask):
    answers = [client.post(f"{BASE}/answers", json=body(task)) for _ in range(3)]
    assert [one.json()["answered"] for one in answers] == [1, 1, 1]
    other = client.post(f"{BASE}/answers", json=body(task, label="opposing"))
    assert (other.status_code, other.json()["detail"]) == (409, "the key key-000001 is that of another answer of ann")
    assert [one.label for one in read_answers(folder_of(study), "ann")] == ["curve"]


def test_answers_that_come_at_once_are_all_kept(client: TestClient, study: Study, task: LabelTask):
    def post(number: int) -> int:
        rater = ("ann", "bob")[number % 2]
        image = task.images[(number // 3) % len(task.images)]
        key = f"key-{number // 3 * 3:06d}"  # three have one key, of two raters
        return client.post(f"{BASE}/answers", json=body(task, rater=rater, image=image, key=key)).status_code

    with ThreadPoolExecutor(8) as pool:
        assert {*pool.map(post, range(60))} == {200}
    for rater in ("ann", "bob"):
        assert sorted(one.key for one in read_answers(folder_of(study), rater)) == [
            f"key-{3 * n:06d}" for n in range(20)
        ]


def test_a_torn_line_is_mended_by_the_next_answer(client: TestClient, study: Study, task: LabelTask):
    client.post(f"{BASE}/answers", json=body(task))
    path = folder_of(study) / "answers" / "rater-ann.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    assert client.get(f"{BASE}/raters/ann").json()["answers"] == [[task.images[0], "curve"]]
    posted = client.post(f"{BASE}/answers", json=body(task, image=task.images[1], key="key-000002"))
    assert posted.json()["answered"] == 2
    assert path.read_bytes().count(b"\n") == 2
    assert path.read_bytes().startswith(whole)


def test_a_damaged_file_is_reported_without_its_folder(
    client: TestClient, study: Study, task: LabelTask, caplog: pytest.LogCaptureFixture
):
    client.post(f"{BASE}/answers", json=body(task))
    path = folder_of(study) / "answers" / "rater-ann.jsonl"
    path.write_text("damaged\n")
    for response in (client.get(BASE), client.post(f"{BASE}/answers", json=body(task, key="key-000002"))):
        assert response.status_code == 503
        assert str(study.path) not in response.text
    assert re.search(r"rater-ann\.jsonl, line 1, is not an answer", caplog.text)
    assert path.read_text() == "damaged\n"


def test_dynamic_answers_are_not_kept_by_browsers(client: TestClient, task: LabelTask):
    posted = client.post(f"{BASE}/answers", json=body(task))
    for response in (client.get(BASE), client.get(f"{BASE}/raters/ann"), posted):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"


def test_an_export_has_no_labelling(study: Study, static: Path, tmp_path: Path):
    site = export(study.path, tmp_path / "site", static=static)
    assert json.loads((site / "data" / "catalog.json").read_text())["labels"] == []
    assert [path for path in site.rglob("*") if "label" in path.name] == []
