"""What comes out of an experiment: the operator's page, tables, and deletion; from the browser and the command line."""

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest
import typer
from fastapi.testclient import TestClient

from commands import output_of
from experiment_server import OPERATOR, design_for
from experiment_visits import Page, key
from experiments import make_experiment
from pellucid.cli.experiment_delete import delete
from pellucid.cli.experiment_design import design
from pellucid.cli.experiment_export import export
from pellucid.errors import StudyError
from pellucid.study.experiments import CODEBOOK, Design, Stimuli
from pellucid.web.experiment import TABLES, Running, answers_table, make_experiment_app, participants_table

HEADERS = {"Authorization": f"Bearer {OPERATOR}"}
app = typer.Typer()
app.command("design")(design)
app.command("export")(export)
app.command("delete")(delete)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = make_experiment(
        tmp_path / "study", units=2, image_sets=1, practice=3, obvious=1, conditions=("natural", "none")
    )
    design_for(home, people=2)
    return home


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(make_experiment_app({"drawn": folder}, operator_token=OPERATOR)) as client:
        yield client


@pytest.fixture
def pages(client: TestClient) -> list[Page]:
    """Three people, of whom those without references finish."""
    pages = [Page(client) for _ in range(3)]
    for at, page in enumerate(pages):
        page.begin(platform={"PROLIFIC_PID": f"person-{at}"})
        page.read_instructions()
        page.answer("left")
        while page.state["stage"] == "main":
            page.answer("right")
    return pages


def test_progress_is_told_by_condition_and_schedule(client: TestClient, pages: list[Page]):
    (told,) = client.get("/operator/api/progress", headers=HEADERS).json()["experiments"]
    counted = {one["condition"]: one for one in told["conditions"]}
    assert sum(one["filled"] for one in counted.values()) == 3
    assert {one["schedules"] for one in counted.values()} == {2}
    assert (counted["none"]["active"], counted["natural"]["done"]) == (0, 0)
    assert counted["none"]["done"] + counted["natural"]["active"] == 3
    assert sorted(one["taken"] for one in told["schedules"]) == [0, 1, 1, 1]
    assert len(told["participants"]) == 3


@pytest.mark.parametrize("token", [None, "", "x", OPERATOR[:-1], OPERATOR + "x", OPERATOR.upper(), "é"])
@pytest.mark.parametrize("path", ["progress", "drawn/answers.csv", "drawn/codebook.md", "other/answers.csv"])
def test_without_the_token_nothing_is_told(client: TestClient, token: str | None, path: str):
    headers = {} if token is None else {b"Authorization": f"Bearer {token}".encode()}
    response = client.get(f"/operator/api/{path}", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert client.delete("/operator/api/drawn/participants/a", headers=headers).status_code == 401


def test_without_a_token_of_its_own_the_operators_part_is_closed(folder: Path):
    with TestClient(make_experiment_app({"drawn": folder})) as client:
        for token in ("", "None", OPERATOR):
            headers = {"Authorization": f"Bearer {token}"}
            assert client.get("/operator/api/progress", headers=headers).status_code == 401


def test_the_operators_page_is_plain_files(client: TestClient):
    assert "operator.js" in client.get("/operator/").text
    for name, kind in (("operator.js", "text/javascript"), ("operator.css", "text/css")):
        assert client.get(f"/operator/{name}").headers["content-type"].startswith(kind)
    assert " on" not in client.get("/operator/").text.replace("one", "")  # no handlers in the page: CSP


def test_tables_are_the_same_as_csv_and_parquet_and_have_the_codebooks_columns(
    client: TestClient, pages: list[Page], folder: Path
):
    running = Running.open("drawn", folder)
    codebook = client.get("/operator/api/drawn/codebook.md", headers=HEADERS).text
    for name, (make, columns) in TABLES.items():
        csv, parquet = (
            client.get(f"/operator/api/drawn/{name}.{end}", headers=HEADERS).content for end in ("csv", "parquet")
        )
        table = make(running)
        assert table.column_names == [one.name for one in columns]
        assert pyarrow.parquet.read_table(io.BytesIO(parquet)).equals(table)
        if table.num_rows:
            assert pyarrow.csv.read_csv(io.BytesIO(csv)).num_rows == table.num_rows
        assert csv.decode().splitlines()[0] == ",".join(f'"{one.name}"' for one in columns)
        assert all(f"| `{one.name}` |" in codebook for one in columns)
    assert client.get("/operator/api/drawn/secrets.csv", headers=HEADERS).status_code == 404
    assert client.get("/operator/api/drawn/answers.xls", headers=HEADERS).status_code == 404


def test_answers_say_what_was_shown_and_whether_it_was_right(pages: list[Page], folder: Path):
    rows, known = answers_table(Running.open("drawn", folder)).to_pylist(), Stimuli.read(folder).by_id()
    schedules = {one.id: one for one in Design.read(folder).schedules}
    assert [one.name for one in CODEBOOK] == [*rows[0]]
    for row in rows:
        stimulus, schedule = known[row["stimulus"]], schedules[row["schedule"]]
        shown = (schedule.practice[row["round"] - 1] if row["round"] else schedule.trials)[row["trial"] - 1]
        assert (shown.stimulus, shown.kind, shown.side) == (row["stimulus"], row["kind"], row["side"])
        assert (row["layer"], row["unit"], row["image_set"]) == (stimulus.layer, stimulus.address, stimulus.image_set)
        assert row["relative_difference"] == stimulus.relative_difference
        assert row["correct"] == (row["choice"] == row["side"])
        assert row["condition"] == schedule.condition


def test_the_operator_deletes_a_participant(client: TestClient, pages: list[Page], folder: Path):
    running = Running.open("drawn", folder)
    name = participants_table(running)["participant"].to_pylist()[0]
    path = f"/operator/api/drawn/participants/{name}"
    assert client.delete(path, headers=HEADERS).json() == {}
    assert client.delete(path, headers=HEADERS).status_code == 404
    assert name not in participants_table(running)["participant"].to_pylist()
    assert name not in answers_table(running)["participant"].to_pylist()
    (told,) = client.get("/operator/api/progress", headers=HEADERS).json()["experiments"]
    assert told["withdrawn"] == 1


def test_a_table_of_nobody_is_empty_and_has_its_columns(folder: Path):
    running = Running.open("drawn", folder)
    for make, columns in TABLES.values():
        assert (make(running).num_rows, make(running).num_columns) == (0, len(columns))


def test_the_commands_export_and_delete(pages: list[Page], folder: Path, tmp_path: Path):
    study, out = folder.parents[1], tmp_path / "out"
    pages[0].ask("POST", "api/session/remark", {"key": key(), "text": "fun"})
    said = output_of(app, "export", study, "drawn", "-o", out)
    assert "answers of 3 participants" in said
    assert {one.name for one in out.iterdir()} == {f"{name}.{end}" for name in TABLES for end in ("csv", "parquet")} | {
        "codebook.md"
    }
    name = pyarrow.parquet.read_table(out / "participants.parquet")["participant"].to_pylist()[0]
    assert output_of(app, "delete", study, "drawn", name) == f"deleted {name}\n"
    with pytest.raises(StudyError, match=f"no participant '{name}'"):
        output_of(app, "delete", study, "drawn", name)
    assert output_of(app, "delete", study, "drawn", "person-2", "--platform").startswith("deleted ")
    with pytest.raises(StudyError, match="nobody whom the platform calls 'person-2'"):
        output_of(app, "delete", study, "drawn", "person-2", "--platform")
    assert "answers of 1 participants" in output_of(app, "export", study, "drawn", "-o", out)


def test_export_of_what_nobody_answered_makes_no_database(folder: Path, tmp_path: Path):
    with pytest.raises(StudyError, match="nobody has answered yet"):
        output_of(app, "export", folder.parents[1], "drawn", "-o", tmp_path / "out")
    assert not (folder / "answers.sqlite").exists()


def test_the_command_makes_a_design_and_replaces_one_only_if_told_to(folder: Path):
    study = folder.parents[1]
    few = ("--people", 3, "--catch", 1, "--rounds", 2, "--obvious", 0, "--others", 1)
    with pytest.raises(StudyError, match="has another design; replace it with --again"):
        output_of(app, "design", study, "drawn", *few)
    said = output_of(app, "design", study, "drawn", *few, "--again")
    assert "6 schedules of 3 trials, 3 in each of 2 conditions" in said
    assert said == output_of(app, "design", study, "drawn", *few)
    with pytest.raises(StudyError, match=r"has no experiment drawm; did you mean 'drawn'"):
        output_of(app, "design", study, "drawm")
