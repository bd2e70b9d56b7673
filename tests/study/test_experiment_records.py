import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import make_experiment
from pellucid.errors import StudyError
from pellucid.study import Study
from pellucid.study.experiments import Design, Observed, Settings, Stimuli, experiments, find_experiment
from pellucid.study.experiments.design import Schedule, Shown
from pellucid.study.experiments.observed import Answer
from pellucid.study.experiments.settings import write_settings


def test_stimuli_read_back_as_they_were_written_and_the_same_seed_gives_the_same_digest(tmp_path: Path):
    folder = make_experiment(tmp_path / "one")
    stimuli = Stimuli.read(folder)
    stimuli.write(tmp_path)
    assert Stimuli.read(tmp_path) == stimuli
    assert Stimuli.read(make_experiment(tmp_path / "two")).digest() == stimuli.digest()
    assert Stimuli.read(make_experiment(tmp_path / "three", seed=1)).digest() != stimuli.digest()
    assert list(experiments(Study.open(tmp_path / "one"))) == [folder]


def test_an_experiment_is_found_by_its_name_or_as_the_only_one(tmp_path: Path):
    one = make_experiment(tmp_path / "study", "one", units=1, image_sets=1)
    study = Study.open(tmp_path / "study")
    assert find_experiment(study) == find_experiment(study, "one") == one
    with pytest.raises(StudyError, match="has no experiment two; it has one"):
        find_experiment(study, "two")
    with pytest.raises(StudyError, match="cannot name an experiment"):
        find_experiment(study, "../one")
    make_experiment(tmp_path / "study", "two", units=1, image_sets=1)
    with pytest.raises(StudyError, match="several experiments: name one of one, two"):
        find_experiment(study)
    (one / "stimuli.json").unlink()
    (one.parent / "two" / "stimuli.json").unlink()
    with pytest.raises(StudyError, match="has no experiment; make one"):
        find_experiment(study)


def test_a_stimulus_whose_queries_are_the_wrong_way_round_is_refused(tmp_path: Path):
    one = Stimuli.read(make_experiment(tmp_path / "study")).stimuli[0]
    with pytest.raises(StudyError, match="for its larger and its smaller query"):
        replace(one, larger=one.smaller, smaller=one.larger)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["stimuli"][0].pop("larger"), "not a record of stimuli"),
        (lambda content: content["pictures"].popitem(), "is no picture of the experiment"),
        (lambda content: content.update(format=2), "install a newer version"),
        (lambda content: content.update(task="guess"), "tasks are"),
        (lambda content: content["stimuli"].append(content["stimuli"][0]), "have one name"),
    ],
)
def test_damaged_stimuli_are_refused(tmp_path: Path, change, message: str):
    path = make_experiment(tmp_path / "study") / "stimuli.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(StudyError, match=message):
        Stimuli.read(path.parent)


def test_a_design_and_observed_answers_read_back_as_they_were_written(tmp_path: Path):
    shown = Shown("a" * 16, "main", "left", ("b" * 16,))
    design = Design((Schedule("s", "natural", 1, ((shown,),), (shown,)),), {"natural": (shown,)}, {}, "0" * 64)
    design.write(tmp_path)
    assert Design.read(tmp_path) == design
    observed = Observed("oracle", (Answer("a" * 16, "none", 1.0),), {"tie": 0.5}, "0" * 64)
    observed.write(tmp_path)
    assert Observed.read(tmp_path / "observers" / "oracle.json") == observed


def test_the_settings_that_are_written_are_the_defaults_and_an_edited_file_stays(tmp_path: Path):
    write_settings(tmp_path)
    assert Settings.read(tmp_path) == Settings() == Settings.read(tmp_path / "elsewhere")
    edited = (tmp_path / "settings.toml").read_text().replace("catch_ratio = 0.6", "catch_ratio = false")
    (tmp_path / "settings.toml").write_text(edited)
    write_settings(tmp_path)
    assert Settings.read(tmp_path).exclusion.catch_ratio is None
    assert Settings.read(tmp_path).exclusion.side_variability == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 3", "title in .* must be as"),
        ("colour = 'red'", "has no setting 'colour'"),
        ("minimum_window = ['wide', 3]", "must be a list as"),
        ("[exclusion]\ncatch_ratio = -1", "catch_ratio in"),
        ("[exclusion]\nduplicates = 1", "duplicates in"),
        ("consent = 1", "is not a table"),
        ("title = ", "cannot be read"),
    ],
)
def test_settings_that_are_none_are_refused(tmp_path: Path, text: str, message: str):
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(StudyError, match=message):
        Settings.read(tmp_path)
