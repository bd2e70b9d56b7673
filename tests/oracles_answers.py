"""Slow and plain twins of the formulas about people's answers."""

import itertools
import math


def two_sem(values):
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return mean, 2 * math.sqrt(variance / len(values))


def anova_variance(table):
    """The squared standard error of the mean of a complete table of people by units, from its mean squares."""
    people, units = len(table), len(table[0])
    grand = sum(map(sum, table)) / (people * units)
    rows = [sum(row) / units for row in table]
    columns = [sum(row[j] for row in table) / people for j in range(units)]
    ms_rows = units * sum((one - grand) ** 2 for one in rows) / (people - 1)
    ms_columns = people * sum((one - grand) ** 2 for one in columns) / (units - 1)
    ms_rest = sum(
        (table[i][j] - rows[i] - columns[j] + grand) ** 2 for i, j in itertools.product(range(people), range(units))
    ) / ((people - 1) * (units - 1))
    # E[MS] = rest + units * people's variance, and so on: Searle, Casella and McCulloch, Variance Components, table 4.2
    of_people, of_units = max((ms_rows - ms_rest) / units, 0), max((ms_columns - ms_rest) / people, 0)
    return of_people / people + of_units / units + ms_rest / (people * units)


def laplace(right, person, unit, condition, beta, person_sd, unit_sd, *, nodes):
    """The log likelihood of a mixed model with one unit, by the trapezoid rule over each person's intercept."""
    assert len(set(unit)) == 1
    total = 0.0
    for one in sorted(set(person)):
        mine = [i for i in range(len(right)) if person[i] == one]
        density = 0.0
        for k in range(-nodes, nodes + 1):
            z = 8 * k / nodes
            likelihood = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
            for i in mine:
                p = 1 / (1 + math.exp(-(beta[condition[i]] + person_sd * z)))
                likelihood *= p if right[i] else 1 - p
            density += likelihood * 8 / nodes
        total += math.log(density)
    return total


def marginal(logit, spread, steps=4000):
    """The mean of the logistic function over a normal distribution, by the trapezoid rule."""
    total = 0.0
    for k in range(-steps, steps + 1):
        z = 9 * k / steps
        total += math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / (1 + math.exp(-(logit + spread * z))) * 9 / steps
    return total


def kappa(one, two):
    count = len(one)
    same = sum(a == b for a, b in zip(one, two, strict=True)) / count
    p1, p2 = sum(one) / count, sum(two) / count
    chance = p1 * p2 + (1 - p1) * (1 - p2)
    return (same - chance) / (1 - chance)


def rarer_side(choices):
    return min(choices.count("left"), choices.count("right"))
