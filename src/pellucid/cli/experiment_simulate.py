"""`pellucid experiment simulate`: observers take part over HTTP, as people do."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.experiment_folders import ExperimentName, StudyFolder, experiment_extra, folder_of
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from fastapi import FastAPI


def simulate(
    study: StudyFolder,
    name: ExperimentName = None,
    observer: Annotated[
        str, typer.Option(help="oracle, random, left, biased, or a file of an observer's answers.")
    ] = "oracle",
    people: Annotated[int | None, typer.Option(min=1, help="How many; by default as many as schedules.")] = None,
    at_once: Annotated[int, typer.Option(min=1, help="How many take part at a time.")] = 20,
    practice: Annotated[
        bool, typer.Option("--practice/--skilled", help="Whether practice is answered as all else, or always right.")
    ] = True,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of practice after which a person gives up.")] = 50,
    pace: Annotated[float, typer.Option(min=0.1, help="Seconds for a trial, on a simulated clock.")] = 6.0,
    url: Annotated[
        str | None,
        typer.Option(help="A server that runs, http://HOST:PORT/e/NAME; by default one is started for the purpose."),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where the server that is started keeps the answers; by default simulated/OBSERVER.sqlite in the "
            "experiment's folder, which is made anew.",
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser", help="In a headless Chromium, one after the other, instead of plain HTTP.")
    ] = False,
    chromium: Annotated[
        str | None, typer.Option(metavar="FILE", help="Its program; by default the one that Playwright installed.")
    ] = None,
    log: Annotated[Path | None, typer.Option(metavar="FILE", help="Write what was clicked to this .json.")] = None,
    seed: Annotated[int, typer.Option(help="Decides what simulated people answer.")] = 0,
) -> None:
    """Let simulated people take part, and compare what was kept with what they clicked.

    Never into the answers of real people: only --url or --database lead there.
    """
    with experiment_extra():
        from pellucid.causal.simulation import differences, people_named, simulate_in_browser, write_clicks
        from pellucid.causal.simulation import simulate as take_part
        from pellucid.study.experiments import Design, Stimuli
        from pellucid.web.experiment import Running, kept_answers, make_experiment_app

    folder = folder_of(study, name)
    stimuli, count = Stimuli.read(folder), people or len(Design.read(folder).schedules)
    answering = people_named(observer, stimuli)
    if browser:
        take_part = simulate_in_browser
        options: dict[str, Any] = {"count": count, "executable": chromium, "most_rounds": rounds, "seed": seed}
    else:
        options = {"count": count, "at_once": at_once, "right_practice": not practice, "most_rounds": rounds,
                   "pace": pace, "seed": seed}  # fmt: skip
    if url is not None:
        visits, wrong = take_part(url, stimuli, answering, **options), None
    else:
        database = database or _fresh(folder / "simulated" / f"{Path(observer).stem}.sqlite")
        before = kept_answers(Running.open(folder.name, folder, database)).keys()
        with _serving(make_experiment_app({folder.name: folder}, database=database)) as origin:
            visits = take_part(f"{origin}/e/{folder.name}", stimuli, answering, **options)
        kept = kept_answers(Running.open(folder.name, folder, database))
        wrong = differences(visits, {trial: said for trial, said in kept.items() if trial not in before})
    if log is not None:
        write_clicks(log, visits)
    stages = Counter(one.stage for one in visits)
    clicks = [one for visit in visits for one in visit.clicks]
    counted = [one for one in clicks if not one.round]
    right = sum(one.correct for one in counted)
    typer.echo(f"{len(visits)} people: " + ", ".join(f"{number} {stage}" for stage, number in sorted(stages.items())))
    typer.echo(
        f"{right} of {len(counted)} main and catch trials right, {len(clicks) - len(counted)} trials of practice"
    )
    if wrong is None:
        return
    if wrong:
        raise PellucidError(f"the database differs from the log in {len(wrong)} trials; the first: {wrong[0]}")
    typer.echo(f"the database has all {len(clicks)} clicks and no other: {database}")


def _fresh(path: Path) -> str:
    """The URL of an SQLite file that is not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    return f"sqlite:///{path}"


@contextmanager
def _serving(app: "FastAPI") -> Iterator[str]:
    """A server on a free port of this machine, for as long as the block lasts."""
    import uvicorn

    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise PellucidError("no server can be started on this machine's address 127.0.0.1")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
