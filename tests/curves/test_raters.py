import math
from pathlib import Path

import numpy as np
import pytest

import oracles_curves as oracle
from pellucid.curves.labels import Answer, agreement, cohen_kappa, decided, fleiss_kappa, read_answers
from pellucid.errors import PellucidError

NAMES = ("curve", "imperfect", "unrelated")


def rated(seed: int, images: int = 40, raters: int = 3) -> list[list[str]]:
    draws = np.random.default_rng(seed)
    truth = draws.integers(3, size=images)
    return [[NAMES[t if draws.random() < 0.6 else draws.integers(3)] for _ in range(raters)] for t in truth]


@pytest.mark.parametrize("seed", range(4))
def test_kappa_is_agreement_beyond_chance(seed: int) -> None:
    ratings = rated(seed)
    first, second = [image[0] for image in ratings], [image[1] for image in ratings]
    assert cohen_kappa(first, second) == pytest.approx(oracle.cohen(first, second))
    assert fleiss_kappa(ratings) == pytest.approx(oracle.fleiss(ratings))
    assert cohen_kappa(first, first) == 1


def test_the_example_of_fleiss() -> None:
    # Ten subjects, fourteen raters, five categories: the table of many textbooks, whose kappa is .210.
    table = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1], [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    ratings = [[str(label) for label, number in enumerate(row) for _ in range(number)] for row in table]
    assert fleiss_kappa(ratings) == pytest.approx(0.210, abs=5e-4)


def test_kappa_is_not_defined_for_one_label_and_no_images() -> None:
    assert math.isnan(cohen_kappa([], []))
    assert math.isnan(cohen_kappa(["curve"] * 3, ["curve"] * 3))
    assert cohen_kappa(["curve"] * 3, ["imperfect"] * 3) == 0
    assert math.isnan(fleiss_kappa([]))
    assert math.isnan(fleiss_kappa([["curve", "curve"]] * 3))
    with pytest.raises(PellucidError, match="the same images, not 1 and 2"):
        cohen_kappa(["a"], ["a", "b"])
    with pytest.raises(PellucidError, match=r"the same number of raters, two or more, not \[1\]"):
        fleiss_kappa([["a"], ["b"]])
    with pytest.raises(PellucidError, match=r"not \[2, 3\]"):
        fleiss_kappa([["a", "b"], ["b", "a", "a"]])


def test_raters_agree_over_the_images_that_they_share() -> None:
    ratings = rated(7)
    of = [{str(image): labels[rater] for image, labels in enumerate(ratings)} for rater in range(3)]
    del of[1]["3"], of[2]["5"]
    of[2]["extra"] = "curve"
    found = agreement({"ann": of[0], "bob": of[1], "eve": of[2]})
    assert [(pair.first, pair.second, pair.images) for pair in found.pairs] == [
        ("ann", "bob", 39),
        ("ann", "eve", 39),
        ("bob", "eve", 38),
    ]
    shared = [image for number, image in enumerate(ratings) if number not in (3, 5)]
    assert found.images == 38
    assert found.fleiss == pytest.approx(oracle.fleiss(shared))
    both = [image for number, image in enumerate(ratings) if number != 3]
    assert found.pairs[0].kappa == pytest.approx(oracle.cohen([one[0] for one in both], [one[1] for one in both]))
    assert found.pairs[0].same == pytest.approx(np.mean([one[0] == one[1] for one in both]))
    apart = agreement({"ann": {"a": "curve"}, "bob": {"b": "curve"}})
    assert math.isnan(apart.pairs[0].kappa)
    assert math.isnan(apart.pairs[0].same)
    with pytest.raises(PellucidError, match="between two raters or more"):
        agreement({"ann": of[0]})


def test_most_raters_decide_and_ties_claim_least() -> None:
    given = {"a": ["curve", "curve", "imperfect"], "b": ["curve", "imperfect"], "c": ["unrelated"]}
    answers = [
        Answer(image, float(number), label, str(rater))
        for number, (image, labels) in enumerate(given.items())
        for rater, label in enumerate(labels)
    ]
    assert decided(answers) == {"a": (0.0, "curve"), "b": (1.0, "imperfect"), "c": (2.0, "unrelated")}
    with pytest.raises(PellucidError, match="label 'curve' of image 'a' is none of imperfect, unrelated"):
        decided(answers, NAMES[1:])


def test_answers_come_back_from_a_table(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("rater,image,label,activation\nann,x.png,curve,12.5\n,y.png, opposing ,-3\n")
    assert read_answers(file) == [Answer("x.png", 12.5, "curve", "ann"), Answer("y.png", -3.0, "opposing", "")]
    file.write_text("image,activation,label\nx,1,curve\n")
    assert read_answers(file) == [Answer("x", 1.0, "curve", "")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\nx,curve", "line 2: no activation; the columns are"),
        ("image,activation,label\nx,one,curve", "line 2: activation 'one' is not a number"),
        ("image,activation,label\nx,inf,curve", "activation 'inf' is not a number"),
        ("image,activation,label\nx,1,curve\nx,2,curve", "line 3: image 'x' has another activation before"),
        ("image,activation,label\nx,1,curve\nx,1,curve", "image 'x' was labelled twice by the same rater"),
        ("image,activation,label\nx,1", "no label"),
    ],
)
def test_answers_that_are_none_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(PellucidError, match=message):
        read_answers(tmp_path / "a.csv")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=r"no\.csv cannot be read"):
        read_answers(tmp_path / "no.csv")
