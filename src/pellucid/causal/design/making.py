"""Schedules for an experiment's stimuli, after Zimmermann et al. 2021, section 3 and appendix A."""

from collections.abc import Sequence
from dataclasses import replace

from pellucid.causal.design.shuffling import Shuffle
from pellucid.errors import StudyError
from pellucid.study.experiments import Design, Schedule, Shown, Stimuli, Stimulus


def make_design(
    stimuli: Stimuli,
    *,
    people: int = 50,
    catch: int = 3,
    practice: tuple[int, int] = (1, 3),
    rounds: int = 10,
    practice_in_none: bool = False,
    seed: int = 0,
) -> Design:
    """Make the schedules of an experiment: `people` for each of its conditions, each for one person.

    A person sees every unit of the main stimuli once, all in one image set: the sets take turns from person to person,
    so that in a condition all are seen equally often, or once more. The trials stand in random order, `catch` trials of
    the pool among them. The larger query stands left in half of a person's main trials, and of their catch trials; in
    practice a coin decides, since who is told what was right could otherwise count. References stand in random order.

    A round of practice has `practice` obvious and other stimuli in random order, drawn from the pool without putting
    back; `rounds` of them are prepared, and after the last the first comes again. Where there are no references, in the
    condition `none`, there is no practice, as in the study, unless `practice_in_none`.

    The same stimuli, options and seed give the same design on every machine. Raises `StudyError` if the stimuli do not
    suffice, or if one unit has two main stimuli in an image set.
    """
    options = {"people": people, "catch": catch, "rounds": rounds, "obvious": practice[0], "others": practice[1]}
    for name, value in options.items():
        if value < (name in ("people", "rounds")):
            raise StudyError(f"{name} = {value}, and a design has at least {int(name in ('people', 'rounds'))}")
    sets = _image_sets(stimuli.of_role("main"))
    schedules, instruction = [], {}
    for condition in stimuli.conditions:
        shuffle = Shuffle(seed, condition)
        pools = {role: _for(condition, stimuli.of_role(role)) for role in ("catch", "practice", "obvious")}
        wanted = (0, 0) if condition == "none" and not practice_in_none else practice
        _refuse_too_few(condition, pools, catch, wanted)
        for number in range(people):
            own = shuffle.of(number)
            shown = [_shown(one, "main", condition, own) for one in _main_of(sets, number)]
            caught = shuffle.of("catch").take(pools["catch"], catch, number) if catch else []
            shown = _with_sides(shown, own.of("main"))
            shown += _with_sides([_shown(one, "catch", condition, own) for one in caught], own.of("catch"))
            repeated = [_round(pools, wanted, condition, own.of("practice", at)) for at in range(rounds)]
            schedules.append(
                Schedule(
                    f"{condition}-{number + 1:03d}",
                    condition,
                    number,
                    tuple(repeated) if any(wanted) else (),
                    tuple(own.of("trials").order(shown)),
                )
            )
        examples = _for(condition, stimuli.of_role("instruction"))
        instruction[condition] = tuple(
            _with_sides([_shown(one, "practice", condition, shuffle) for one in examples], shuffle.of("instruction"))
        )
    config = {**options, "practice_in_none": practice_in_none}
    return Design(tuple(schedules), instruction, config, stimuli.digest(), seed)


def _image_sets(main: Sequence[Stimulus]) -> dict[str, list[Stimulus]]:
    """The stimuli of each unit by image set."""
    sets: dict[str, list[Stimulus]] = {}
    for one in main:
        sets.setdefault(one.address, []).append(one)
    if not sets:
        raise StudyError("there are no main stimuli to show")
    for unit, some in sets.items():
        some.sort(key=lambda one: one.image_set)
        if len({one.image_set for one in some}) < len(some):
            raise StudyError(f"{unit} has two main stimuli in one image set")
    return sets


def _main_of(sets: dict[str, list[Stimulus]], number: int) -> list[Stimulus]:
    # As the study's task t shows image set t mod 10 of every unit: those who saw the same can be compared.
    return [some[number % len(some)] for some in sets.values()]


def _for(condition: str, some: Sequence[Stimulus]) -> list[Stimulus]:
    """Those that are meant for a condition: all but those whose `config` names others."""
    return [one for one in some if condition in one.config.get("conditions", (condition,))]


def _refuse_too_few(condition: str, pools: dict[str, list[Stimulus]], catch: int, practice: tuple[int, int]) -> None:
    for role, wanted in (("catch", catch), ("obvious", practice[0]), ("practice", practice[1])):
        if len(pools[role]) < wanted:
            raise StudyError(
                f"{len(pools[role])} stimuli of role {role!r} for the condition {condition}, and {wanted} are to be "
                "shown: make more of them, or ask for fewer"
            )


def _round(
    pools: dict[str, list[Stimulus]], practice: tuple[int, int], condition: str, shuffle: Shuffle
) -> tuple[Shown, ...]:
    chosen = shuffle.of("obvious").order(pools["obvious"])[: practice[0]]
    chosen += shuffle.of("others").order(pools["practice"])[: practice[1]]
    return tuple(_shown(one, "practice", condition, shuffle) for one in shuffle.order(chosen))


def _shown(one: Stimulus, kind: str, condition: str, shuffle: Shuffle) -> Shown:
    references = shuffle.of(one.id, "references").order(sorted(one.references.get(condition, ())))
    minimal = shuffle.of(one.id, "minimal").order(sorted(one.minimal.get(condition, ())))
    return Shown(one.id, kind, shuffle.side(one.id), tuple(references), tuple(minimal))


def _with_sides(shown: list[Shown], shuffle: Shuffle) -> list[Shown]:
    """The same trials with sides that are balanced over them."""
    sides = shuffle.sides(len(shown))
    return [replace(one, side=side) for one, side in zip(shown, sides, strict=True)]
