import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from pellucid.activations.summary import Bins, Summary
from pellucid.activations.summary.store import LayerRecord, summary_folder, write_summary
from pellucid.activations.tally import Tally
from pellucid.cli.distribution import distribution
from pellucid.errors import ObjectiveError, PellucidError, StudyError, SummaryError
from pellucid.study import Manifest, Study
from pellucid.study.unit_record import LayerPages, UnitPage, unit_folder

UNITS = 25


def run(*arguments: object) -> str:
    """What the command prints; its errors come through."""
    app = typer.Typer()
    app.command()(distribution)
    ended = CliRunner().invoke(app, list(map(str, arguments)))
    if ended.exception is not None:
        raise ended.exception
    return ended.output


def summarized(values: np.ndarray[Any, np.dtype[np.float32]]) -> Summary:
    """The summary of maps (N, U, P)."""
    flat = values.transpose(1, 0, 2).reshape(UNITS, -1).astype(np.float64)
    bins = Bins.around(flat.min(axis=1), flat.max(axis=1), flat.mean(axis=1), count=72)
    tally = Tally(bins, examples=3, samples=2, seed=0)
    tally.add(values, np.arange(len(values)) << 16, np.full(len(values), -1))
    return tally.finish()


@pytest.fixture(scope="module")
def maps() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).laplace(-1, 1, (40, UNITS, 49)).astype(np.float32)


@pytest.fixture
def study(maps: np.ndarray[Any, np.dtype[np.float32]], tmp_path: Path) -> Study:
    made = Study.create(
        tmp_path / "study", Manifest({"name": "n", "weights_sha256": "0"}, {"source": "x", "count": 40})
    )
    for layer, taps in (("a", {"pre": maps, "post": np.maximum(maps, 0)}), ("b", {"post": maps})):
        for tap, values in taps.items():
            write_summary(made, layer, tap, summarized(values))
        about = LayerRecord(layer, UNITS, 7, 7, tuple(taps), (32, 32), None, 40, 40, (), {"seed": 0})
        about.write(summary_folder(made, layer))
    return made


def test_units_of_a_study_are_described_and_written_into_their_pages(
    study: Study, maps: np.ndarray[Any, np.dtype[np.float32]], tmp_path: Path
) -> None:
    outputs = [tmp_path / f"d.{suffix}" for suffix in ("png", "svg", "csv", "json")]
    given = [part for path in outputs for part in ("-o", path)]
    shown = run(study.path, "a:1,3", "--resamples", 49, *given)
    assert "a:1 " in shown
    assert "a:3 " in shown
    assert "a:2 " not in shown
    for path in outputs:
        assert path.stat().st_size > 0
        assert f"wrote {path}" in shown.replace("\n", "")
    assert len(outputs[2].read_text().splitlines()) == 3
    data = json.loads(outputs[3].read_text())
    assert [unit["unit"] for unit in data["units"]] == ["a:1", "a:3"]
    assert data["units"][0]["taps"]["pre"]["mean"]["value"] == pytest.approx(maps[:, 1].mean(), abs=1e-4)

    folder = unit_folder(study, "a")
    assert [unit.unit for unit in LayerPages.read(folder).units] == [1, 3]
    page = UnitPage.read(folder / "3.json")
    assert page.parts == ("distribution",)
    assert (page.network, page.images, page.positions) == ("n", 40, 40 * 49)
    assert page.max == pytest.approx(maps[:, 3].max(), rel=1e-5)
    assert page.fires == pytest.approx((maps[:, 3] > 0).mean(), rel=1e-5)
    assert page.distribution is not None
    assert set(page.distribution.taps) == {"pre", "post"}
    post = page.distribution.taps["post"]
    assert post["fires"]["value"] == pytest.approx((maps[:, 3] > 0).mean(), rel=1e-5)
    assert post["rectified_mean"]["value"] == pytest.approx(np.maximum(maps[:, 3], 0).mean(), rel=1e-4)
    assert page.distribution.taps["pre"]["tail"]["scale"] == pytest.approx(1, abs=0.35)


def test_the_same_command_writes_the_same_pages(study: Study) -> None:
    run(study.path, "a:*", "--resamples", 19)
    files = sorted(unit_folder(study, "a").iterdir())
    before = [path.read_bytes() for path in files]
    run(study.path, "a:*", "--resamples", 19)
    assert [path.read_bytes() for path in files] == before
    assert len(files) == UNITS + 1


def test_the_tap_that_is_shown(study: Study) -> None:
    pre, post = run(study.path, "a:0", "--tap", "pre"), run(study.path, "a:0", "--tap", "post")
    assert run(study.path, "a:0") == pre != post
    assert run(study.path, "b:0", "--resamples", 19) == run(study.path, "b:0", "--tap", "post", "--resamples", 19)


def test_a_range_without_a_tail_says_why(study: Study) -> None:
    assert "no tail of a:0: a line needs 3 bins, and of those from 90 up none can be used" in run(
        study.path, "a:0", "--low", 90
    ).replace("\n", " ")


def test_a_published_histogram(shared_data: Path, tmp_path: Path) -> None:
    file = shared_data / "curve-detectors" / "human-probabilities.json"
    shown = run("--histogram", file, "--low", 25, "--high", 400, "-o", tmp_path / "d.json")
    assert "999,583 values, of which 22 are in none of the bins" in shown
    for number in ("999,561", "-152.6", "137.7", "0.1082", "44.18", "96.61", "0.999"):
        assert number in shown
    taps = json.loads((tmp_path / "d.json").read_text())["units"][0]["taps"]
    assert taps["pre"]["histogram"]["unplaced"] == 22
    assert "-165.1" in run("--histogram", file, "--at", "centre", "--resamples", 0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["STUDY", "a:25"], ObjectiveError, "the layer has units 0 to 24"),
        (["STUDY", "a"], ObjectiveError, "names no units; write 'layer:17'"),
        (["STUDY", "c:1"], StudyError, "no finished summary of layer 'c'; it has a, b"),
        (["STUDY", "b:1", "--tap", "pre"], StudyError, "does not come out of a rectifier"),
        (["STUDY", "a:1", "--tap", "middle"], PellucidError, "neither pre nor post"),
        (["STUDY", "a:1", "-o", "x.pdf"], PellucidError, r"\.csv or \.json, not '\.pdf'"),
        (["STUDY", "a:*", "-o", "x.png"], PellucidError, "a figure shows 24 units at most, not 25"),
        (["STUDY", "a:1", "--low", "5", "--high", "2"], SummaryError, "cannot begin at 5 and end at 2"),
        (["STUDY"], PellucidError, "give a study and units, such as 'layer:17'"),
        ([], PellucidError, "give a study and units"),
        (["STUDY", "a:1", "--histogram", "x.json"], PellucidError, "not both"),
        (["--histogram", "nowhere.json"], StudyError, "nowhere.json is missing"),
        (["--histogram", "nowhere.json", "--at", "right"], PellucidError, "neither left nor centre"),
    ],
)
def test_what_cannot_be_done_is_said(study: Study, arguments: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        run(*(study.path if argument == "STUDY" else argument for argument in arguments))
    assert not (study.path / "units").exists()
