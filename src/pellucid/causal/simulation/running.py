"""Many simulated people at once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx

from pellucid.causal.simulation.clicks import SimulatedVisit
from pellucid.causal.simulation.key import AnswerKey
from pellucid.causal.simulation.people import SimulatedPeople
from pellucid.causal.simulation.visiting import Visitor
from pellucid.errors import StudyError
from pellucid.study.experiments import Stimuli


def simulate(
    url: str,
    stimuli: Stimuli,
    people: SimulatedPeople,
    *,
    count: int,
    at_once: int = 20,
    pace: float = 6.0,
    right_practice: bool = False,
    most_rounds: int = 200,
    patience: float = 60.0,
    seed: int = 0,
) -> list[SimulatedVisit]:
    """Let `count` simulated people take part over HTTP, `at_once` of them at a time, and give what they clicked.

    `url` is that of the experiment, http://HOST:PORT/e/NAME. They send what the page sends, in its order; a simulated
    clock goes forward by `pace` seconds a trial (the median), and nobody waits. `right_practice` has practice answered
    right, whoever it is. Who did not pass after `most_rounds` rounds of practice gives up. A request that fails is sent
    again for `patience` seconds. The same seed gives the same answers to the same trials.
    Raises `StudyError` if the server refuses or is gone.
    """
    visits = _all(url.rstrip("/"), stimuli, people, count, at_once, pace, right_practice, most_rounds, patience, seed)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(visits)
    with ThreadPoolExecutor(1) as aside:  # a notebook's own loop runs in this thread
        return aside.submit(asyncio.run, visits).result()


async def _all(
    base: str, stimuli: Stimuli, people: SimulatedPeople, count: int, at_once: int, pace: float, right_practice: bool,
    most_rounds: int, patience: float, seed: int,
) -> list[SimulatedVisit]:  # fmt: skip
    if min(count, at_once) < 1:
        raise StudyError(f"{count} people, {at_once} at once: at least one is needed")
    key, turn = AnswerKey(stimuli), asyncio.Semaphore(at_once)
    # A run of simulated people is no matter of proxies: the address is taken as it is.
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=at_once), trust_env=False) as client:

        async def one(person: int) -> SimulatedVisit:
            async with turn:
                visitor = Visitor(
                    client, base, key, people, person, seed=seed, pace=pace, right_practice=right_practice,
                    most_rounds=most_rounds, patience=patience,
                )  # fmt: skip
                return await visitor.visit()

        return await asyncio.gather(*map(one, range(count)))
