"""`pellucid experiment observe`, as the function that the command calls."""

import json
from pathlib import Path

import pytest
import typer

from commands import output_of
from experiments import make_experiment
from pellucid.cli.experiment_observe import observe
from pellucid.errors import StudyError

app = typer.Typer()
app.command()(observe)


def test_a_table_of_all_rules_is_printed_written_and_kept(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=3, image_sets=2, conditions=("optimized", "none"))
    file = tmp_path / "table.json"
    said = output_of(app, tmp_path / "study", "drawn", "--observer", "oracle,centre,variance,random", "-o", file)
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if "│" in line]
    assert ["oracle", "optimized", "1.000", "[0.292, 1.000]", "", "1.000", "0"] in lines
    assert "6 stimuli of 3 units" in said
    assert {row["observer"] for row in json.loads(file.read_text())["accuracies"]} == {
        "oracle", "centre", "variance", "random",
    }  # fmt: skip
    assert sorted(path.name for path in (folder / "observers").iterdir()) == [
        "centre.json", "oracle.json", "random.json", "variance.json",
    ]  # fmt: skip


def test_networks_compare_in_one_condition_and_a_note_says_if_it_is_the_one_under_test(tmp_path: Path) -> None:
    make_experiment(tmp_path / "study", units=2, image_sets=1, catch=0, practice=0, obvious=0, task="two_choice")
    said = output_of(
        app, tmp_path / "study", "drawn", "--observer", "whole_pn", "--features", "handnet", "--condition", "natural",
        "--temperature", 0.05,
    )  # fmt: skip
    assert "whole_pn-handnet" in said
    assert "own features" not in said
    assert "optimized" not in said


def test_a_file_of_another_kind_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=1, image_sets=1, conditions=("none",))
    with pytest.raises(StudyError, match=r"\.json or \.csv"):
        output_of(app, tmp_path / "study", "drawn", "--observer", "oracle", "-o", tmp_path / "table.png")
    assert not (folder / "observers").exists()
