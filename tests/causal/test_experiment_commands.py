"""The commands that analyse answers and compute power, as one function each."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from answers import answers, participants
from experiments import make_experiment
from pellucid.causal.design import make_design
from pellucid.cli.experiment_analyze import analyze
from pellucid.cli.experiment_power import power
from pellucid.cli.experiment_simulate import simulate
from pellucid.errors import PellucidError
from pellucid.study.experiments import Answer, Observed, Stimuli

PROGRAM = typer.Typer()
PROGRAM.command("analyze")(analyze)
PROGRAM.command("power")(power)
PROGRAM.command("simulate")(simulate)


def ran(*arguments: object) -> str:
    """What a command prints; its errors are raised."""
    ended = CliRunner().invoke(PROGRAM, [str(one) for one in arguments], catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return ended.output


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    frame = answers(8, 12, right=0.7)
    frame.to_csv(tmp_path / "answers.csv", index=False)
    participants(frame, total_s=[5.0] + [400.0] * 15).to_parquet(tmp_path / "participants.parquet")
    return tmp_path


QUICK = ("--resamples", 50, "--permutations", 5)


def test_exported_answers_are_analysed_and_written(exported: Path):
    out = exported / "analysis"
    told = ran(
        "analyze", exported / "answers.csv", "--participants", exported / "participants.parquet", *QUICK, "-o", out
    )
    assert "16 people, 15 kept" in told
    assert "Differences over people and units" in told
    names = {path.name for path in out.iterdir()}
    assert names == {
        "analysis.json", "analysis.md", "accuracy.png", "differences.png", "reaction_times.png", "confidence.png",
        "layers.png", "difficulty.png",
    }  # fmt: skip
    written = json.loads((out / "analysis.json").read_text())
    assert written["format"] == 1
    assert written["exclusions"]["checked"][0]["failed"] == ["least_total_s"]
    linked = re.findall(r"!\[.*\]\((.*)\)", (out / "analysis.md").read_text())
    assert set(linked) == {name for name in names if name.endswith(".png")}
    again = ran("analyze", exported / "answers.csv", "--participants", exported / "participants.parquet", *QUICK)
    assert again == told.replace(told.splitlines()[-1] + "\n", "")


def test_rules_are_read_from_settings_or_left_out(exported: Path):
    (exported / "settings.toml").write_text("[exclusion]\nleast_total_s = 1.0\nmost_total_s = 399.0\n")
    files = (exported / "answers.csv", "--participants", exported / "participants.parquet", *QUICK)
    assert "16 people, 1 kept" in ran("analyze", *files, "--rules", exported)
    assert "16 people, 16 kept" in ran("analyze", *files, "--keep-all")


def test_observers_are_compared_with_people(exported: Path):
    stimuli = sorted(set(pd.read_csv(exported / "answers.csv")["stimulus"]))
    some = tuple(Answer(one, "none", float(n % 2)) for n, one in enumerate(stimuli))
    Observed("centre", some, {}, "").write(exported)
    told = ran("analyze", exported / "answers.csv", "--observer", exported / "observers" / "centre.json", *QUICK)
    assert "centre in none" in told


def test_a_study_is_analysed_from_its_database_with_its_own_rules(tmp_path: Path):
    folder = make_experiment(tmp_path / "study", conditions=("natural", "none"))
    design = make_design(Stimuli.read(folder), people=3)
    design.write(folder)
    ran("simulate", tmp_path / "study", "drawn", "--people", 6, "--skilled")
    database = f"sqlite:///{folder / 'simulated' / 'oracle.sqlite'}"
    (folder / "settings.toml").write_text("[exclusion]\nleast_total_s = 10.0\nside_variability = false\n")
    found = Stimuli.read(folder)
    right = tuple(Answer(one.id, c, float(n % 2)) for n, one in enumerate(found.stimuli) for c in found.conditions)
    Observed("current", right, {}, found.digest()).write(folder)
    Observed("outdated", right, {}, "0" * 64).write(folder)
    told = ran("analyze", tmp_path / "study", "--database", database, *QUICK)
    assert "drawn: 6 people, 6 kept, 24 main trials" in told
    assert "12/12" in told
    assert "left out: observer outdated, whose answers are about other stimuli" in told
    assert "side variability" not in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["answers.csv", "drawn"], "NAME is about a study, and answers.csv is not a folder"),
        (["answers.csv", "--rules", "absent"], "there is no settings.toml in absent"),
        (["answers.csv", "--published", "--participants", "p.csv"], "have no table of participants"),
        (["answers.csv", "--published"], "is not the published table of experiment I"),
        ([".", "--published"], "are about a file of answers, not a study"),
        (["nothing.csv"], "nothing.csv cannot be read as a table"),
    ],
)
def test_what_does_not_fit_is_refused(exported: Path, monkeypatch, arguments: list[str], message: str):
    monkeypatch.chdir(exported)
    with pytest.raises(PellucidError, match=message):
        ran("analyze", *arguments)


def test_power_is_printed_and_written(tmp_path: Path):
    told = ran(
        "power", "--people", "6,12", "--units", 8, "--effect", "0,0.1", "--simulations", 10, "-o", tmp_path / "p.csv",
    )  # fmt: skip
    table = pd.read_csv(tmp_path / "p.csv")
    assert table[["people", "units", "effect"]].round(6).to_numpy().tolist() == [
        [6, 8, 0], [12, 8, 0], [6, 8, 0.1], [12, 8, 0.1],
    ]  # fmt: skip
    assert "+10.0 pp" in told
    ran("power", "--people", 6, "--units", 8, "--simulations", 5, "-o", tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text())["rows"][0]["people"] == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--people", "many"], "--people 'many' are not numbers"),
        (["--units", ","], "need a number each"),
        (["--effect", "0.5"], "accuracies lie between 0 and 1"),
        (["-o", "power.txt"], "the table is written as .csv or .json, not '.txt'"),
    ],
)
def test_impossible_sizes_are_refused(arguments: list[str], message: str):
    with pytest.raises(PellucidError, match=message):
        ran("power", *arguments)
