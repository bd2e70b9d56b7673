"""Schedules: who sees what, how often, where, and that a seed decides it all."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pellucid.causal.design import Shuffle, make_design
from pellucid.errors import StudyError
from pellucid.study.experiments import CONDITIONS, Design, PictureFile, Query, Stimuli, Stimulus


def named(
    units: int = 6, image_sets: int = 3, practice: int = 7, conditions: tuple[str, ...] = CONDITIONS, minimal: int = 0
) -> Stimuli:
    """Stimuli of pictures that are nowhere: a design looks at their names alone."""
    names = (f"{number:016x}" for number in range(10**6))
    pictures: list[str] = []

    def drawn(count: int) -> tuple[str, ...]:
        pictures.extend(some := tuple(next(names) for _ in range(count)))
        return some

    def stimulus(unit: int, image_set: int, role: str) -> Stimulus:
        base, larger, smaller = (Query(drawn(1)[0], activation) for activation in (3.0, 2.0, 1.0))
        shown = [one for one in conditions if one != "none"]
        references, least = ({one: drawn(count) for one in shown} for count in (9, minimal))
        return Stimulus(next(names), "mixed3a", unit, image_set, role, larger, smaller, base, references, least)

    made = [stimulus(unit, image_set, "main") for unit in range(units) for image_set in range(image_sets)]
    roles = {"catch": 3, "practice": practice, "obvious": 3, "instruction": 2}
    made += [stimulus(100 + at, 0, role) for role, count in roles.items() for at in range(count)]
    files = {name: PictureFile("0" * 64, 8, 8) for name in pictures}
    return Stimuli("named", "counterfactual", "no_network", conditions, (8, 8), tuple(made), files, {})


@pytest.fixture(scope="module")
def stimuli() -> Stimuli:
    return named()


def test_with_ten_image_sets_and_fifty_people_each_unit_in_each_set_is_seen_five_times():
    ten_sets = named(units=18, image_sets=10, conditions=("natural", "none"))
    known = ten_sets.by_id()
    for condition in ten_sets.conditions:
        seen = Counter(
            (known[one.stimulus].address, known[one.stimulus].image_set)
            for schedule in make_design(ten_sets, people=50, rounds=1).schedules
            if schedule.condition == condition
            for one in schedule.trials
            if one.kind == "main"
        )
        assert len(seen) == 180
        assert {*seen.values()} == {5}


@pytest.mark.parametrize("people", [1, 2, 4, 7])
def test_whatever_the_number_of_people_each_set_is_seen_equally_often_or_once_more(stimuli: Stimuli, people: int):
    design, known = make_design(stimuli, people=people, rounds=1), stimuli.by_id()
    main = stimuli.of_role("main")
    for condition in CONDITIONS:
        own = [one for one in design.schedules if one.condition == condition]
        assert len(own) == people
        seen = Counter({one.id: 0 for one in main})
        for schedule in own:
            shown = [known[one.stimulus] for one in schedule.trials if one.kind == "main"]
            assert Counter(one.address for one in shown) == Counter({one.address for one in main})
            assert len({one.image_set for one in shown}) == 1
            seen.update(one.id for one in shown)
        assert max(seen.values()) - min(seen.values()) <= 1


def test_catch_trials_stand_among_the_others_and_are_seen_equally_often(stimuli: Stimuli):
    design = make_design(stimuli, people=30, catch=2, rounds=1)
    places, seen = Counter(), Counter()
    for schedule in design.schedules:
        caught = [at for at, one in enumerate(schedule.trials) if one.kind == "catch"]
        assert len({schedule.trials[at].stimulus for at in caught}) == len(caught) == 2
        places.update(caught)
        seen.update(schedule.trials[at].stimulus for at in caught)
    assert {*places} == {*range(8)}
    assert {*seen.values()} == {100}  # 5 conditions x 30 people x 2 of 3


def test_sides_are_balanced_in_a_schedule_and_over_all(stimuli: Stimuli):
    design = make_design(stimuli, people=40, rounds=1)
    total = Counter()
    for schedule in design.schedules:
        for kind, most in (("main", 0), ("catch", 1)):
            sides = Counter(one.side for one in schedule.trials if one.kind == kind)
            assert abs(sides["left"] - sides["right"]) <= most
            total.update({(kind, side): count for side, count in sides.items()})
    tosses = total["catch", "left"] + total["catch", "right"]
    assert abs(total["catch", "left"] - tosses / 2) < 4 * (tosses / 4) ** 0.5
    practice = [one.side for schedule in design.schedules for some in schedule.practice for one in some]
    assert abs(practice.count("left") - len(practice) / 2) < 4 * (len(practice) / 4) ** 0.5


def test_the_side_of_a_stimulus_differs_from_person_to_person(stimuli: Stimuli):
    design = make_design(stimuli, people=30, rounds=1)
    sides: dict[str, set[str]] = {}
    for schedule in design.schedules:
        for one in schedule.trials:
            sides.setdefault(one.stimulus, set()).add(one.side)
    assert {*map(len, sides.values())} == {2}


def test_references_are_those_of_the_condition_in_an_order_that_differs_between_people(stimuli: Stimuli):
    known, orders = stimuli.by_id(), {}
    for schedule in make_design(stimuli, people=12).schedules:
        for one in (*schedule.trials, *(one for some in schedule.practice for one in some)):
            references = known[one.stimulus].references.get(schedule.condition, ())
            assert sorted(one.references) == sorted(references)
            orders.setdefault((one.stimulus, schedule.condition), set()).add(one.references)
    assert all(len(some) > 1 for (_, condition), some in orders.items() if condition != "none")


def test_minimal_references_are_shown_where_the_stimuli_have_some():
    two = named(conditions=("natural", "none"), minimal=9)
    known = two.by_id()
    for schedule in make_design(two, people=2).schedules:
        for one in schedule.trials:
            assert sorted(one.minimal) == sorted(known[one.stimulus].minimal.get(schedule.condition, ()))
            assert bool(one.minimal) == (schedule.condition == "natural")


def test_a_round_of_practice_has_one_obvious_and_three_other_stimuli_in_any_order(stimuli: Stimuli):
    known, places = stimuli.by_id(), Counter()
    for schedule in make_design(stimuli, people=10, rounds=6).schedules:
        assert len(schedule.practice) == (0 if schedule.condition == "none" else 6)
        for some in schedule.practice:
            roles = [known[one.stimulus].role for one in some]
            assert sorted(roles) == ["obvious", "practice", "practice", "practice"]
            assert len({one.stimulus for one in some}) == 4
            assert {one.kind for one in some} == {"practice"}
            places[roles.index("obvious")] += 1
    assert {*places} == {0, 1, 2, 3}


def test_where_there_are_no_references_practice_can_be_asked_for(stimuli: Stimuli):
    design = make_design(stimuli, people=1, rounds=2, practice_in_none=True)
    assert {len(one.practice) for one in design.schedules} == {2}
    assert not any(one.practice for one in make_design(stimuli, people=1, practice=(0, 0)).schedules)


def test_instructions_are_explained_with_stimuli_that_nobody_is_asked_about(stimuli: Stimuli):
    design, roles = make_design(stimuli, people=3), {one.id: one.role for one in stimuli.stimuli}
    for condition in CONDITIONS:
        assert {roles[one.stimulus] for one in design.instruction[condition]} == {"instruction"}
        assert sorted(one.side for one in design.instruction[condition]) == ["left", "right"]
    assert all(roles[one.stimulus] != "instruction" for schedule in design.schedules for one in schedule.trials)


def test_stimuli_that_name_their_conditions_are_shown_in_no_other(stimuli: Stimuli):
    caught = [one.id for one in stimuli.of_role("catch")]
    meant = {caught[0]: ["none"], caught[1]: ["none"], caught[2]: [one for one in CONDITIONS if one != "none"]}
    limited = tuple(
        replace(one, config={"conditions": meant[one.id]}) if one.id in meant else one for one in stimuli.stimuli
    )
    for schedule in make_design(replace(stimuli, stimuli=limited), people=3, catch=1).schedules:
        (shown,) = [one.stimulus for one in schedule.trials if one.kind == "catch"]
        assert schedule.condition in meant[shown]


def test_the_same_seed_gives_the_same_design_and_another_seed_another(stimuli: Stimuli, tmp_path: Path):
    first, again, other = (make_design(stimuli, people=3, seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert first.stimuli_digest == stimuli.digest()
    assert [one.trials for one in first.schedules] != [one.trials for one in other.schedules]
    first.write(tmp_path)
    assert Design.read(tmp_path) == first


def test_more_people_leave_the_schedules_of_the_first_as_they_were(stimuli: Stimuli):
    few, many = (make_design(stimuli, people=people) for people in (3, 5))
    by_id = {one.id: one for one in many.schedules}
    assert all(by_id[one.id] == one for one in few.schedules)


def test_conditions_do_not_share_orders(stimuli: Stimuli):
    design = make_design(stimuli, people=1)
    assert len({tuple(one.stimulus for one in schedule.trials) for schedule in design.schedules}) == len(CONDITIONS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"people": 0}, "people = 0, and a design has at least 1"),
        ({"catch": -1}, "catch = -1, and a design has at least 0"),
        ({"catch": 4}, "3 stimuli of role 'catch' for the condition optimized, and 4 are to be shown"),
        ({"practice": (1, 8)}, "7 stimuli of role 'practice'"),
    ],
)
def test_what_the_stimuli_do_not_suffice_for_is_refused(stimuli: Stimuli, options: dict, said: str):
    with pytest.raises(StudyError, match=said):
        make_design(stimuli, **options)


def test_two_main_stimuli_of_a_unit_in_one_set_and_none_at_all_are_refused(stimuli: Stimuli):
    main = stimuli.of_role("main")
    doubled = replace(stimuli, stimuli=(*stimuli.stimuli, replace(main[0], id="f" * 16)))
    with pytest.raises(StudyError, match="has two main stimuli in one image set"):
        make_design(doubled)
    without = replace(stimuli, stimuli=tuple(one for one in stimuli.stimuli if one.role != "main"))
    with pytest.raises(StudyError, match="no main stimuli"):
        make_design(without)


def test_a_shuffle_keeps_all_and_takes_turns():
    shuffle = Shuffle(3, "words")
    assert sorted(shuffle.order(range(20))) == [*range(20)]
    assert shuffle.order(range(20)) != [*range(20)]
    taken = Counter(item for turn in range(5) for item in shuffle.take(["a", "b", "c"], 2, turn))
    assert max(taken.values()) - min(taken.values()) <= 1
    assert Counter(shuffle.sides(6)) == {"left": 3, "right": 3}
