"""The analysis as tables, for a terminal and as Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pellucid.causal.analysis.agreement import Agreement
from pellucid.causal.analysis.power import Power
from pellucid.causal.analysis.report import Analysis


@dataclass(frozen=True)
class Sheet:
    """A table of texts, with what must be known to read it."""

    title: str
    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets(analysis: Analysis) -> tuple[Sheet, ...]:
    """All tables of an analysis that have rows."""
    makers: tuple[Callable[[Analysis], Sheet], ...] = (
        _exclusion, _accuracy, _means, _differences, _tests, _equivalence, _times, _confidence, _layers, _branches,
        _bins, _difficulty, _agreement, _sides, _repeated,
    )  # fmt: skip
    return tuple(made for maker in makers if (made := maker(analysis)).rows)


def markdown(analysis: Analysis, pictures: Sequence[str] = ()) -> str:
    """A page with all tables and these figures, for a repository or a supplement."""
    lines = [
        "# What people answered",
        "",
        f"{analysis.source}: {analysis.people} people, of whom {analysis.kept} were kept, with {analysis.trials} main "
        "trials. All is about those who were kept, but for the columns that say otherwise.",
        "",
    ]
    if analysis.without_errors:
        lines += [f"No errors over people and units: {analysis.without_errors}.", ""]
    lines += [f"![{name.rpartition('.')[0].replace('_', ' ')}]({name})" for name in pictures]
    for sheet in sheets(analysis):
        lines += ["", f"## {sheet.title}", "", sheet.note, ""]
        lines += [_line(sheet.header), _line(["---"] * len(sheet.header)), *(_line(row) for row in sheet.rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def power_sheet(rows: Sequence[Power]) -> Sheet:
    """A table of power by number of people and units."""
    return Sheet(
        "Power",
        "power: how often the 95 % interval of the difference leaves out 0, with the simulation's own 95 % interval; "
        "equivalence: how often two one-sided tests find it within the smallest effect; coverage: how often the "
        "interval has the true difference.",
        ("people in each", "units", "effect", "standard error", "power", "", "equivalence", "coverage"),
        tuple(
            (
                str(one.people),
                str(one.units),
                _points(one.effect),
                _points(one.error),
                _percent(one.power),
                f"[{one.power_low:.0%}, {one.power_high:.0%}]",
                _percent(one.equivalence),
                _percent(one.coverage),
            )
            for one in rows
        ),
    )


def _exclusion(analysis: Analysis) -> Sheet:
    rows = tuple(
        (rule.replace("_", " "), *(str(counts[what]) for what in ("failed", "alone", "unknown")))
        for rule, counts in analysis.exclusions.by_rule.items()
    )
    note = (
        f"{analysis.people - analysis.kept} of {analysis.people} people are left out. Alone: who fails no other rule."
    )
    return Sheet("Exclusion", note, ("rule", "failed", "alone", "not known"), rows)


def _accuracy(analysis: Analysis) -> Sheet:
    kept = {one.condition: one for one in analysis.accuracy}
    catch = {one.condition: one for one in analysis.catch}
    rows = tuple(
        (
            one.condition,
            *((str(of.people), f"{of.right}/{of.trials}", _both(of.accuracy, of.two_sem)) if of else ("0", "-", "-")),
            f"{catch[one.condition].accuracy:.1%}" if one.condition in catch else "-",
            str(one.people),
            _both(one.accuracy, one.two_sem),
        )
        for one in analysis.accuracy_of_all
        for of in [kept.get(one.condition)]
    )
    return Sheet(
        "Accuracy",
        "Mean of people's shares of right answers ± twice the standard error over people (standard deviation with "
        "ddof=0), as in the papers. It takes these units as all there are.",
        ("condition", "people", "right", "accuracy", "catch trials", "people, all", "accuracy, all"),
        rows,
    )


def _means(analysis: Analysis) -> Sheet:
    rows = tuple(
        (
            one.condition,
            f"{one.estimate.value:.1%}",
            _ends(one.low, one.high, "%"),
            f"{one.estimate.person_part:.0%} / {one.estimate.unit_part:.0%} / {one.estimate.rest:.0%}",
            f"{one.logit.value:.2f} {_ends(one.logit.low, one.logit.high)}",
            f"{one.model_accuracy[0]:.1%} {_ends(*one.model_accuracy[1:], '%')}",
        )
        for one in analysis.means
    )
    spread = ""
    if analysis.person_sd is not None and analysis.unit_sd is not None:
        spread = f" Standard deviations on the logit: people {analysis.person_sd:.2f}, units {analysis.unit_sd:.2f}."
        spread += f" Units within conditions, if they may: {analysis.varying_sd:.2f}."
    return Sheet(
        "Accuracy over people and units",
        "For other people and other units as these: the mean of all trials with the 95 % interval of a bootstrap over "
        "both, the parts of its squared error, and a mixed logistic model (logit of the median person and unit; "
        f"accuracy over both populations).{spread}",
        ("condition", "accuracy", "95 % interval", "people / units / rest", "logit", "accuracy, model"),
        rows,
    )


def _differences(analysis: Analysis) -> Sheet:
    rows = tuple(
        (
            f"{one.first} - {one.second}",
            _points(one.estimate.value),
            _ends(one.low, one.high, "pp"),
            f"{one.logit.value:+.3f} (SE {one.logit.error:.3f})",
            _ends(one.logit.low, one.logit.high),
            _p(one.logit.p),
            f"{one.varying_logit.value:+.3f} {_ends(one.varying_logit.low, one.varying_logit.high)}",
            f"{one.gee.value:+.3f} (SE {one.gee.error:.3f})" if one.gee else "-",
            _p(one.gee.p) if one.gee else "-",
        )
        for one in analysis.differences
    )
    return Sheet(
        "Differences over people and units",
        "Difference of accuracies in percentage points with the bootstrap's 95 % interval over people and units; of "
        "logits in the mixed model, correct ~ condition + (1 | person) + (1 | unit), which takes the effect as one and "
        "the same for all units; in the same with (1 | unit:condition), which does not; and of logits by estimating "
        "equations, over people alone. p values are not corrected for the number of comparisons.",
        (
            "conditions",
            "difference",
            "95 % interval",
            "mixed logit",
            "95 % interval",
            "p",
            "units vary",
            "GEE logit",
            "p",
        ),
        rows,
    )


def _tests(analysis: Analysis) -> Sheet:
    rows = tuple(
        (
            f"{one.first} - {one.second}",
            "paired" if one.people.paired else "unpaired",
            _ends(one.people.low, one.people.high, "pp"),
            _p(one.people.rank_p),
            _p(one.people.t_p),
        )
        for one in analysis.differences
    )
    return Sheet(
        "Differences over people, with these units",
        "Bootstrap over people; Wilcoxon's and Student's tests where everybody saw both conditions, else Mann and "
        "Whitney's and Welch's. They say nothing about other units.",
        ("conditions", "people are", "95 % interval", "p of ranks", "p of t"),
        rows,
    )


def _equivalence(analysis: Analysis) -> Sheet:
    rows = tuple(
        (
            f"{one.first} - {one.second}",
            _points(one.estimate.value),
            _ends(one.equivalence.low, one.equivalence.high, "pp"),
            _p(one.equivalence.p),
            "yes" if one.equivalence.equivalent else "not shown",
        )
        for one in analysis.differences
    )
    bound = 100 * float(analysis.settings["smallest_effect"])
    return Sheet(
        "Equivalence",
        f"Is the difference within ± {bound:g} percentage points, the smallest effect of interest? Two one-sided tests "
        "with errors over people and units.",
        ("conditions", "difference", "90 % interval", "p", "equivalent"),
        rows,
    )


def _times(analysis: Analysis) -> Sheet:
    rows = tuple(
        (one.condition, one.answers, str(one.people), f"{one.mean:.2f} ± {one.two_sem:.2f}", f"{one.median:.2f}")
        for one in analysis.reaction_times
    )
    return Sheet(
        "Reaction times",
        "Seconds: mean of people's means ± twice the standard error over people; median of people's medians.",
        ("condition", "answers", "people", "mean", "median"),
        rows,
    )


def _confidence(analysis: Analysis) -> Sheet:
    rows = tuple(
        (
            one.condition,
            one.answers,
            *(f"{share:.3f}" for share in one.shares),
            f"{one.mean:.2f}",
            " / ".join("-" if right is None else f"{right:.0%}" for right in one.accuracies)
            if one.answers == "all"
            else "",
        )
        for one in analysis.confidence
    )
    return Sheet(
        "Confidence",
        "Shares of answers given with confidence 1, 2 and 3, and how often they were right.",
        ("condition", "answers", "1", "2", "3", "mean", "right at 1 / 2 / 3"),
        rows,
    )


def _layers(analysis: Analysis) -> Sheet:
    return _grouped(analysis, "layer")


def _branches(analysis: Analysis) -> Sheet:
    return _grouped(analysis, "branch")


def _grouped(analysis: Analysis, what: str) -> Sheet:
    found = {(one.group, one.condition): one for one in getattr(analysis, f"by_{what}")}
    groups = tuple(dict.fromkeys(group for group, _ in found))
    rows = tuple(
        (
            group,
            *(_both(one.accuracy, one.two_sem) if (one := found.get((group, c))) else "-" for c in analysis.conditions),
        )
        for group in groups
    )
    return Sheet(f"By {what}", "Mean over people ± twice its standard error.", (what, *analysis.conditions), rows)


def _bins(analysis: Analysis) -> Sheet:
    rows = tuple(
        (
            one.condition,
            f"{of.low:.3g} to {of.high:.3g}",
            str(of.stimuli),
            str(of.trials),
            _both(of.accuracy, of.two_sem),
        )
        for one in analysis.difficulty
        for of in one.bins
    )
    return Sheet(
        "By relative activation difference",
        "(larger - smaller) / base activation, in bins of equally many stimuli.",
        ("condition", "relative difference", "stimuli", "trials", "accuracy"),
        rows,
    )


def _difficulty(analysis: Analysis) -> Sheet:
    rows = tuple(
        (
            one.condition,
            "-" if one.spearman is None else f"{one.spearman:.2f}",
            _p(one.p),
            "-" if one.slope is None else f"{one.slope:.2f} (SE {one.slope_error:.2f})",
            "-" if one.threshold is None else f"{one.threshold:.2g}",
        )
        for one in analysis.difficulty
    )
    return Sheet(
        "Psychometric function",
        "Rank correlation of relative difference and accuracy over stimuli; what a doubling of the difference adds to "
        "the logit; and the difference at which 75 % are right.",
        ("condition", "Spearman", "p", "slope", "threshold"),
        rows,
    )


def _kappa(one: Agreement) -> str:
    """Of a single pair there is no error."""
    return f"{one.kappa:.3f} ± {one.two_sem:.3f}" if one.pairs > 1 else f"{one.kappa:.3f}"


def _agreement(analysis: Analysis) -> Sheet:
    rows = tuple((one.first, one.second, str(one.pairs), _kappa(one), _p(one.p)) for one in analysis.agreement)
    return Sheet(
        "Agreement",
        "Cohen's kappa of right and wrong on the same stimuli, mean over pairs ± twice its standard error as if pairs "
        "were independent; p of a permutation test.",
        ("of", "and", "pairs", "kappa", "p"),
        rows,
    )


def _sides(analysis: Analysis) -> Sheet:
    rows = tuple(
        (one.condition, f"{one.left}/{one.trials}", _p(one.p), f"{one.d_prime:.2f}", f"{one.criterion:+.2f}")
        for one in analysis.sides
    )
    return Sheet(
        "Sides",
        "How often left was chosen (binomial test), d' of a choice between two, and criterion, negative for the left.",
        ("condition", "left", "p", "d'", "criterion"),
        rows,
    )


def _repeated(analysis: Analysis) -> Sheet:
    rows = tuple((one.condition, str(one.trials), f"{one.same:.1%}") for one in analysis.repeated)
    return Sheet("Repeated trials", "The same picture chosen as the first time.", ("condition", "trials", "same"), rows)


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f} pp"


def _both(value: float, error: float) -> str:
    return f"{100 * value:.2f} ± {100 * error:.2f} %"


def _ends(low: float, high: float, unit: str = "") -> str:
    factor, form = (100, ".1f") if unit else (1, ".2f")
    return f"[{factor * low:{form}}, {factor * high:{form}}]" + (f" {unit}" if unit else "")


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "< .0001" if value < 1e-4 else f"{value:.4f}"
