import csv
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from commands import output_of
from pellucid.cli.curves import app
from pellucid.curves.labels import LABELS
from pellucid.curves.tuning_curves import VonMises, read_tuning_curves, tuning_record
from pellucid.errors import PellucidError, StudyError

run = partial(output_of, app)


@pytest.fixture
def tuned(tmp_path: Path) -> Path:
    curves = {f"a:{at}": VonMises(2.0, at, 9).curve(72) for at in (0, 120, 240)}
    curves |= {f"b:{at}": VonMises(2.0, at, 1).curve(72) for at in (50, 250)}
    path = tmp_path / "tuned.json"
    path.write_text(json.dumps(tuning_record(curves)))
    return path


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    draws = np.random.default_rng(0)
    left = np.arange(-200, 401, 25)
    counts = {name: draws.poisson(np.exp(left / 200 * (1 - number))) for number, name in enumerate(LABELS)}
    content = {"bin_left_edge": left.tolist(), **{name: row.tolist() for name, row in counts.items()}}
    content["dataset_histogram"] = {"bin_left_edge": left.tolist(), "count": [100 + int(x) // 10 for x in -left]}
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(content))
    return path


def test_radial_prints_and_writes_what_it_measures(tuned: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"r.{ending}" for ending in ("png", "svg", "csv", "json")]
    shown = run("radial", tuned, *(part for path in outputs for part in ("-o", path)))
    assert "a:120" in shown
    assert "a: 3 units, median R 0.94" in shown
    assert "widest gaps 120° (240 to 0), 120° (120 to 240), 120° (0 to 120)" in shown
    assert all(path.stat().st_size > 0 and f"wrote {path}" in shown.replace("\n", "") for path in outputs)
    rows = list(csv.DictReader(outputs[2].read_text().splitlines()))
    assert [row["unit"] for row in rows] == ["a:0", "a:120", "a:240", "b:50", "b:250"]
    assert float(rows[1]["kappa"]) == pytest.approx(9, rel=1e-3)
    assert read_tuning_curves(outputs[3])["a:120"].argmax == 120
    assert json.loads(outputs[3].read_text())["measures"][1]["mean"] == pytest.approx(120)


def test_families_judges_and_groups_units(tuned: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"f.{ending}" for ending in ("png", "csv", "json")]
    shown = run("families", tuned, *(part for path in outputs for part in ("-o", path)))
    assert "a: 3 mature, 0 proto, 0 double, 0 none, of 3 units" in shown
    assert "b: 0 mature, 2 proto, 0 double, 0 none, of 2 units" in shown
    data = json.loads(outputs[2].read_text())
    assert [family["units"] for family in data["families"]["a"]] == [["a:0", "a:120", "a:240"]]
    assert [row["kind"] for row in csv.DictReader(outputs[1].read_text().splitlines())] == ["mature"] * 3 + [
        "proto"
    ] * 2
    other = run("families", tuned, "--template", tuned, "--alike", 1)
    assert other != shown


def test_two_files_of_one_unit_are_refused(tuned: Path) -> None:
    with pytest.raises(PellucidError, match=r"tuned.json: a:0 is in another of the files, too"):
        run("families", tuned, tuned)


@pytest.mark.parametrize("command", ["radial", "families"])
def test_what_cannot_be_written_is_refused_first(command: str, tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=r"as .png, .svg, .csv or .json, not '.txt'"):
        run(command, tmp_path / "no.json", "-o", tmp_path / "a.txt")
    with pytest.raises(StudyError, match=r"no\.json is missing"):
        run(command, tmp_path / "no.json")


def test_labels_prints_both_conventions_with_intervals(labelled: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"l.{ending}" for ending in ("png", "csv", "json")]
    given = [part for path in outputs for part in ("-o", path)]
    shown = run("labels", "--counts", labelled, "--resamples", 50, *given)
    data = json.loads(outputs[2].read_text())
    assert [row["label"] for row in data["labels"]] == [*LABELS, "curve+imperfect"]
    last = data["labels"][-1]
    assert f"{last['left']:.3f} [{last['left_interval'][0]:.3f}, {last['left_interval'][1]:.3f}]" in shown
    assert f"{last['centre']:.3f} [" in shown
    assert f"curve+imperfect against opposing: {data['discrimination'][-1]['images']:.3f} of images" in shown
    assert len(outputs[1].read_text().splitlines()) == 26
    assert run("labels", "--counts", labelled, "--resamples", 50) in shown
    assert run("labels", "--counts", labelled, "--resamples", 50, "--seed", 1) not in shown
    bare = run("labels", "--counts", labelled, "--resamples", 0, "--window", 0, "--at", "centre", "--positive", "curve")
    assert "[" not in bare
    assert "curve+imperfect" not in bare


def test_published_shares_are_read_from_a_folder_or_a_file(labelled: Path, tmp_path: Path) -> None:
    content = json.loads(labelled.read_text())
    left, counts = content["bin_left_edge"], np.array([content[name] for name in LABELS], float)
    shares = np.divide(counts, counts.sum(axis=0), out=np.zeros_like(counts), where=counts.sum(axis=0) > 0)
    positions = np.array(content["dataset_histogram"]["count"])
    (tmp_path / "human-firstplot.json").write_text(json.dumps({"bins": left, "heights": shares.tolist()}))
    heights = positions / positions.sum() / 25
    (tmp_path / "human-probabilities.json").write_text(json.dumps({"bins": left, "heights": heights.tolist()}))
    (tmp_path / "plain.json").write_text(json.dumps({"bins": left, "heights": positions.tolist()}))
    shown = run("labels", "--published", tmp_path)
    assert "of images" not in shown
    assert "[" not in shown
    file = tmp_path / "human-firstplot.json"
    assert run("labels", "--published", file, "--histogram", tmp_path / "plain.json") == shown
    by_counts = run("labels", "--counts", labelled, "--window", 0, "--resamples", 0)
    for line in shown.splitlines()[1:5]:
        assert line.split()[-2:] in [other.split()[-2:] for other in by_counts.splitlines()]


def test_answers_of_several_raters_are_compared_and_decided(tmp_path: Path, labelled: Path) -> None:
    rows = ["image,activation,label,rater"]
    rows += [f"{n},{25 * n - 190},{'curve' if n > 12 else 'unrelated'},ann" for n in range(20)]
    rows += [f"{n},{25 * n - 190},{'curve' if n > 14 else 'unrelated'},bob" for n in range(20)]
    answers, histogram = tmp_path / "a.csv", tmp_path / "h.json"
    answers.write_text("\n".join(rows))
    histogram.write_text(json.dumps({"bins": list(range(-200, 401, 25)), "heights": [100] * 25}))
    shown = run("labels", "--answers", answers, "--histogram", histogram, "--resamples", 10)
    assert "ann and bob: 20 images, 90.0% alike, Cohen's kappa 0.7" in shown
    assert "all 2 raters: 20 images, Fleiss' kappa 0.7" in shown
    assert next(line.split()[1] for line in shown.splitlines() if line.startswith("curve ")) == "5"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of --counts, --published and --answers"),
        (["--counts", "a", "--answers", "b"], "one of --counts, --published and --answers"),
        (["--counts", "a", "--at", "right"], "--at 'right' is neither left nor centre"),
        (["--answers", "a.csv"], "--histogram FILE"),
    ],
)
def test_what_labels_cannot_do_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(PellucidError, match=message):
        run("labels", *arguments)


def test_counts_without_a_histogram_ask_for_one(labelled: Path, tmp_path: Path) -> None:
    content = json.loads(labelled.read_text())
    del content["dataset_histogram"]
    (tmp_path / "bare.json").write_text(json.dumps(content))
    with pytest.raises(PellucidError, match=r"bare.json has no dataset_histogram; give .* --histogram FILE"):
        run("labels", "--counts", tmp_path / "bare.json")


def test_the_analysis_loads_no_torch() -> None:
    # A fresh process: this one has torch already.
    names = ("tuning_curves", "labels", "rule", "families", "layers", "family_plot")
    loaded = "; ".join(f"import pellucid.curves.{name}" for name in names)
    found = f"import sys; {loaded}; import pellucid.cli.curves; print(sorted({{'torch', 'timm'}} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
