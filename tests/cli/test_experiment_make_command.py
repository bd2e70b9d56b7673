"""`pellucid experiment make` on a small network."""

from pathlib import Path

import pytest
import typer

from commands import output_of
from pellucid.cli.experiment_make import make
from pellucid.errors import PellucidError
from pellucid.study.experiments import Stimuli
from photographs import drawn_photographs

APP = typer.Typer()
APP.command()(make)
QUICK = (
    "--image-sets", 1, "--stride", 24, "--conditions", "natural,none", "--catch", 1, "--practice", 0, "--obvious", 0,
    "--instruction", 0, "--extra-units", 1, "--no-near",
)  # fmt: skip


def test_the_command_makes_stimuli_a_sheet_and_says_what_comes_next(tmp_path: Path) -> None:
    photographs, study = drawn_photographs(tmp_path / "photographs", 30), tmp_path / "study"
    said = output_of(
        APP, "handnet", "--images", photographs, "--study", study, "--name", "small", "relu4:6", *QUICK, "--sheet",
        tmp_path / "sheet.png",
    )  # fmt: skip
    assert "1 stimuli of 1 units (1 catch, 0 practice, 0 obvious, 0 instruction)" in said
    assert f"next: pellucid experiment design {study} small" in said
    assert (tmp_path / "sheet.png").is_file()
    stimuli = Stimuli.read(study / "experiments" / "small")
    assert [one.address for one in stimuli.of_role("main")] == ["relu4:6"]
    assert stimuli.conditions == ("natural", "none")
    again = output_of(APP, "handnet", "--images", photographs, "--study", study, "--name", "small", "relu4:6", *QUICK)
    assert "1 stimuli of 1 units" in again


@pytest.mark.parametrize("chosen", [(), ("relu4:6", "--sample", 2)])
def test_units_are_either_named_or_drawn(chosen: tuple[object, ...], tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match="one of both"):
        output_of(APP, "handnet", "--images", tmp_path, "--study", tmp_path / "study", *chosen)


def test_a_name_that_is_no_folder_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match="cannot name an experiment"):
        output_of(APP, "handnet", "--images", tmp_path, "--study", tmp_path, "--name", "../up", "relu4:6")
