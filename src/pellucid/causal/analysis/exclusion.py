"""Whose answers are left out, and by which rule."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from pellucid.causal.responses import Responses
from pellucid.study.experiments.settings import Exclusion

UNFINISHED = "unfinished"
"""Beside the rules of `Exclusion`: somebody whose visit did not come to its end."""
_LIMITS = (  # rule, what it is about, whether that must not be less (or more)
    ("catch_ratio", "catch", "less"),
    ("least_total_s", "total_s", "less"),
    ("most_total_s", "total_s", "more"),
    ("least_instruction_s", "instruction_s", "less"),
    ("most_practice_rounds", "practice_rounds", "more"),
    ("side_variability", "rarer_side", "less"),
    ("most_focus_losses", "focus_losses", "more"),
)


@dataclass(frozen=True)
class Checked:
    """A person: what was `measured` of them, which rules they `failed`, and which are `unknown` for want of data."""

    participant: str
    condition: str
    measured: dict[str, float | None]
    failed: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Exclusions:
    """All people, in order, under `rules`."""

    checked: tuple[Checked, ...]
    rules: Exclusion

    @property
    def kept(self) -> tuple[str, ...]:
        """Who failed no rule."""
        return tuple(one.participant for one in self.checked if not one.failed)

    @property
    def by_rule(self) -> dict[str, dict[str, int]]:
        """For each rule that asks something, how many people `failed` it, failed it `alone`, and are `unknown`."""
        asked = [one.name for one in fields(self.rules) if getattr(self.rules, one.name) not in (None, False)]
        return {
            rule: {
                "failed": sum(rule in one.failed for one in self.checked),
                "alone": sum(one.failed == (rule,) for one in self.checked),
                "unknown": sum(rule in one.unknown for one in self.checked),
            }
            for rule in (*asked, UNFINISHED)
        }


def exclude(responses: Responses, rules: Exclusion | None = None) -> Exclusions:
    """Check each person against each rule, by default those of Zimmermann et al. 2021.

    A rule about something that is not known of a person does not exclude them; it is listed as unknown. Sides are
    counted in main trials: whoever chose one of them less often than `side_variability` fails.
    """
    rules = rules or Exclusion()
    frame: Any = responses.frame
    catch = _by_person(frame[frame["kind"] == "catch"], lambda one: one["correct"].mean())
    rarer = _by_person(frame[(frame["kind"] == "main") & frame["choice"].notna()], _rarer)
    checked = []
    for person in responses.people.to_dict("records"):
        name = person["participant"]
        measured = {"catch": catch.get(name), "rarer_side": rarer.get(name)}
        for what in ("total_s", "instruction_s", "practice_rounds", "focus_losses"):
            measured[what] = None if pd.isna(person[what]) else float(person[what])
        failed, unknown = _limits(rules, measured)
        if rules.duplicates and pd.isna(person["duplicate"]):
            unknown.append("duplicates")
        elif rules.duplicates and person["duplicate"]:
            failed.append("duplicates")
        if pd.isna(person["state"]):
            unknown.append(UNFINISHED)
        elif person["state"] != "done":
            failed.append(UNFINISHED)
        conditions = frame.loc[frame["participant"] == name, "condition"].unique()
        checked.append(Checked(name, "+".join(sorted(conditions)), measured, tuple(failed), tuple(unknown)))
    return Exclusions(tuple(checked), rules)


def _limits(rules: Exclusion, measured: Mapping[str, float | None]) -> tuple[list[str], list[str]]:
    failed, unknown = [], []
    for rule, what, wrong in _LIMITS:
        limit, value = getattr(rules, rule), measured[what]
        if limit is None:
            continue
        if value is None:
            unknown.append(rule)
        elif (value < limit) if wrong == "less" else (value > limit):
            failed.append(rule)
    return failed, unknown


def _by_person(frame: Any, measure: Any) -> dict[str, float]:
    return {name: float(measure(one)) for name, one in frame.groupby("participant", sort=False)}


def _rarer(frame: Any) -> int:
    left = int((frame["choice"] == "left").sum())
    return min(left, len(frame) - left)
