"""The worker behind a live page, with a small network and through the server."""

import base64
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image

from palettes import LAYER, palette_network, palette_study
from pellucid.activations import read_samples
from pellucid.activations.images import load_view, views
from pellucid.activations.sources import reopen
from pellucid.atlas.live import LiveWorker
from pellucid.atlas.paint import PaintConfig, paint
from pellucid.atlas.palette import Palette
from pellucid.errors import AtlasError, ImagesError, StudyError
from pellucid.networks import Network
from pellucid.pictures import to_pixels
from pellucid.study import Study
from pellucid.web.app import make_app
from photographs import drawn_photographs


@pytest.fixture(scope="module")
def network() -> Network:
    return palette_network()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    Path(folder / "patches").mkdir()
    Image.new("RGB", (30, 20), "red").save(folder / "patches" / "red.png")
    drawn_photographs(folder / "more", 3, seed=5)
    return folder


@pytest.fixture(scope="module")
def study(network: Network, folder: Path) -> Study:
    return palette_study(folder, network)


@pytest.fixture(scope="module")
def worker(network: Network, study: Study, folder: Path) -> Iterator[LiveWorker]:
    worker = LiveWorker(network, study, images=folder / "more", patches=folder / "patches")
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def client(study: Study, worker: LiveWorker, folder: Path) -> Iterator[TestClient]:
    (folder / "static").mkdir()
    (folder / "static" / "index.html").write_text("<!doctype html><title>page</title>")
    with TestClient(make_app(study.path, static=folder / "static", worker=worker)) as client:
        yield client


STROKES: tuple[Any, ...] = ((0, 0, ((2, 0, 0, 1.0),)), (11, 11, ((2, 1, 1, 1.0),)))


def wait(worker: LiveWorker, name: str | None, *states: str) -> dict[str, Any]:
    assert name is not None
    job: dict[str, Any] | None = None
    for _ in range(1200):
        job = worker.job(name)
        assert job is not None
        if job["state"] in states:
            return job
        time.sleep(0.05)
    pytest.fail(f"the painting is {job}")


def test_it_says_what_there_is(client: TestClient) -> None:
    assert client.get("/live").json() == {
        "format": 1,
        "network": "Small",
        "paint": [{"atlas": LAYER, "layer": LAYER, "rows": 12, "columns": 12}],
        "patches": ["red"],
        "images": 19,
        "query": True,
        "limits": {"steps": 512, "size": 320},
    }


def test_a_painting_through_the_server_is_that_of_the_function(
    client: TestClient, worker: LiveWorker, network: Network, study: Study
) -> None:
    strokes = [
        {"row": row, "column": column, "cells": [{"grid": g, "row": r, "column": c, "weight": weight}]}
        for row, column, ((g, r, c, weight),) in STROKES
    ]
    begun = client.post("/live/paint", json={"atlas": LAYER, "strokes": strokes, "steps": 10, "size": 32, "seed": 4})
    assert begun.status_code == 202
    job = wait(worker, begun.json()["job"], "done", "failed")
    assert (job["state"], job["done"], job["total"], job["picture"]) == ("done", 10, 10, True)
    direct = paint(network, Palette.open(study), STROKES, config=PaintConfig(steps=10, size=32, seed=4))
    with Image.open(BytesIO(client.get(f"/live/jobs/{begun.json()['job']}/picture.png").content)) as picture:
        assert (np.asarray(picture) == to_pixels(direct.image[None])[0]).all()
    assert [name for name, _ in job["top"]] == [name for name, _ in direct.top]


def test_a_painting_can_be_seen_and_ended_while_it_is_made(worker: LiveWorker) -> None:
    running = worker.paint(LAYER, STROKES, steps=512, size=64, seed=0)
    waiting = worker.paint(LAYER, STROKES, steps=512, size=64, seed=1)
    assert running is not None
    assert waiting is not None
    for _ in range(1200):
        if worker.picture(running):
            break
        time.sleep(0.05)
    with Image.open(BytesIO(worker.picture(running) or b"")) as preview:
        assert preview.size == (64, 64)
    assert (worker.job(waiting) or {})["state"] == "waiting"
    assert (worker.cancel(waiting) or {})["state"] == "cancelled"
    worker.cancel(running)
    job = wait(worker, running, "cancelled", "done", "failed")
    assert job["state"] == "cancelled"
    assert 0 < job["done"] < 512
    assert worker.picture(waiting) is None
    assert worker.cancel("nothing") is None
    assert worker.job("nothing") is None


def test_too_many_paintings_are_not_taken(worker: LiveWorker) -> None:
    names = [worker.paint(LAYER, STROKES, steps=512, size=64, seed=seed) for seed in range(14)]
    taken = [name for name in names if name is not None]
    assert 8 <= len(taken) < 14
    for name in taken:
        worker.cancel(name)
    for name in taken:
        wait(worker, name, "cancelled", "done")


def test_a_painting_that_fails_says_why_and_the_next_goes_well(
    worker: LiveWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the model's own fault")

    with monkeypatch.context() as patched:
        patched.setattr("pellucid.atlas.live.paint", broken)
        failed = wait(worker, worker.paint(LAYER, STROKES, steps=4, size=32, seed=0), "done", "failed")
    assert (failed["state"], failed["detail"]) == ("failed", "RuntimeError: the model's own fault")
    assert wait(worker, worker.paint(LAYER, STROKES, steps=2, size=32, seed=0), "done", "failed")["state"] == "done"


def test_a_cell_that_is_not_there_is_refused_at_once(client: TestClient) -> None:
    stroke = {"row": 0, "column": 0, "cells": [{"grid": 4, "row": 0, "column": 0}]}
    response = client.post("/live/paint", json={"atlas": LAYER, "strokes": [stroke]})
    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    assert "has no grid of 4 cells a side" in response.json()["detail"]


def test_a_patch_is_pasted_where_it_was_asked_for(
    client: TestClient, worker: LiveWorker, network: Network, study: Study
) -> None:
    picture = reopen(study.manifest.images).open(3)
    before = load_view(picture, views(picture.size, (1.0,), network.crop)[0], network)
    for corner, (rows, columns) in enumerate(
        (a, b) for a in (slice(0, 12), slice(12, 24)) for b in (slice(0, 12), slice(12, 24))
    ):
        sent = {"image": 3, "patch": "red", "size": 0.5, "corner": corner}
        answer = client.post("/live/patch", json=sent).json()
        with Image.open(BytesIO(base64.b64decode(answer["picture"]))) as shown:
            pixels = np.asarray(shown).astype(float) / 255
        wanted = before.permute(1, 2, 0).numpy().copy()
        wanted[rows, columns] = (1, 0, 0)
        np.testing.assert_allclose(pixels, wanted, atol=0.01)
        with torch.no_grad():
            logits = network(torch.from_numpy(wanted).permute(2, 0, 1)[None])[0]
        probabilities = logits.softmax(dim=0)
        best = logits.argsort(descending=True)[:6].tolist()
        assert [name for name, _, _ in answer["after"]] == [f"class {index}" for index in best]
        assert answer["after"][0][1] == pytest.approx(float(logits[best[0]]), abs=1e-3)
        assert answer["after"][0][2] == pytest.approx(float(probabilities[best[0]]), abs=1e-3)
        assert answer["before"] != answer["after"]
    with pytest.raises(AtlasError, match="there is no patch 'blue'"):
        worker.patch(3, "blue", size=0.5, corner=0)


def test_images_are_found_by_their_names(client: TestClient, study: Study) -> None:
    every = client.get("/live/images?limit=500").json()["images"]
    assert [image["index"] for image in every] == list(range(19))
    assert [image["name"] for image in every[16:]] == ["001.png", "002.png", "deeper/000.png"]
    assert [image["name"] for image in client.get("/live/images?find=DEEPER/00&limit=2").json()["images"]] == [
        "deeper/000.png",
        "deeper/003.png",
    ]
    with Image.open(BytesIO(client.get("/live/images/18.jpg").content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (48, 40))
    assert client.get("/live/images/19.jpg").status_code == 404


def test_a_query_finds_the_images_of_a_cell(client: TestClient, study: Study) -> None:
    palette = Palette.open(study)
    mean = palette.mix([(2, 0, 0, 1.0)]).astype(np.float64)
    samples = read_samples(study, LAYER)
    values = samples.activation.astype(np.float64)
    cosines = values @ mean / np.linalg.norm(values, axis=1) / np.linalg.norm(mean)
    cell = {"grid": 2, "row": 0, "column": 0, "weight": 1}
    found = client.post("/live/query", json={"atlas": LAYER, "cells": [cell], "limit": 3}).json()["images"]
    assert found[0]["index"] == samples.image[cosines.argmax()]
    assert found[0]["score"] == pytest.approx(cosines.max(), abs=2e-3)
    assert len({image["index"] for image in found}) == 3
    for image in found:
        left, top, right, bottom = image["box"]
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1


def test_images_that_have_been_moved_keep_their_numbers(network: Network, tmp_path: Path) -> None:
    moved = palette_study(tmp_path, network, images=8)
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    worker = LiveWorker(network, moved, images=tmp_path / "elsewhere")
    try:
        assert [one["index"] for one in worker.find("", 3)] == [8, 9, 10]
        assert worker.image(0) is None
        assert worker.image(8) is not None
        assert worker.query(LAYER, [(2, 0, 0, 1.0)], 2)[0]["box"] == [0.0, 0.0, 1.0, 1.0]
        (moved.path / "atlas" / LAYER / "atlas.json").write_text("{")
        assert worker.about()["paint"] == []
    finally:
        worker.close()


def test_another_networks_study_is_refused(study: Study, folder: Path, network: Network) -> None:
    with pytest.raises(StudyError, match="made with other weights than those of Small"):
        LiveWorker(palette_network(seed=1), study)
    with pytest.raises(ImagesError, match="no folder"):
        LiveWorker(network, study, patches=folder / "nothing")
