import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from answers import answers, participants
from pellucid.causal.responses import Responses, published_two_choice, read_responses
from pellucid.errors import PellucidError
from pellucid.study.experiments import CODEBOOK


def test_a_table_has_the_columns_of_the_codebook_and_keeps_others():
    made = Responses.of(answers().assign(branch="pool"))
    assert list(made.frame) == [*(column.name for column in CODEBOOK), "branch"]
    assert made.conditions == ("optimized", "none")
    assert len(made.people) == 12


def test_csv_parquet_and_arrow_give_the_same_table(tmp_path: Path):
    frame = answers()
    frame.to_csv(tmp_path / "answers.csv", index=False)
    frame.to_parquet(tmp_path / "answers.parquet")
    people = participants(frame)
    people.to_csv(tmp_path / "participants.csv", index=False)
    tables = [
        Responses.of(pa.Table.from_pandas(frame), pa.Table.from_pandas(people)),
        read_responses(tmp_path / "answers.csv", tmp_path / "participants.csv"),
        read_responses(tmp_path / "answers.parquet", tmp_path / "participants.csv"),
    ]
    for table in tables:
        for name in ("participant", "condition", "correct", "trial", "rt_s", "confidence", "side", "unit"):
            assert table.frame[name].tolist() == frame[name].tolist(), name
        assert table.people["total_s"].tolist() == [400.0] * 12
        assert table.people["duplicate"].tolist() == [False] * 12


def test_what_is_not_known_may_be_missing():
    frame = answers()[["participant", "condition", "kind", "trial", "unit", "correct"]]
    made = Responses.of(frame)
    assert made.frame["layer"].tolist() == [unit.split(":")[0] for unit in frame["unit"]]
    for name in ("rt_s", "confidence", "relative_difference", "choice"):
        assert [one for one in made.frame[name].tolist() if not pd.isna(one)] == []
    for name in ("total_s", "duplicate", "state"):
        assert [one for one in made.people[name].tolist() if not pd.isna(one)] == []


def test_truth_is_read_however_it_is_written():
    frame = answers().drop(columns=["side", "choice"])
    for written in ({True: "True", False: "False"}, {True: "true", False: "false"}, {True: 1, False: 0}):
        made = Responses.of(frame.assign(correct=[written[bool(one)] for one in frame["correct"]]))
        assert made.frame["correct"].tolist() == frame["correct"].tolist()


def changed(**columns: object) -> pd.DataFrame:
    """Answers of which the first row is another."""
    frame = answers().astype({"correct": object, "trial": object, "rt_s": object})
    for name, value in columns.items():
        frame.loc[0, name] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (answers().drop(columns="condition"), "the table of answers has no column 'condition'"),
        (answers().rename(columns={"correct": "corect"}), "no column 'correct'; did you mean 'corect'?"),
        (answers().iloc[:0], "the table has no answers"),
        (changed(condition="synthetic"), "column 'condition' has 'synthetic', which is none of optimized, natural"),
        (changed(condition=None), "column 'condition' has"),
        (changed(kind="demo"), "column 'kind' has 'demo', which is none of main, catch, practice, repeated"),
        (changed(choice="up"), "column 'choice' has 'up', which is none of left, right"),
        (changed(confidence=4), "column 'confidence' has"),
        (changed(rt_s="soon"), "column 'rt_s' has 'soon', which is not a number"),
        (changed(correct="maybe"), "column 'correct' has 'maybe', which is neither true nor false"),
        (changed(trial=2), "participant 'optimized-0' answered practice trial 2 of round 1 twice"),
        (changed(correct=False, side="left", choice="left"), "but the larger query was left and left was chosen"),
        (
            answers().assign(stimulus=lambda some: some["stimulus"].replace("main-3", "main-2")),
            "participant 'optimized-0' answered stimulus 'main-2' twice in main trials",
        ),
    ],
)
def test_bad_tables_are_refused_in_one_sentence(frame: pd.DataFrame, message: str):
    with pytest.raises(PellucidError, match=re.escape(message)) as refused:
        Responses.of(frame, source="here.csv")
    assert str(refused.value).startswith("here.csv: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("people", "message"),
    [
        (participants(answers()).rename(columns={"participant": "person"}), "has no column 'participant'"),
        (participants(answers()).iloc[1:], "lacks 'optimized-0', who answered"),
        (pd.concat([participants(answers())] * 2), "has 'optimized-0' twice"),
        (participants(answers(), total_s="long"), "column 'total_s' of the table of participants has values"),
    ],
)
def test_bad_participants_are_refused(people: pd.DataFrame, message: str):
    with pytest.raises(PellucidError, match=message):
        Responses.of(answers(), people)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("answers.csv", "", "answers.csv is empty"),
        ("answers.parquet", "no parquet", "answers.parquet cannot be read as a table"),
        ("answers.txt", "", "tables are read from .csv or .parquet, not '.txt'"),
        ("absent.csv", None, "absent.csv cannot be read as a table: .*No such file"),
    ],
)
def test_unreadable_files_are_refused(tmp_path: Path, name: str, content: str | None, message: str):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(PellucidError, match=message):
        read_responses(tmp_path / name)


def test_rounds_and_lost_focus_are_counted_where_no_table_tells_them():
    frame = answers(people=2)
    frame.loc[(frame["participant"] == "none-1") & (frame["kind"] == "practice"), "round"] = 3
    frame.loc[frame["participant"] == "none-0", "focus_losses"] = 2
    people = Responses.of(frame).people
    assert people["practice_rounds"].tolist() == [1, 1, 1, 3]
    assert people["focus_losses"].tolist() == [0, 0, 2 * 15, 0]


def test_a_platforms_fingerprint_tells_who_came_again():
    frame = answers(people=2)
    people = participants(
        frame, platform=["aa", "bb", "bb", None], started_at=["2026-1", "2026-3", "2026-2", "2026-4"]
    ).drop(columns="duplicate")
    assert Responses.of(frame, people).people["duplicate"].tolist()[:3] == [False, True, False]
    assert Responses.of(frame, people).people["duplicate"].tolist()[3] is None


def test_nobody_left_is_said():
    with pytest.raises(PellucidError, match="nobody is left, of 12 people who answered"):
        Responses.of(answers()).only([])


@pytest.fixture(scope="module")
def published(shared_data: Path) -> Responses:
    return published_two_choice(shared_data / "two-choice-answers" / "experiment_I_trials.csv")


def test_the_published_file_has_its_people_units_and_trials(published: Responses):
    counts: Any = published.frame.groupby(["condition", "kind"]).size()
    assert len(published.people) == 10
    assert len(set(published.main["unit"])) == 45
    for condition in ("optimized", "natural"):
        assert [counts[condition, kind] for kind in ("main", "catch", "practice", "repeated")] == [450, 90, 50, 60]
    assert [counts["none", kind] for kind in ("main", "practice", "repeated")] == [450, 50, 60]
    assert set(published.main["branch"]) == {"1x1", "3x3", "5x5", "pool"}
    main: Any = published.main
    hand_picked = main[main["sampling"] == "hand-picked"]
    assert hand_picked["unit"].nunique() == 9
    assert set(hand_picked["branch"]) == {"pool"}
    assert np.isclose(published.main["rt_s"].median(), 4.5, atol=2)


def test_another_table_is_not_taken_for_the_published_one(tmp_path: Path):
    answers().to_csv(tmp_path / "answers.csv", index=False)
    with pytest.raises(
        PellucidError, match="is not the published table of experiment I: it has no column 'subject_id'"
    ):
        published_two_choice(tmp_path / "answers.csv")
