"""`pellucid experiment analyze`: what people's answers say."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from pellucid.cli.experiment_folders import DatabaseUrl
from pellucid.cli.options import print_table
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.causal.analysis import Sheet
    from pellucid.causal.responses import Responses
    from pellucid.study.experiments import Observed
    from pellucid.study.experiments.settings import Exclusion

Asked = tuple["Responses", "Exclusion", list["Observed"]]


def analyze(
    answers: Annotated[
        Path, typer.Argument(metavar="STUDY | ANSWERS", help="A study, or exported answers, .csv or .parquet.")
    ],
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The study's experiment; not needed if it has only one.")
    ] = None,
    participants: Annotated[
        Path | None, typer.Option(help="With exported answers: the exported participants, .csv or .parquet.")
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="The answers are the published file of the two-choice experiment.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Exclude by [exclusion] in settings.toml there; a study has its own."),
    ] = None,
    keep_all: Annotated[bool, typer.Option("--keep-all", help="Exclude nobody but who did not finish.")] = False,
    observer: Annotated[
        list[Path] | None,
        typer.Option(help="Answers of an observer without eyes, .json; several times. A study has its own."),
    ] = None,
    database: DatabaseUrl = None,
    smallest_effect: Annotated[
        float, typer.Option(min=0.0001, max=1, help="Differences of accuracy below this count as none.")
    ] = 0.05,
    resamples: Annotated[int, typer.Option(min=2, help="Draws of the bootstrap over people and units.")] = 2000,
    permutations: Annotated[int, typer.Option(min=1, help="Shuffles for the test of agreement.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of both.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where analysis.json, analysis.md and figures go."),
    ] = None,
) -> None:
    """Analyse answers: exclusion, accuracy with errors over people and over units, tests, times, and agreement.

    Prints all tables; with -o they are also written, with everything as JSON and with figures.
    """
    need_statistics()
    from pellucid.causal.analysis import analyze, figures, markdown, sheets
    from pellucid.study.experiments.settings import Exclusion

    if answers.is_dir():
        if participants or published or rules:
            raise PellucidError("--participants, --published and --rules are about a file of answers, not a study")
        responses, asked, observed = _of_study(answers, name, database, observer or [])
    else:
        if name is not None:
            raise PellucidError(f"NAME is about a study, and {answers} is not a folder")
        responses, asked, observed = _of_file(answers, participants, published, rules, observer or [])
    if keep_all:
        asked = Exclusion(None, None, None, None, None, None, None, False)
    analysis = analyze(
        responses, rules=asked, observers=observed, smallest_effect=smallest_effect, resamples=resamples,
        permutations=permutations, seed=seed,
    )  # fmt: skip
    typer.echo(
        f"{analysis.source}: {analysis.people} people, {analysis.kept} kept, {analysis.trials} main trials of them"
    )
    for sheet in sheets(analysis):
        print_sheet(sheet)
    if analysis.without_errors:
        typer.echo(f"no errors over people and units: {analysis.without_errors}")
    if output is not None:
        _write(output, analysis, figures(analysis), markdown)


def need_statistics() -> None:
    """Refuse to go on without what the statistics need. Raises `PellucidError`, which says how to install it."""
    try:
        import pandas  # noqa: F401
        import statsmodels  # noqa: F401
    except ImportError as error:
        raise PellucidError(
            f"the experiment's statistics need {error.name}; install it: pip install 'pellucid[experiment]'"
        ) from error


def print_sheet(sheet: "Sheet") -> None:
    """Print a table under its title, and what must be known to read it."""
    typer.echo(f"\n{sheet.title}\n{sheet.note}")
    table = Table(*sheet.header, box=None, pad_edge=False)
    for row in sheet.rows:
        table.add_row(*row)
    print_table(table)


def _of_file(
    path: Path, participants: Path | None, published: bool, rules: Path | None, observers: list[Path]
) -> Asked:
    from pellucid.causal.responses import published_two_choice, read_responses
    from pellucid.study.experiments import Observed, Settings

    if published and participants:
        raise PellucidError("the published answers have no table of participants: leave --participants out")
    if rules is not None and not (rules / "settings.toml").is_file():
        raise PellucidError(f"there is no settings.toml in {rules}")
    responses = published_two_choice(path) if published else read_responses(path, participants)
    settings = Settings() if rules is None else Settings.read(rules)
    return responses, settings.exclusion, [Observed.read(one) for one in observers]


def _of_study(path: Path, name: str | None, database: str | None, observers: list[Path]) -> Asked:
    """The answers in a study's database, its rules, and its observers if they are about the same stimuli."""
    from pellucid.causal.responses import Responses
    from pellucid.study import Study
    from pellucid.study.experiments import Observed
    from pellucid.study.experiments.folders import find_experiment

    try:
        from pellucid.web.experiment import answers_table, participants_table
        from pellucid.web.experiment.running import Running
    except ImportError as error:
        raise PellucidError(
            f"a study's answers need {error.name}; install it: pip install 'pellucid[experiment]'"
        ) from error
    folder = find_experiment(Study.open(path), name)
    running = Running.open(folder.name, folder, database, answered=True)
    responses = Responses.of(answers_table(running), participants_table(running), source=folder.name)
    found = [Observed.read(one) for one in [*sorted((folder / "observers").glob("*.json")), *observers]]
    current = running.stimuli.digest()
    for one in found:
        if one.stimuli_digest != current:
            typer.echo(f"left out: observer {one.observer}, whose answers are about other stimuli", err=True)
    return responses, running.settings.exclusion, [one for one in found if one.stimuli_digest == current]


def _write(folder: Path, analysis: Any, drawn: dict[str, Any], markdown: Any) -> None:
    from pellucid.activations.distribution import save_figure
    from pellucid.study import write_bytes, write_json

    write_json(folder / "analysis.json", analysis.as_dict())
    for name, figure in drawn.items():
        save_figure(folder / f"{name}.png", figure)
    write_bytes(folder / "analysis.md", markdown(analysis, [f"{name}.png" for name in drawn]).encode())
    typer.echo(f"wrote analysis.json, analysis.md and {len(drawn)} figures to {folder}")
