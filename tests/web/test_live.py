"""What the page can have computed: what the server tells, hands on and refuses."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pellucid.errors import AtlasError, StudyError
from pellucid.web.app import make_app
from studies import make_study


class FakeWorker:
    """Keeps what it is asked for, and gives what it was told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.full = False
        self.error: Exception | None = None
        self.painted: bytes | None = b"a picture"

    def about(self) -> Mapping[str, Any]:
        canvas = {"atlas": "blocks.4.2.bn2", "layer": "blocks.4.2.bn2", "rows": 6, "columns": 9}
        return {"format": 1, "network": "n", "paint": [canvas], "patches": ["ball"], "images": 3, "query": True}

    def paint(self, atlas: str, strokes: Any, *, steps: int, size: int, seed: int) -> str | None:
        self._keep("paint", atlas, strokes, steps, size, seed)
        return None if self.full else "job1"

    def job(self, name: str) -> Mapping[str, Any] | None:
        state = {"state": "running", "done": 3, "total": 9, "picture": True, "top": [["wok", 0.5]], "detail": ""}
        return state if name == "job1" else None

    def picture(self, name: str) -> bytes | None:
        return self.painted

    def cancel(self, name: str) -> Mapping[str, Any] | None:
        self._keep("cancel", name)
        return self.job(name)

    def patch(self, image: int, patch: str, *, size: float, corner: int) -> Mapping[str, Any] | None:
        self._keep("patch", image, patch, size, corner)
        return None if self.full else {"before": [["wok", 1.0, 0.5]], "after": [], "picture": "aGVsbG8="}

    def find(self, text: str, limit: int) -> list[Mapping[str, Any]]:
        self._keep("find", text, limit)
        return [{"index": 2, "name": "wok.jpg"}]

    def image(self, index: int) -> bytes | None:
        return b"small" if index == 2 else None

    def query(self, atlas: str, cells: Any, limit: int) -> list[Mapping[str, Any]]:
        self._keep("query", atlas, cells, limit)
        return [{"index": 1, "name": "alp.jpg", "score": 0.5, "box": [0.0, 0.0, 0.5, 1.0]}]

    def _keep(self, *what: Any) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append(what)


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("live") / "study", levels=(4,), samples=400).path


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def client(root: Path, static: Path, worker: FakeWorker) -> Iterator[TestClient]:
    with TestClient(make_app(root, static=static, worker=worker)) as client:
        yield client


def cell(**changes: Any) -> dict[str, Any]:
    return {"grid": 4, "row": 1, "column": 2, "weight": 0.5, **changes}


def painting(**changes: Any) -> dict[str, Any]:
    stroke = {"row": 5, "column": 8, "cells": [cell()]}
    return {"atlas": "blocks.4.2.bn2", "strokes": [stroke], "steps": 16, "size": 64, "seed": 3, **changes}


def trial(**changes: Any) -> dict[str, Any]:
    return {"image": 2, "patch": "ball", "size": 0.25, "corner": 3, **changes}


def question(**changes: Any) -> dict[str, Any]:
    return {"atlas": "blocks.4.2.bn2", "cells": [cell(), cell(row=0, weight=-1)], "limit": 7, **changes}


ADDRESSES = [
    ("GET", "/live"),
    ("POST", "/live/paint"),
    ("GET", "/live/jobs/job1"),
    ("GET", "/live/jobs/job1/picture.png"),
    ("POST", "/live/jobs/job1/cancel"),
    ("POST", "/live/patch"),
    ("GET", "/live/images"),
    ("GET", "/live/images/2.jpg"),
    ("POST", "/live/query"),
    ("GET", "/live/nothing"),
]


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_without_a_worker_nothing_is_live(root: Path, static: Path, method: str, address: str):
    with TestClient(make_app(root, static=static)) as client:
        response = client.request(method, address, json={} if method == "POST" else None)
        assert (response.status_code, response.json()["code"]) == (404, "not_live")
        assert "live" not in client.get("/data/catalog.json").json()


def test_the_catalog_says_that_there_is_a_worker(client: TestClient, worker: FakeWorker):
    assert client.get("/data/catalog.json").json()["live"] is True
    assert client.get("/live").json() == worker.about()


def test_a_painting_is_begun_and_watched(client: TestClient, worker: FakeWorker):
    begun = client.post("/live/paint", json=painting())
    assert (begun.status_code, begun.json()) == (202, {"job": "job1"})
    assert worker.asked == [("paint", "blocks.4.2.bn2", ((5, 8, ((4, 1, 2, 0.5),)),), 16, 64, 3)]
    assert client.get("/live/jobs/job1").json()["done"] == 3
    picture = client.get("/live/jobs/job1/picture.png?n=3")
    assert (picture.content, picture.headers["content-type"]) == (b"a picture", "image/png")
    assert picture.headers["cache-control"] == "no-store"
    assert client.post("/live/jobs/job1/cancel").json()["state"] == "running"
    assert worker.asked[-1] == ("cancel", "job1")


def test_what_is_left_out_of_a_painting_has_defaults(client: TestClient, worker: FakeWorker):
    stroke = {"row": 0, "column": 0, "cells": [{"grid": 4, "row": 1, "column": 2}]}
    assert client.post("/live/paint", json={"atlas": "blocks.4.2.bn2", "strokes": [stroke]}).status_code == 202
    assert worker.asked == [("paint", "blocks.4.2.bn2", ((0, 0, ((4, 1, 2, 1.0),)),), 128, 224, 0)]


def test_a_patch_is_tried(client: TestClient, worker: FakeWorker):
    response = client.post("/live/patch", json=trial())
    assert response.json() == {"before": [["wok", 1.0, 0.5]], "after": [], "picture": "aGVsbG8="}
    assert worker.asked == [("patch", 2, "ball", 0.25, 3)]


def test_images_are_found_and_shown(client: TestClient, worker: FakeWorker):
    assert client.get("/live/images?find=grey%20whale&limit=5").json() == {"images": [{"index": 2, "name": "wok.jpg"}]}
    assert client.get("/live/images").status_code == 200
    assert worker.asked == [("find", "grey whale", 5), ("find", "", 60)]
    image = client.get("/live/images/2.jpg")
    assert (image.content, image.headers["content-type"]) == (b"small", "image/jpeg")


def test_a_query_is_answered(client: TestClient, worker: FakeWorker):
    found = client.post("/live/query", json=question()).json()
    assert found == {"images": [{"index": 1, "name": "alp.jpg", "score": 0.5, "box": [0.0, 0.0, 0.5, 1.0]}]}
    assert worker.asked == [("query", "blocks.4.2.bn2", ((4, 1, 2, 0.5), (4, 0, 2, -1.0)), 7)]


@pytest.mark.parametrize(
    ("address", "content", "detail"),
    [
        ("paint", painting(strokes=[]), "strokes are a list of 1 to 4096"),
        ("paint", painting(strokes="all"), "strokes are a list"),
        ("paint", painting(strokes=[3]), "a stroke is an object"),
        ("paint", painting(strokes=[{"row": 0, "column": 0, "cells": []}]), "cells are a list of 1 to 16"),
        ("paint", painting(strokes=[{"row": 0, "column": 0, "cells": [cell()] * 17}]), "cells are a list of 1 to 16"),
        ("paint", painting(strokes=[{"row": 0, "column": 0}]), "is an object of cells, column, row"),
        ("paint", painting(strokes=[{"row": 6, "column": 0, "cells": [cell()]}]), "outside the canvas of 6 x 9"),
        ("paint", painting(strokes=[{"row": 0, "column": 0, "cells": [cell()]}] * 2), "painted twice"),
        ("paint", painting(steps=513), "steps is a whole number from 1 to 512"),
        ("paint", painting(steps=1.5), "steps is a whole number"),
        ("paint", painting(steps=True), "steps is a whole number"),
        ("paint", painting(size=321), "size is a whole number from 32 to 320"),
        ("paint", painting(seed=-1), "seed is a whole number from 0"),
        ("paint", painting(seed=10**400), "seed is a whole number from 0"),
        ("paint", painting(atlas=3), "atlas must be text"),
        ("paint", painting(atlas="a" * 501), "atlas must be text"),
        ("paint", painting(more=1), "is an object of"),
        ("query", question(cells=[cell(row=4)]), "row is a whole number from 0 to 3"),
        ("query", question(cells=[cell(grid=0)]), "grid is a whole number from 1"),
        ("query", question(cells=[cell(weight="much")]), "weight is a number"),
        ("query", question(cells=[cell(weight=1001)]), "weight is a number from -1000 to 1000"),
        ("query", question(cells=[cell(weight=0)]), "some weight of the cells must not be 0"),
        ("query", question(cells=[cell()] * 65), "cells are a list of 1 to 64"),
        ("query", question(limit=101), "limit is a whole number from 1 to 100"),
        ("patch", trial(size=0), "size is a share of the side"),
        ("patch", trial(size=1.5), "size is a number"),
        ("patch", trial(corner=4), "corner is a whole number from 0 to 3"),
        ("patch", trial(image=-1), "image is a whole number"),
        ("patch", trial(patch=None), "patch must be text"),
        ("patch", {}, "is an object of corner, image, patch, size"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    client: TestClient, worker: FakeWorker, address: str, content: dict[str, Any], detail: str
):
    response = client.post(f"/live/{address}", json=content)
    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    assert detail in response.json()["detail"]
    assert worker.asked == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(client: TestClient, worker: FakeWorker, number: str):
    sent = json.dumps(question()).replace("-1", number)
    response = client.post("/live/query", content=sent, headers={"Content-Type": "application/json"})
    assert (response.status_code, worker.asked) == (422, [])


@pytest.mark.parametrize(
    ("method", "address", "content"),
    [
        ("POST", "paint", painting(atlas="conv_head")),
        ("POST", "paint", painting(atlas="../study")),
        ("POST", "paint", painting(atlas="\ud800")),
        ("POST", "query", question(atlas="")),
        ("POST", "patch", trial(patch="../../etc/passwd")),
        ("POST", "patch", trial(image=3)),
        ("GET", "jobs/job2", None),
        ("GET", "jobs/job2/picture.png", None),
        ("GET", "jobs/..%2f..%2fstudy.json", None),
        ("POST", "jobs/job2/cancel", None),
        ("GET", "images/3.jpg", None),
        ("GET", "images/02.jpg", None),
        ("GET", "images/-1.jpg", None),
        ("GET", f"images/{'9' * 5000}.jpg", None),
        ("GET", "images/%D9%A3.jpg", None),
        ("GET", "images/2.png", None),
        ("GET", "elsewhere/at/all", None),
    ],
)
def test_what_is_not_there_is_unknown(
    client: TestClient, worker: FakeWorker, method: str, address: str, content: dict[str, Any] | None
):
    sent = None if content is None else json.dumps(content)
    response = client.request(method, f"/live/{address}", content=sent, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (404, "unknown")
    assert worker.asked in ([], [("cancel", "job2")])


def test_a_picture_that_is_not_there_yet_is_unknown(client: TestClient, worker: FakeWorker):
    worker.painted = None
    assert client.get("/live/jobs/job1/picture.png").status_code == 404


@pytest.mark.parametrize(("address", "content"), [("paint", painting()), ("patch", trial())])
def test_who_has_too_much_to_do_says_so(client: TestClient, worker: FakeWorker, address: str, content: dict[str, Any]):
    worker.full = True
    response = client.post(f"/live/{address}", json=content)
    assert (response.status_code, response.json()["code"]) == (503, "busy")


def test_a_fault_of_what_was_asked_is_told_and_one_of_the_study_is_logged(
    client: TestClient, worker: FakeWorker, caplog: pytest.LogCaptureFixture
):
    worker.error = AtlasError("the 4x4 grid has no cell there")
    told = client.post("/live/query", json=question())
    assert (told.status_code, told.json()["detail"]) == (422, "the 4x4 grid has no cell there")
    worker.error = StudyError("/home/ann/study cannot be read")
    hidden = client.post("/live/query", json=question())
    assert (hidden.status_code, hidden.json()["code"]) == (503, "unavailable")
    assert "/home/ann" not in hidden.text
    assert "/home/ann/study cannot be read" in caplog.text


@pytest.mark.parametrize("limit", ["0", "501", "-1", "1.5", "x", "", "9" * 5000])
def test_a_limit_that_is_none_is_refused(client: TestClient, limit: str):
    assert client.get("/live/images", params={"limit": limit}).status_code == 422


@pytest.mark.parametrize("address", ["paint", "patch", "query", "jobs/job1/cancel"])
def test_only_our_own_page_may_have_something_computed(client: TestClient, worker: FakeWorker, address: str):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        response = client.post(f"/live/{address}", json=painting(), headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert worker.asked == []


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed"),
        (b"[" * 4000, "application/json", 400, "malformed"),
        (b"[]", "application/json", 422, "invalid"),
        (b"{}", "text/plain", 415, "content_type"),
        (b" " * 262_145, "application/json", 413, "too_large"),
    ],
)
def test_malformed_bodies_are_refused(client: TestClient, content: bytes, kind: str, status: int, code: str):
    for address in ("paint", "patch", "query"):
        response = client.post(f"/live/{address}", content=content, headers={"Content-Type": kind})
        assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_refused(client: TestClient, method: str):
    assert client.request(method, "/live/paint").status_code == 405
