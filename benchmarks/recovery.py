"""Do intervals have the truth as often as they say? `python benchmarks/recovery.py [--simulations 200] [--seeds 0,1]`.

Simulates experiments with known accuracies and spreads, and prints for each interval how often it has the truth, with
Clopper and Pearson's 95 % interval of that share. Each interval has a truth of its own:

- `accuracy`: the mean accuracy in a condition over the populations of people and of units;
- `difference`: that of two conditions' mean accuracies;
- `logit`: the logit of a condition for the median person and unit; `logit difference`: of two conditions, for one
  person and unit. With an interaction of units and conditions, `--interaction-sd`, only the model in which units vary
  fits what was simulated.

`pigeonhole` draws whole people and whole units again (Owen 2007): it is here to show that it is too wide.
"""

import argparse
from collections import defaultdict

import numpy as np
from scipy import stats

from pellucid.causal.analysis.bootstrap import crossed_bootstrap
from pellucid.causal.analysis.crossed import Trials, contrast_of, estimate, score
from pellucid.causal.analysis.mixed import fit_mixed
from pellucid.causal.analysis.people import People

FIRST, SECOND = "optimized", "none"
CONTRASTS = {FIRST: contrast_of(FIRST), SECOND: contrast_of(SECOND), "difference": contrast_of(FIRST, SECOND)}


def pigeonhole(trials: Trials, contrast: dict[str, float], resamples: int, seed: int) -> tuple[float, float]:
    """Percentiles of a contrast with people and units drawn again, each by itself; people within conditions."""
    rng = np.random.default_rng(seed)
    values = np.zeros(resamples)
    units = int(trials.unit.max()) + 1
    drawn = rng.multinomial(units, np.full(units, 1 / units), resamples)
    groups: dict[bytes, np.ndarray] = {}
    for name, factor in contrast.items():
        here = trials.condition == trials.conditions.index(name)
        people, person = np.unique(trials.person[here], return_inverse=True)
        table = np.zeros((len(people), units))
        table[person, trials.unit[here]] = trials.right[here]
        key = people.tobytes()  # the same people in both conditions are drawn together
        if key not in groups:
            groups[key] = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), resamples)
        values += factor * np.einsum("rp,pu,ru->r", groups[key], table, drawn, optimize=True) / (len(people) * units)
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def recover(
    model: People, people: int, units: int, simulations: int, resamples: int, seed: int
) -> dict[str, list[bool]]:
    """For each interval, whether it had the truth in each simulation."""
    logits = model.logits
    truths = {**model.accuracy, "difference": model.accuracy[FIRST] - model.accuracy[SECOND]}
    logit_truths = {**logits, "difference": logits[FIRST] - logits[SECOND]}
    hits: dict[str, list[bool]] = defaultdict(list)
    for number in range(simulations):
        trials = model.trials(people, units, np.random.default_rng([seed, number]))
        mixed, varying = fit_mixed(trials), fit_mixed(trials, varying=True)
        for name, contrast in CONTRASTS.items():
            intervals = {
                "bootstrap": crossed_bootstrap(trials, contrast, resamples=resamples, seed=number).interval(),
                "Student's t": estimate(score(trials, contrast)).interval(),
                "pigeonhole": pigeonhole(trials, contrast, resamples, number),
            }
            if name != "difference":
                intervals["mixed model"] = mixed.accuracy[name][1:]
            what = "accuracy difference" if name == "difference" else f"accuracy, {name}"
            for kind, (low, high) in intervals.items():
                hits[f"{what}: {kind}"].append(low <= truths[name] <= high)
            what = "logit difference" if name == "difference" else f"logit, {name}"
            for kind, model_of in (("mixed model", mixed), ("mixed model, units vary", varying)):
                fitted = model_of.contrast(contrast)
                hits[f"{what}: {kind}"].append(fitted.low <= logit_truths[name] <= fitted.high)
    return hits


def report(title: str, hits: dict[str, list[bool]]) -> None:
    print(title)
    for name, some in sorted(hits.items()):
        ends = stats.binomtest(sum(some), len(some)).proportion_ci()
        print(f"  {name:<46} {np.mean(some):>7.1%}  [{ends.low:.1%}, {ends.high:.1%}]", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Do intervals have the truth as often as they say?")
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--people", type=int, default=50, help="in each condition")
    parser.add_argument("--units", type=int, default=18)
    parser.add_argument("--person-sd", type=float, default=0.26)
    parser.add_argument("--unit-sd", type=float, default=0.94)
    parser.add_argument("--interaction-sd", type=float, default=0.0)
    parser.add_argument("--accuracies", default="0.67,0.60")
    parser.add_argument("--within", action="store_true", help="each person sees both conditions")
    parser.add_argument("--resamples", type=int, default=1000)
    given = parser.parse_args()
    first, second = (float(one) for one in given.accuracies.split(","))
    model = People(
        {FIRST: first, SECOND: second}, given.person_sd, given.unit_sd, given.interaction_sd, within=given.within
    )
    seeds = [int(one) for one in given.seeds.split(",")]
    together: dict[str, list[bool]] = defaultdict(list)
    print(f"{given.people} people in each condition x {given.units} units, {model}")
    for seed in seeds:
        hits = recover(model, given.people, given.units, given.simulations, given.resamples, seed)
        report(f"seed {seed}, {given.simulations} simulations", hits)
        for name, some in hits.items():
            together[name] += some
    if len(seeds) > 1:
        report(f"all {len(seeds)} seeds", together)


if __name__ == "__main__":
    main()
