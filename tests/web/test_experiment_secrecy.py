"""What the server must not tell, and whom it must not let in."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from experiment_server import OPERATOR, design_for
from experiment_visits import Page, key, said
from experiments import make_experiment
from pellucid.study.experiments import Design, Settings, Stimuli
from pellucid.web.experiment import Running, answers_table, make_experiment_app, participants_table

CONDITIONS = ("natural", "mixed", "none")
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    (folder / "assets").mkdir()
    for name in ("index.html", "experiment.html", "assets/experiment.js", ".hidden"):
        (folder / name).write_text(f"this is {name}")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = make_experiment(tmp_path_factory.mktemp("drawn") / "study", units=3, image_sets=2, conditions=CONDITIONS)
    design_for(home, people=60)
    return home


@pytest.fixture
def client(folder: Path, static: Path) -> Iterator[TestClient]:
    app = make_experiment_app({"drawn": folder}, operator_token=OPERATOR, static=static)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def page(client: TestClient) -> Page:
    page = Page(client)
    page.begin()
    page.read_instructions()
    return page


def test_no_payload_names_what_would_tell_the_right_answer(client: TestClient, folder: Path):
    stimuli = Stimuli.read(folder)
    secret = {one.id for one in stimuli.stimuli} | {one.address for one in stimuli.stimuli}
    secret |= {one.layer for one in stimuli.stimuli} | {"larger", "smaller", "catch", "obvious", "photograph", "patch"}
    secret |= {f"{query.activation:.4f}"[:6] for one in stimuli.stimuli for query in (one.larger, one.smaller)}
    secret |= {schedule for schedule in ("natural-0", "mixed-0", "none-0", '"main"', "natural", "mixed")}
    payloads: list[str] = []
    for _ in range(3):
        page = Page(client)
        page.begin()
        assert page.payloads.pop().count('"larger"') == 2  # of the examples in the instructions, which nobody is asked
        page.read_instructions()
        while page.state["trial"] and page.state["trial"]["round"] < 4:
            page.answer("left")
            page.answer("right", "0" * 16)
        payloads += page.payloads
    assert len(payloads) > 20
    for text in payloads:
        text = text.replace('"stage":"main"', "")  # the stage is told: it is not a trial's kind
        assert [word for word in secret if word in text] == []


def test_a_catch_trial_looks_like_a_main_one(client: TestClient, folder: Path):
    kinds: dict[str, set[Any]] = {"main": set(), "catch": set()}
    page, running = Page(client), Running.open("drawn", folder)
    while page.state.get("stage") != "main":
        page = Page(client)
        page.begin()
        page.read_instructions()
    shapes = []
    while page.state["trial"]:
        trial = page.state["trial"]
        shapes.append(tuple((name, type(value), len(str(value))) for name, value in trial.items()))
        page.answer("left")
    for kind, shape in zip(answers_table(running)["kind"].to_pylist()[-len(shapes) :], shapes, strict=True):
        kinds[kind].add(shape)
    assert kinds["main"] == kinds["catch"]


def test_names_of_trials_differ_between_people_and_pictures_stand_in_the_order_of_their_names(client: TestClient):
    names: list[str] = []
    for _ in range(6):
        page = Page(client)
        page.begin()
        page.read_instructions()
        assert page.state["preload"] == sorted({*page.state["preload"]})
        while page.state["trial"] and len(names) % 7 < 6:
            names.append(page.state["trial"]["id"])
            page.answer("left")
    assert len({*names}) == len(names)
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in names)


def test_the_side_of_the_larger_query_does_not_go_with_the_order_of_names(folder: Path):
    known = Stimuli.read(folder).by_id()
    agree = []
    for schedule in Design.read(folder).schedules:
        for one in schedule.trials:
            stimulus = known[one.stimulus]
            agree.append((stimulus.larger.picture < stimulus.smaller.picture) == (one.side == "left"))
    assert abs(sum(agree) / len(agree) - 0.5) < 4 * (0.25 / len(agree)) ** 0.5


def test_pictures_have_the_same_headers_and_no_time(client: TestClient, folder: Path, page: Page):
    seen = set()
    for name in page.state["preload"]:
        response = client.get(f"/e/drawn/pictures/{name}.png")
        assert response.content == (folder / "pictures" / f"{name}.png").read_bytes()
        assert response.headers["etag"].strip('"') == Stimuli.read(folder).pictures[name].sha256
        seen.add(tuple(sorted((k, v) for k, v in response.headers.items() if k not in ("etag", "content-length"))))
        again = client.get(f"/e/drawn/pictures/{name}.png", headers={"If-None-Match": response.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    (headers,) = seen
    assert "last-modified" not in dict(headers)
    assert dict(headers)["content-type"] == "image/png"


def test_only_pictures_that_somebody_is_shown_are_sent(client: TestClient, folder: Path, tmp_path: Path):
    home = tmp_path / "few"
    home.mkdir()
    (home / "stimuli.json").write_bytes((folder / "stimuli.json").read_bytes())
    (home / "pictures").symlink_to(folder / "pictures")
    shown = Running.open("few", _designed(home)).pictures
    with TestClient(make_experiment_app({"few": home})) as few:
        for path in sorted((folder / "pictures").iterdir()):
            assert few.get(f"/e/few/pictures/{path.name}").status_code == (200 if path.stem in shown else 404)
    assert len(shown) < len([*(folder / "pictures").iterdir()])


def _designed(home: Path) -> Path:
    design_for(home, people=1, practice=(0, 0))
    return home


@pytest.mark.parametrize(
    "path",
    [
        "/e/drawn/stimuli.json",
        "/e/drawn/design.json",
        "/e/drawn/answers.sqlite",
        "/e/drawn/.secret",
        "/e/drawn/settings.toml",
        "/e/drawn/pictures/../stimuli.json",
        "/e/drawn/pictures/%2e%2e%2fstimuli.json",
        "/e/drawn/pictures/..%2f..%2fdrawn%2fstimuli.png",
        "/e/drawn/pictures/0000000000000000.png",
        "/e/drawn/pictures/%00.png",
        "/e/drawn/assets/../../stimuli.json",
        "/e/drawn/assets/%2e%2e/%2e%2e/etc/passwd",
        "/e/drawn/assets/..%2f.hidden",
        "/e/drawn/assets//etc/passwd",
        "/e/../drawn/api/study",
        "/e/%2e%2e/api/study",
        "/e/other/api/study",
        "/e/drawn/api",
        "/operator/app.py",
        "/operator/..%2fapp.py",
        "/docs",
        "/openapi.json",
        "/",
    ],
)
def test_what_is_not_listed_is_not_there(client: TestClient, path: str):
    response = client.get(path)
    assert response.status_code == 404
    assert response.json().keys() == {"detail", "code"}


def test_the_page_and_its_assets_come_with_headers_that_keep_others_out(client: TestClient):
    assert client.get("/e/drawn/").text == "this is experiment.html"
    assert client.get("/e/drawn/assets/experiment.js").text == "this is assets/experiment.js"
    moved = client.get("/e/drawn?PROLIFIC_PID=a", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (307, "drawn/?PROLIFIC_PID=a")
    for path in ("/e/drawn/", "/e/drawn/api/study", "/operator/", "/nowhere"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("token", ["", "x", "' OR '1'='1", "é", "0" * 10_000, "%00"])
def test_a_wrong_token_opens_no_visit(client: TestClient, page: Page, token: str):
    trial = page.state["trial"]["id"]
    for headers in (
        {},
        {"Authorization": f"Bearer {token}".encode()},
        {"Authorization": page.token},
        {"Authorization": "Basic a"},
    ):
        for method, path, body in (
            ("GET", "session", None),
            ("POST", f"session/trials/{trial}", said("left")),
            ("POST", "session/events", {"key": key(), "events": []}),
            ("POST", "session/remark", {"key": key(), "text": ""}),
            ("POST", "session/instructions", {"key": key(), "ms": 1, "views": []}),
        ):
            response = client.request(method, f"/e/drawn/api/{path}", json=body, headers=headers)
            assert (response.status_code, response.json()["code"]) == (401, "unauthorized")


def test_another_persons_trial_cannot_be_answered_and_their_session_not_seen(
    client: TestClient, folder: Path, page: Page
):
    other = Page(client)
    other.begin()
    other.read_instructions()
    before = page.reload()
    assert other.answer("left", before["trial"]["id"]).json()["code"] == "not_now"
    assert page.reload() == before
    assert before["trial"]["id"] not in "".join(other.payloads)
    assert page.token not in "".join(other.payloads)


def test_tokens_and_codes_are_not_in_the_database(client: TestClient, folder: Path, page: Page):
    while page.state["trial"] and page.state["stage"] == "main":
        page.answer("left")
    kept = b"".join(one.read_bytes() for one in folder.glob("answers.sqlite*"))
    secrets = [page.token, *([page.state["completion"]["withdrawal"]] if page.state["completion"] else [])]
    assert not [one for one in secrets if one.encode() in kept]


@pytest.mark.parametrize(
    "hostile",
    [
        "'; DROP TABLE trial; --",
        "' OR '1'='1",
        '"; DELETE FROM session; --',
        "${jndi:ldap://x}",
        "../../etc/passwd",
        "%s%s%n",
        "<script>alert(1)</script>",
    ],
)
def test_hostile_text_is_text(client: TestClient, folder: Path, page: Page, hostile: str):
    running = Running.open("drawn", folder)
    before = participants_table(running).num_rows
    assert page.ask("POST", "api/session/remark", {"key": key(), "text": hostile}).json() == {}
    assert client.post("/e/drawn/api/withdraw", json={"code": hostile}).status_code == 404
    assert page.answer("left", hostile.replace("/", "%2f")).status_code in (404, 409)
    assert Page(client).begin(platform={"PROLIFIC_PID": hostile}).status_code in (201, 409)
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    deleted = client.delete(f"/operator/api/drawn/participants/{hostile.replace('/', '%2f')}", headers=headers)
    assert deleted.status_code == 404
    assert participants_table(running).num_rows >= before
    assert hostile.replace('"', '""') in client.get("/operator/api/drawn/remarks.csv", headers=headers).text


_ANSWERS = {
    "key": ["", "1", 5, None, [key()], "g" * 36, "'; DROP TABLE trial; --"],
    "choice": ["", "LEFT", "up", 1, None, ["left"], {"left": 1}, True],
    "confidence": [0, 4, -1, 2.0, "2", None, True, 10**30],
    "rt_ms": [-1, "5", None, True, 1e300, [], float("inf"), float("nan")],
    "focus_losses": [-1, 1.5, "1", None, 10**20, True],
    "window": [[], [1], [1, 2, 3], [1, "2"], [-1, 5], [1.5, 2], None, "1x2", [10**20, 1]],
    "client_time": [-1, "now", None, 1e300, True],
}


@pytest.mark.parametrize("field", _ANSWERS)
def test_an_answer_of_other_types_or_out_of_bounds_is_refused(client: TestClient, page: Page, field: str):
    before = page.reload()
    for value in _ANSWERS[field]:
        body = json.dumps({**said("left"), field: value})
        headers = {"Authorization": f"Bearer {page.token}", **JSON}
        path = f"/e/drawn/api/session/trials/{before['trial']['id']}"
        response = client.post(path, content=body, headers=headers)
        assert (response.status_code, response.json()["code"]) == (422, "invalid"), value
    assert page.reload() == before


def test_an_answer_with_a_field_more_or_less_is_refused(client: TestClient, page: Page):
    path = f"api/session/trials/{page.state['trial']['id']}"
    assert page.ask("POST", path, {**said("left"), "correct": True}).status_code == 422
    for name in said("left"):
        assert page.ask("POST", path, {k: v for k, v in said("left").items() if k != name}).status_code == 422


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"key": ' + b"9" * 10_000 + b"}", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"key": "\\ud800"}', "application/json", 422),
        (b"x" * 70_000, "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"key=1", "application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_that_is_no_answer_is_refused(client: TestClient, page: Page, content: bytes, kind: str, status: int):
    headers = {"Authorization": f"Bearer {page.token}", "content-type": kind}
    before = page.reload()
    for path in (
        "sessions", "declined", "withdraw", "session/instructions", "session/events", "session/remark",
        f"session/trials/{page.state['trial']['id']}",
    ):  # fmt: skip
        response = client.post(f"/e/drawn/api/{path}", content=content, headers=headers)
        assert response.status_code == status, path
        assert response.json().keys() == {"detail", "code"}
    assert page.reload() == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sessions", {"key": key(), "consent": "1", "platform": [], "window": [1, 2]}),
        ("sessions", {"key": key(), "consent": "1", "platform": {"NAME": "x"}, "window": [1, 2]}),
        ("sessions", {"key": key(), "consent": "1", "platform": {"PROLIFIC_PID": "x" * 129}, "window": [1, 2]}),
        ("sessions", {"key": key(), "consent": "1", "platform": {"PROLIFIC_PID": 7}, "window": [1, 2]}),
        ("sessions", {"key": key(), "consent": ["1"], "platform": {}, "window": [1, 2]}),
        ("session/remark", {"key": key(), "text": "x" * 4001}),
        ("session/remark", {"key": key(), "text": "a\0b"}),
        ("session/remark", {"key": key(), "text": None}),
        ("session/events", {"key": key(), "events": [{"kind": "sneeze", "at": 1}]}),
        ("session/events", {"key": key(), "events": [{"kind": "blur", "at": -1}]}),
        ("session/events", {"key": key(), "events": [{"kind": "blur"}]}),
        ("session/events", {"key": key(), "events": ["blur"]}),
        ("session/events", {"key": key(), "events": [{"kind": "blur", "at": 1}] * 501}),
        ("session/instructions", {"key": key(), "ms": 1, "views": [{"page": -1, "ms": 1}]}),
    ],
)
def test_other_bodies_out_of_bounds_are_refused(page: Page, path: str, body: dict[str, Any]):
    response = page.ask("POST", f"api/{path}", body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid")


def test_one_visit_cannot_fill_the_disk(page: Page):
    events = [{"kind": "blur", "at": at} for at in range(500)]
    codes = [page.ask("POST", "api/session/events", {"key": key(), "events": events}).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]
    codes = [page.ask("POST", "api/session/remark", {"key": key(), "text": "x"}).status_code for _ in range(21)]
    assert codes == [200] * 20 + [429]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
    ],
)
def test_what_another_sites_page_sends_is_refused(client: TestClient, page: Page, headers: dict[str, str]):
    for path, body in (("api/sessions", {}), ("api/withdraw", {}), ("api/session/remark", {})):
        assert page.ask("POST", path, body, **headers).status_code == 403
    allowed = {"Authorization": f"Bearer {OPERATOR}", **headers}
    assert client.delete("/operator/api/drawn/participants/a", headers=allowed).status_code == 403


def test_other_methods_are_refused(client: TestClient):
    for method in ("PUT", "DELETE", "PATCH"):
        response = client.request(method, "/e/drawn/api/session")
        assert (response.status_code, response.json()["code"]) == (405, "method")


def test_what_fails_inside_says_nothing_of_the_inside(client: TestClient, page: Page, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> Settings:
        raise OSError("/the/secret/folder is full")

    monkeypatch.setattr("pellucid.web.experiment.routes.picture_path", broken)
    response = client.get(f"/e/drawn/pictures/{page.state['preload'][0]}.png")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert "secret" not in response.text
