"""The server sends the page and what the catalog lists, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pellucid.errors import StudyError
from pellucid.study import AtlasRecord, read_catalog
from pellucid.web.app import make_app
from studies import make_study

NAMES = ("blocks.4.2.bn2", "conv_head")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study", levels=(2, 4), names=NAMES, samples=200).path


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "assets" / "index-1.js").write_text("export {}")
    (folder / "assets" / "index-1.css").write_text("a {}")
    (folder / "assets" / "icon.svg").write_text("<svg/>")
    (folder / ".source-digest").write_text("0")
    return folder


@pytest.fixture
def client(root: Path, static: Path) -> TestClient:
    return TestClient(make_app(root, static=static))


@pytest.mark.parametrize(
    ("address", "file", "kind"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/index.html", "index.html", "text/html; charset=utf-8"),
        ("/assets/index-1.js", "assets/index-1.js", "text/javascript; charset=utf-8"),
        ("/assets/index-1.css", "assets/index-1.css", "text/css; charset=utf-8"),
        ("/assets/icon.svg", "assets/icon.svg", "image/svg+xml"),
    ],
)
def test_the_page_is_sent(client: TestClient, static: Path, address: str, file: str, kind: str):
    response = client.get(address)
    assert response.status_code == 200
    assert response.content == (static / file).read_bytes()
    assert response.headers["content-type"] == kind


def test_the_catalog_is_what_the_study_says(client: TestClient, root: Path):
    response = client.get("/data/catalog.json")
    assert response.json() == read_catalog(root).public()
    assert [atlas["name"] for atlas in response.json()["atlases"]] == list(NAMES)


def test_every_listed_file_is_sent(client: TestClient, root: Path):
    kinds = {".json": "application/json", ".png": "image/png"}
    files = read_catalog(root).files
    assert len(files) == len(NAMES) * (1 + 2 * 3)
    for name in files:
        response = client.get(f"/data/{name}")
        assert response.status_code == 200
        assert response.content == (root / name).read_bytes()
        assert response.headers["content-type"] == kinds[Path(name).suffix]


@pytest.mark.parametrize(
    "address",
    [
        "/data/study.json",
        "/data/../study.json",
        "/data/atlas/../study.json",
        "/data/..%2fstudy%2fstudy.json",
        "/data/%2e%2e/study/study.json",
        "/data/atlas%2f..%2fstudy.json",
        "/data/atlas/conv_head/..%2f..%2fstudy.json",
        "/data/atlas/conv_head/unlisted.txt",
        "/data/atlas/conv_head",
        "/data/",
        "/data//etc/passwd",
        "/data/%2fetc%2fpasswd",
        "/data/atlas/conv_head/atlas.json%00",
        "/..%2fsecret.txt",
        "/%2fetc%2fpasswd",
        "/assets/..%2f..%2fsecret.txt",
        "/.source-digest",
        "/assets",
        "/docs",
        "/redoc",
        "/openapi.json",
    ],
)
def test_nothing_else_is_sent(client: TestClient, root: Path, address: str):
    (root.parent / "secret.txt").write_text("secret")
    (root / "atlas" / "conv_head" / "unlisted.txt").write_text("secret")
    response = client.get(address)
    assert response.status_code == 404
    assert "secret" not in response.json()["detail"].removesuffix(" here").replace("secret.txt", "")


@pytest.mark.parametrize("table", ["../../../secret.txt", "/etc/passwd", "linked.json"])
def test_a_record_cannot_list_a_file_outside_of_the_study(client: TestClient, root: Path, table: str):
    (root.parent / "secret.txt").write_text("secret")
    folder = root / "atlas" / "conv_head"
    (folder / "linked.json").symlink_to(root.parent / "secret.txt")
    record = json.loads((folder / "atlas.json").read_text())
    record["levels"][0]["table"] = table
    (folder / "atlas.json").write_text(json.dumps(record))
    assert AtlasRecord.read(folder).files()[1] == table
    for address in (table, table.replace("/", "%2f").replace("..", "%2e%2e")):
        assert client.get(f"/data/atlas/conv_head/{address}").status_code == 404


def test_a_study_may_itself_be_reached_through_a_link(root: Path, static: Path):
    link = root.parent / "link"
    link.symlink_to(root, target_is_directory=True)
    client = TestClient(make_app(link, static=static))
    assert client.get("/data/atlas/conv_head/atlas.json").status_code == 200


@pytest.mark.parametrize("address", ["/", "/data/atlas/conv_head/icons-2.png"])
def test_a_browser_keeps_a_file_and_asks_whether_it_changed(client: TestClient, address: str):
    first = client.get(address)
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = client.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_changed_file_is_sent_anew(client: TestClient, static: Path):
    tag = client.get("/").headers["etag"]
    (static / "index.html").write_text("<!doctype html><title>another page</title>")
    response = client.get("/", headers={"If-None-Match": tag})
    assert response.status_code == 200
    assert "another" in response.text


@pytest.mark.parametrize("address", ["/", "/data/catalog.json", "/data/atlas/conv_head/atlas.json"])
def test_head_tells_what_get_would(client: TestClient, address: str):
    head, get = client.head(address), client.get(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(client: TestClient, method: str):
    assert client.request(method, "/data/catalog.json").status_code == 405


@pytest.mark.parametrize("address", ["/", "/data/catalog.json", "/data/nothing"])
def test_every_answer_says_what_the_page_may_do(client: TestClient, address: str):
    headers = client.get(address).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]


def test_an_atlas_appears_when_it_is_finished(client: TestClient, root: Path):
    make_study(root, levels=(2,), names=("later",), samples=200)
    assert "later" in [atlas["name"] for atlas in client.get("/data/catalog.json").json()["atlases"]]
    assert client.get("/data/atlas/later/level-2.json").status_code == 200


def test_a_study_that_breaks_under_the_server_is_reported_without_its_folder(
    client: TestClient, root: Path, caplog: pytest.LogCaptureFixture
):
    (root / "atlas" / "conv_head" / "atlas.json").write_text("{")
    response = client.get("/data/catalog.json")
    assert response.status_code == 503
    assert "cannot be read" in response.json()["detail"]
    assert str(root) not in response.text
    assert "conv_head" in caplog.text


def test_a_folder_without_a_study_is_refused(tmp_path: Path, static: Path):
    with pytest.raises(StudyError, match=r"no study in .*: it has no study\.json"):
        make_app(tmp_path, static=static)


def test_a_page_that_was_never_built_is_refused(root: Path, tmp_path: Path):
    with pytest.raises(StudyError, match=r"no page in .*nowhere: it has no index\.html; install the package anew"):
        make_app(root, static=tmp_path / "nowhere")


@pytest.mark.parametrize("module", ["pellucid", "pellucid.web.app", "pellucid.web.export"])
def test_importing_loads_no_torch(module: str):
    program = f"import sys, {module}; print(sorted({{'torch', 'torchvision', 'timm'}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
