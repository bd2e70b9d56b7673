"""A harvest on a real cluster of this machine alone: it is that of the local engine, whatever happens on the way."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import ray
import torch
from PIL import Image

from pellucid.activations.attempts import Attempts
from pellucid.activations.engines import LocalEngine, pipeline
from pellucid.activations.engines.cluster import Crew, connected, crew
from pellucid.activations.engines.ray import RayEngine
from pellucid.activations.engines.remote import SESSION, Worker, packed, unpacked
from pellucid.activations.parts import PartStore
from pellucid.activations.summarizing import SummaryConfig, summarize
from pellucid.activations.summary import read_summary, taps
from pellucid.errors import PellucidError, StudyError
from pellucid.study import Manifest, Study
from photographs import drawn_photographs
from troubled import troubled_network, watched_source

TESTS = Path(__file__).parents[1]
LAYERS = ["relu1", "relu2", "head"]
CONFIG = SummaryConfig(examples=5, samples=4, bins=24, groups=6, shard=4, batch=3)
TWO = RayEngine(workers=2, cpus=0.5)
PATIENCE = 120  # seconds


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A Ray of two processors, and its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200 * 2**20)
        yield ray.get_runtime_context().gcs_address
        ray.shutdown()


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """As many as a worker of less than two processors has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def bucket() -> Iterator[dict[str, Any]]:
    """An empty bucket `parts` that all processes reach: the options of its file system."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL
    )
    options = {"key": "anyone", "secret": "anything", "endpoint_url": f"http://127.0.0.1:{port}"}
    try:
        until(lambda: reached(port))
        fsspec.filesystem("s3", **options).mkdir("parts")
        yield options
    finally:
        server.kill()
        server.wait()


def reached(port: int) -> bool:
    with socket.socket() as some:
        return some.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures, and a file that is none."""
    folder = drawn_photographs(tmp_path_factory.mktemp("images"), 60)
    (folder / "broken.jpg").write_bytes(b"not a picture")
    return folder


@pytest.fixture(scope="module")
def expected(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study of one process that nothing happens to."""
    folder = tmp_path_factory.mktemp("expected")
    return run(images, folder, LocalEngine(workers=0))


def run(images: Path, folder: Path, engine: Any, trouble: str = "") -> Study:
    watch = folder / "watch"
    network = troubled_network(watch, trouble)
    return summarize(network, watched_source(images, watch), LAYERS, folder / "study", config=CONFIG, engine=engine)


def assert_same(study: Study, expected: Study) -> None:
    for layer in LAYERS:
        assert taps(study, layer) == taps(expected, layer)
        for tap in taps(expected, layer):
            one, other = (read_summary(some, layer, tap).arrays() for some in (study, expected))
            assert one.keys() == other.keys()
            for name, value in other.items():
                if name in ("powers", "class_sums", "second_sums", "second_products"):
                    np.testing.assert_allclose(one[name], value, rtol=1e-9, atol=1e-9, err_msg=name)
                else:
                    np.testing.assert_array_equal(one[name], value, err_msg=f"{layer} {tap} {name}")
    assert (study.path / "summaries" / "skipped.json").read_text() == (
        expected.path / "summaries" / "skipped.json"
    ).read_text()


def until(there: Callable[[], Any]) -> Any:
    """Wait for something, and give it."""
    end = time.monotonic() + PATIENCE
    while not (found := there()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


def processes(folder: Path, kind: str) -> set[int]:
    """Those that the network ran in, or that images were read in."""
    return {int(path.name.partition("-")[2]) for path in (folder / "watch").glob(f"{kind}-*")}


def alive(numbers: set[int]) -> bool:
    """Whether any of these processes still runs."""
    return any(Path(f"/proc/{number}").exists() for number in numbers)


def test_a_worker_that_is_killed_loses_nothing(cluster: str, images: Path, expected: Study, tmp_path: Path) -> None:
    stalled = tmp_path / "watch" / "stalled"
    killed = []

    def kill() -> None:
        killed.append(int(until(lambda: stalled.exists() and stalled.read_text())))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    study = run(images, tmp_path, TWO, "stall")
    killer.join()
    assert_same(study, expected)
    networks = processes(tmp_path, "network")
    assert len(networks) == 3  # two, and one in place of that which was killed
    assert killed[0] in networks
    assert not networks & processes(tmp_path, "reader")
    assert not list((study.path / "summaries").glob(".parts*"))
    assert ray.is_initialized()  # it was not the engine's to end


def test_workers_killed_at_ten_random_moments_lose_nothing(
    cluster: str, images: Path, expected: Study, tmp_path: Path
) -> None:
    moments = np.random.default_rng(0).uniform(0, 1, 10)
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        for moment in moments:
            found = until(lambda: ended.is_set() or [one for one in running(tmp_path) if one not in killed])
            if ended.wait(moment):
                return
            killed.append(found[0])
            with suppress(ProcessLookupError):  # it had done its work
                os.kill(killed[-1], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        for attempt in range(10):  # a run may be over before it is hit ten times; the next one is hit as well
            folder = tmp_path / str(attempt)
            folder.mkdir()
            assert_same(run_until_done(images, folder), expected)
            if not killer.is_alive():
                break
    finally:
        ended.set()
        killer.join()
    assert len(killed) == 10


def run_until_done(images: Path, folder: Path) -> Study:
    """Give the command again where all attempts at a shard were hit, as its error says."""
    while True:
        try:
            return run(images, folder, TWO, "slow")
        except StudyError as error:
            if "were lost again and again" not in str(error):
                raise


def running(folder: Path) -> list[int]:
    """Processes that a network runs in, in any run below a folder."""
    return [number for one in folder.iterdir() for number in sorted(processes(one, "network")) if alive({number})]


def test_after_the_program_was_killed_it_goes_on_from_the_parts_in_a_bucket(
    cluster: str, bucket: dict[str, Any], images: Path, expected: Study, tmp_path: Path
) -> None:
    files = fsspec.filesystem("s3", **bucket)

    def there() -> list[str]:
        files.invalidate_cache()
        return [path for path in files.find("parts") if path.endswith(".npz") and not path.endswith("bins.npz")]

    command = "import sys, json, test_ray; test_ray.main(*map(json.loads, sys.argv[1:]))"
    arguments = [json.dumps(value) for value in (cluster, bucket, str(images), str(tmp_path))]
    path = os.pathsep.join([str(TESTS), str(TESTS / "activations"), os.environ.get("PYTHONPATH", "")])
    program = subprocess.Popen([sys.executable, "-c", command, *arguments], env={**os.environ, "PYTHONPATH": path})
    until(lambda: program.poll() is not None or len(there()) >= 2)
    program.kill()
    assert program.wait() == -signal.SIGKILL, "the program ended by itself"
    until(lambda: not alive(processes(tmp_path, "network") | processes(tmp_path, "reader")))
    for path in (tmp_path / "watch").glob("reader-*"):
        path.unlink()
    study = run(images, tmp_path, RayEngine(workers=2, cpus=0.5, parts="s3://parts/some", options=bucket))
    read = [path.read_text().split() for path in (tmp_path / "watch").glob("reader-*")]
    assert 0 < sum(map(len, read)) <= 61 - 2 * CONFIG.shard
    assert_same(study, expected)
    assert there() == []


def main(address: str, bucket: dict[str, Any], images: str, folder: str) -> None:
    """The program that is killed."""
    torch.set_num_threads(1)
    engine = RayEngine(address, workers=2, cpus=0.5, parts="s3://parts/some", options=bucket)
    run(Path(images), Path(folder), engine, "slow")


@pytest.mark.parametrize(
    ("trouble", "error", "message"),
    [
        ("raise", RuntimeError, "the model's own fault"),
        ("full", StudyError, r"cannot write .*0-\d+\.npz: File too large"),
    ],
)
def test_an_error_comes_as_it_was_raised(
    cluster: str, images: Path, tmp_path: Path, trouble: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        run(images, tmp_path, TWO, trouble)
    assert "Traceback" not in str(raised.value)
    assert "Traceback" in raised.value.__notes__[0]
    until(lambda: not alive(processes(tmp_path, "network")))


def test_shards_that_no_process_survives_are_named(
    cluster: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_ATTEMPTS", 1)
    deadly = tmp_path / "images"
    shutil.copytree(images, deadly)
    Image.new("RGB", (30, 30), "white").save(deadly / "021.png")
    names = [path.relative_to(deadly).as_posix() for path in sorted(deadly.rglob("*.*"))]
    shard = names.index("021.png") // CONFIG.shard
    with pytest.raises(StudyError, match=rf"1 of 16 shards .*: {shard} \(images .*summarizing it ended without a word"):
        run(deadly, tmp_path, RayEngine(workers=1), "exit")
    assert not processes(tmp_path, "network") & processes(tmp_path, "reader")  # which have as many processors each


def test_a_folder_that_the_machines_do_not_share_is_told(cluster: str, tmp_path: Path) -> None:
    store = PartStore(str(tmp_path))
    store.write_file(SESSION, b"of another program")
    worker = Worker(None, ray.remote(num_cpus=0)(Attempts).remote(1), store, b"of this one", 1)
    row = worker({"shard": np.array([3]), "error": np.array([b""], object)})
    assert row["shard"].tolist() == [3]
    assert "does not see" in str(unpacked(row["error"][0]))


def test_a_cluster_that_is_too_small_is_told(cluster: str, images: Path, tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=r"2 processors and 0 GPUs, too few for 2 workers of 1 processors"):
        run(images, tmp_path, RayEngine(workers=2))
    with pytest.raises(PellucidError, match=r"too few for 1 workers .* and 1 GPUs"):
        run(images, tmp_path, RayEngine(workers=1, gpus=1))


def test_a_cluster_without_the_package_is_told(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connected(None, None):
        pass
    monkeypatch.setattr("pellucid.activations.engines.cluster._PACKAGE", "no_such_package")
    with pytest.raises(PellucidError, match="cannot import pellucid; install it"), connected(None, None):
        pass


def test_workers_fit_the_cluster(cluster: str) -> None:
    assert crew(None, 1, None) == Crew(1, 1, 0)
    assert crew(None, 0.5, None) == Crew(2, 0.5, 0)  # and a processor that reads
    assert crew(None, 0.25, 0) == Crew(4, 0.25, 0)
    assert crew(9, 0.5, None, fewer=True) == Crew(2, 0.5, 0)
    with pytest.raises(PellucidError, match="too few for 9 workers"):
        crew(9, 0.5, None)


def test_what_is_no_cluster_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PellucidError, match="workers = 0 must be positive"):
        RayEngine(workers=0)
    with pytest.raises(PellucidError, match="cpus = 0 must be positive"):
        RayEngine(cpus=0)
    with pytest.raises(PellucidError, match=r"ray://head:10001: .* 'ray job submit'"):
        RayEngine("ray://head:10001")
    monkeypatch.setattr("pellucid.activations.engines.ray.find_spec", lambda name: None)
    with pytest.raises(PellucidError, match=r"pip install 'pellucid\[ray\]'"):
        RayEngine()


def test_parts_of_different_studies_do_not_meet_in_a_bucket(tmp_path: Path) -> None:
    engine = RayEngine(parts="memory://parts/")
    places = []
    for number, digest in enumerate(["a", "b", "a"]):
        study = Study.create(tmp_path / str(number), Manifest({"name": "n"}, {"digest": digest}))
        places.append(engine.store(study.path / "summaries" / ".parts-1").where)
    assert places[0] == places[2] != places[1]
    assert RayEngine().store(tmp_path / "parts").local == (tmp_path / "parts").resolve()


def test_where_parts_go_is_the_same_for_all_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = Study.create(tmp_path / "study", Manifest({"name": "n"}, {"digest": "a"}))
    folder = study.path / "summaries" / ".parts-1"
    assert Path(RayEngine(parts="shared").store(folder).where).parent == tmp_path / "shared"
    with pytest.raises(PellucidError, match="parts = 'nothing://at/all' cannot be used: Protocol not known"):
        RayEngine(parts="nothing://at/all").store(folder)


def test_errors_that_cannot_be_sent_are_told() -> None:
    error = OSError("with a lock")
    error.lock = threading.Lock()  # type: ignore[attr-defined]
    received = unpacked(packed(error))
    assert isinstance(received, RuntimeError)
    assert str(received) == "OSError: with a lock"
