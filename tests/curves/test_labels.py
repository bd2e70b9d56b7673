import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle

import oracles_curves as oracle
from pellucid.activations.distribution import Distribution
from pellucid.curves.labels import (
    LABELS,
    LabelCounts,
    LabelShares,
    Smoothing,
    analyse_labels,
    auc,
    bootstrap_shares,
    compose,
    dataset_auc,
    read_label_counts,
    read_label_shares,
    read_positions,
    stack_figure,
)
from pellucid.errors import PellucidError, StudyError

EDGES = np.arange(-400.0, 801, 50)
LEFT = EDGES[:-1].tolist()


def counted(seed: int = 0, images: int = 300) -> LabelCounts:
    """Images of which the more active ones are more often curves."""
    draws = np.random.default_rng(seed)
    values = draws.uniform(-400, 800, images)
    chance = np.stack([np.exp(values / 200), np.exp(values / 500), np.full(images, 2.0), np.exp(-values / 200)])
    labels = [LABELS[draws.choice(4, p=column / column.sum())] for column in chance.T]
    return LabelCounts.of(values, labels, EDGES)


def positions(seed: int = 0) -> Distribution:
    return Distribution.from_counts(EDGES, np.histogram(np.random.default_rng(seed).normal(0, 250, 20_000), EDGES)[0])


def test_images_are_counted_where_their_activations_lie() -> None:
    counts = LabelCounts.of([-400, -1, 0, 799.9], ["curve", "curve", "opposing", "imperfect"], EDGES)
    assert counts.totals == {"curve": 2, "imperfect": 1, "unrelated": 0, "opposing": 1}
    assert np.argwhere(counts.counts).tolist() == [[0, 0], [0, 7], [1, 23], [3, 8]]
    assert counts.above(0) == {"curve": 0, "imperfect": 1, "unrelated": 0, "opposing": 1}


@pytest.mark.parametrize(
    ("values", "labels", "message"),
    [
        ([0], ["curve", "curve"], "1 activations do not belong to 2 labels"),
        ([0], ["kurve"], "label 'kurve' is none of curve, imperfect"),
        ([0, 800], ["curve", "curve"], "1 images, such as one of activation 800, are in none of the bins"),
        ([math.nan], ["curve"], "in none of the bins"),
    ],
)
def test_images_that_cannot_be_counted_are_refused(values: list[float], labels: list[str], message: str) -> None:
    with pytest.raises(PellucidError, match=message):
        LabelCounts.of(values, labels, EDGES)


def test_counts_that_are_none_are_refused() -> None:
    ones = np.ones((4, 2), dtype=np.int64)
    with pytest.raises(PellucidError, match="4 labels by 3 bins"):
        LabelCounts(np.arange(4.0), ones)
    with pytest.raises(PellucidError, match="must be finite and rise"):
        LabelCounts(np.array([0.0, 2, 1]), ones)
    with pytest.raises(PellucidError, match="no negative counts"):
        LabelCounts(np.arange(3.0), -ones)
    with pytest.raises(PellucidError, match="each label stands once"):
        LabelCounts(np.arange(3.0), ones, ("a", "a", "b", "c"))


def test_bins_are_carried_over_to_more_and_fewer_of_the_same() -> None:
    counts = counted()
    wider = np.arange(-600.0, 1001, 50)
    there = counts.on(wider)
    assert there.counts[:, 4:-4].tolist() == counts.counts.tolist()
    assert there.on(EDGES).counts.tolist() == counts.counts.tolist()
    for edges in (np.arange(-425.0, 850, 50), np.arange(-400.0, 801, 25), np.arange(-400.0, 801, 100), EDGES[3:]):
        with pytest.raises(PellucidError, match=r"the bin of labels that begins at -400 is none of the"):
            counts.on(edges)


@pytest.mark.parametrize(("window", "order"), [(7, 2), (7, 3), (5, 2), (1, 0)])
def test_smoothing_fits_a_polynomial_about_each_bin(window: int, order: int) -> None:
    counts = counted()
    smoothed = Smoothing(window, order)(counts.counts.astype(float))
    for row, plain in zip(smoothed, counts.counts.tolist(), strict=True):
        assert row.tolist() == pytest.approx(oracle.smooth(plain, window, order), abs=1e-9)


def test_impossible_smoothing_is_refused() -> None:
    for window, order in ((6, 2), (7, 7), (0, 0), (7, -1)):
        with pytest.raises(PellucidError, match=f"not window {window} and order {order}"):
            Smoothing(window, order)
    with pytest.raises(PellucidError, match="window of 7 does not fit into 3 bins"):
        Smoothing()(np.ones((4, 3)))


def test_shares_are_of_each_bin_and_none_where_nobody_looked() -> None:
    counts = LabelCounts.of([-300, 0, 10, 20], ["opposing", "curve", "curve", "unrelated"], EDGES)
    shares = counts.shares(None).shares
    assert shares[:, 2].tolist() == [0, 0, 0, 1]
    assert shares[:, 8] == pytest.approx([2 / 3, 0, 1 / 3, 0])
    assert shares.sum(axis=0).tolist() == pytest.approx([0, 0, 1, 0, 0, 0, 0, 0, 1] + [0] * 15)
    with pytest.raises(PellucidError, match="must be positive and add up to 1"):
        LabelShares(EDGES, 0.9 * shares, LABELS)
    with pytest.raises(PellucidError, match="shares are 2 labels by 24 bins"):
        LabelShares(EDGES, shares, LABELS[:2])


@pytest.mark.parametrize("at", ["left", "centre"])
@pytest.mark.parametrize("window", [0, 7])
def test_contributions_are_parts_of_the_expected_value(at, window: int) -> None:
    counts, activations = counted(), positions()
    composition = compose(counts.shares(Smoothing(window) if window else None), activations, at=at)
    x = [left + (25 if at == "centre" else 0) for left in LEFT]
    plain = oracle.shares_of_value(counts.counts.tolist(), x, activations.counts.tolist(), window, 2)
    assert list(composition.shares.values()) == pytest.approx(plain)
    assert composition.unlabelled == pytest.approx(1 - sum(plain), abs=1e-12)
    assert composition.density.sum(axis=0) == pytest.approx(activations.density)
    assert sum(composition.prevalence.values()) == pytest.approx(1)
    by_hand = sum(composition.prevalence[name] * share for name, share in composition.fires.items())
    assert by_hand == pytest.approx(activations.counts[8:].sum() / activations.count)


def test_what_nobody_labelled_is_said() -> None:
    counts = LabelCounts.of([60.0], ["curve"], EDGES)
    activations = Distribution.from_counts(EDGES, [0] * 9 + [3] + [0] * 5 + [1] + [0] * 8)
    composition = compose(counts.shares(None), activations)
    assert composition.shares["curve"] == pytest.approx(3 * 50 / (3 * 50 + 350))
    assert composition.unlabelled == pytest.approx(350 / 500)
    assert composition.prevalence["curve"] == 1
    assert math.isnan(composition.fires["opposing"])


def test_labels_and_activations_of_other_bins_are_refused() -> None:
    shares = counted().shares()
    with pytest.raises(PellucidError, match=r"need the same bins, such as Distribution.merged makes .*12 from -400"):
        compose(shares, positions().merged(2))
    with pytest.raises(PellucidError, match="need the same bins"):
        dataset_auc(shares, positions().merged(2), ["curve"])
    silent = Distribution.from_counts(EDGES, [5] * 8 + [0] * 16)
    with pytest.raises(PellucidError, match="fires in none of the bins"):
        compose(shares, silent)


def test_the_bootstrap_draws_images_within_their_group() -> None:
    counts, activations = counted(images=120), positions()
    draws = bootstrap_shares(counts, activations, group=200, resamples=2000, seed=1)
    plain_random = random.Random(0)
    plain = np.array(
        [
            oracle.shares_of_value(
                oracle.drawn_again(counts.counts.tolist(), LEFT, 200, plain_random), LEFT,
                activations.counts.tolist(), 7, 2,
            )
            for _ in range(250)
        ]
    )  # fmt: skip
    error = plain.std(axis=0) / np.sqrt(250)
    assert (np.abs(draws.draws.mean(axis=0) - plain.mean(axis=0)) < 5 * error).all()
    assert draws.draws.std(axis=0) == pytest.approx(plain.std(axis=0), rel=0.3)
    low, high = draws.interval("curve", "imperfect")
    assert low < sum(list(compose(counts.shares(), activations).shares.values())[:2]) < high
    assert (low, high) == pytest.approx(np.quantile(draws.draws[:, 0] + draws.draws[:, 1], [0.025, 0.975]))


def test_the_same_seed_draws_the_same() -> None:
    counts, activations = counted(), positions()
    one, again, other = (bootstrap_shares(counts, activations, resamples=3, seed=seed).draws for seed in (4, 4, 5))
    assert one.tolist() == again.tolist()
    assert one.tolist() != other.tolist()


def test_one_image_for_each_group_leaves_nothing_to_chance() -> None:
    counts = LabelCounts.of([10, 110, 210], ["curve", "imperfect", "unrelated"], EDGES)
    for at in ("left", "centre"):
        shares = compose(counts.shares(), positions(), at=at).shares
        for draw in bootstrap_shares(counts, positions(), at=at, resamples=5).draws:
            assert draw.tolist() == pytest.approx(list(shares.values()))
    wide = bootstrap_shares(counts, positions(), group=300, resamples=20).draws
    assert np.ptp(wide, axis=0)[:3].min() > 0


def test_impossible_draws_are_refused() -> None:
    with pytest.raises(PellucidError, match="one draw or more within groups of some width, not 0 of 100"):
        bootstrap_shares(counted(), positions(), resamples=0)
    draws = bootstrap_shares(counted(), positions(), resamples=2)
    with pytest.raises(PellucidError, match=r"name some of the labels curve, imperfect, .* not kurve"):
        draws.interval("kurve")
    with pytest.raises(PellucidError, match="not none"):
        draws.interval()


def test_areas_are_the_share_of_pairs() -> None:
    counts = counted()
    images = {
        name: [LEFT[b] for b, number in enumerate(row) for _ in range(number)]
        for name, row in zip(LABELS, counts.counts.tolist(), strict=True)
    }
    rest = [x for name in LABELS[1:] for x in images[name]]
    assert auc(counts, ["curve"]) == pytest.approx(oracle.area(images["curve"], rest))
    both = images["curve"] + images["imperfect"]
    assert auc(counts, ["curve", "imperfect"], ["opposing"]) == pytest.approx(oracle.area(both, images["opposing"]))
    # Each position is shared out; with shares of 0 and 1 the positions themselves are compared.
    split = LabelShares(EDGES, np.repeat([[0.0, 1.0], [1.0, 0.0]], 12, axis=1), ("curve", "other"))
    assert dataset_auc(split, positions(), ["curve"]) == 1
    even = LabelShares(EDGES, np.full((2, 24), 0.5), ("curve", "other"))
    assert dataset_auc(even, positions(), ["curve"]) == pytest.approx(0.5)


def test_areas_of_what_is_not_there() -> None:
    counts = LabelCounts.of([0.0], ["curve"], EDGES)
    assert math.isnan(auc(counts, ["curve"]))
    with pytest.raises(PellucidError, match=r"no label 'curves' among .*did you mean 'curve'"):
        auc(counts, ["curves"])
    with pytest.raises(PellucidError, match="both positive and negative"):
        auc(counts, ["curve"], ["curve"])


def test_the_report_is_made_of_its_parts() -> None:
    counts, activations = counted(), positions()
    report = analyse_labels(counts, activations, resamples=20, seed=3)
    assert [row.label for row in report.rows] == [*LABELS, "curve+imperfect"]
    curve, last = report.rows[0], report.rows[-1]
    for place in ("left", "centre"):
        composition = compose(counts.shares(), activations, at=place)
        assert getattr(curve, place) == pytest.approx(composition.shares["curve"])
        draws = bootstrap_shares(counts, activations, at=place, resamples=20, seed=3)
        assert getattr(last, f"{place}_interval") == draws.interval("curve", "imperfect")
    plain = compose(counts.shares(None), activations)
    assert curve.images == counts.totals["curve"]
    assert (curve.prevalence, curve.fires) == pytest.approx((plain.prevalence["curve"], plain.fires["curve"]))
    assert last.prevalence == pytest.approx(plain.prevalence["curve"] + plain.prevalence["imperfect"])
    mass = plain.density[:2].sum(axis=0)
    assert last.fires == pytest.approx(mass[8:].sum() / mass.sum())
    assert [(one.positive, one.negative) for one in report.discriminations] == [
        ("curve", "imperfect+unrelated+opposing"),
        ("curve+imperfect", "unrelated+opposing"),
        ("curve+imperfect", "unrelated"),
        ("curve+imperfect", "opposing"),
    ]
    assert report.discriminations[0].images == pytest.approx(auc(counts, ["curve"]))
    assert report.discriminations[0].dataset == pytest.approx(dataset_auc(counts.shares(None), activations, ["curve"]))
    json.dumps(report.record(), allow_nan=False)
    lines = report.csv_text().splitlines()
    assert len(lines) == 25
    assert lines[0].startswith("from,to,conditional_curve,")
    assert float(lines[-1].split(",")[0]) == LEFT[-1]


def test_published_shares_have_no_images_and_no_intervals() -> None:
    report = analyse_labels(counted().shares(), positions(), positive=["curve"])
    assert [row.label for row in report.rows] == list(LABELS)
    assert {(row.images, row.left_interval, row.centre_interval) for row in report.rows} == {(None, None, None)}
    assert all(one.images is None and one.dataset is not None for one in report.discriminations)
    for positive in (["kurve"], []):
        with pytest.raises(PellucidError, match="positive labels are some of curve"):
            analyse_labels(counted(), positions(), positive=positive)


def test_stack_plots_have_three_plots_for_each_convention() -> None:
    report = analyse_labels(counted(), positions(), resamples=0)
    drawn = stack_figure({place: one for place, one in report.compositions.items()})
    assert len(drawn.axes) == 6
    bars = [[bar for bar in axes.patches if isinstance(bar, Rectangle)] for axes in drawn.axes[:3]]
    tops = [max(bar.get_y() + bar.get_height() for bar in of) for of in bars]
    composition = report.compositions["left"]
    assert tops[0] == pytest.approx(1)
    assert tops[1] == pytest.approx(composition.density.sum(axis=0).max())
    assert tops[2] == pytest.approx(composition.contribution.sum(axis=0).max())
    legend = drawn.axes[2].get_legend()
    assert legend is not None
    assert legend.get_texts()[-1].get_text() == f"curve {composition.shares['curve']:.1%}"
    drawn.canvas.draw()
    with pytest.raises(PellucidError, match="no labels to draw"):
        stack_figure({})


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_counts_and_shares_come_back_from_files(tmp_path: Path) -> None:
    counts, activations = counted(), positions()
    content: dict = {"bin_left_edge": LEFT, **dict(zip(LABELS, counts.counts.tolist(), strict=True))}
    read, beside = read_label_counts(written(tmp_path / "a.json", content))
    assert beside is None
    assert read.edges.tolist() == EDGES.tolist()
    assert read.counts.tolist() == counts.counts.tolist()
    content["dataset_histogram"] = {"bin_left_edge": LEFT, "count": activations.counts.tolist(), "N": 20_000}
    _, beside = read_label_counts(written(tmp_path / "b.json", content))
    assert beside is not None
    assert beside.counts.tolist() == activations.counts.tolist()
    assert beside.total == 20_000
    for key in ("heights", "normalized_heights"):
        file = written(tmp_path / "c.json", {"bins": LEFT, key: counts.shares().shares.tolist()})
        assert read_label_shares(file).shares.tolist() == counts.shares().shares.tolist()


def test_positions_come_from_figures_and_from_distributions(tmp_path: Path) -> None:
    activations = positions()
    figure = written(tmp_path / "a.json", {"bins": LEFT, "heights": (1000 * activations.density).tolist()})
    assert read_positions(figure).counts.tolist() == activations.counts.tolist()
    histogram = {"edges": EDGES.tolist(), "counts": activations.counts.tolist(), "under": 2, "over": 0, "unplaced": 0}
    unit = {"unit": "a:1", "taps": {"pre": {"histogram": histogram}, "post": {}}}
    read = read_positions(written(tmp_path / "b.json", {"units": [unit]}))
    assert (read.counts.tolist(), read.under) == (activations.counts.tolist(), 2)
    with pytest.raises(PellucidError, match="holds 2 units; write one alone"):
        read_positions(written(tmp_path / "c.json", {"units": [unit, unit]}))
    with pytest.raises(PellucidError, match="holds no histogram of its unit"):
        read_positions(written(tmp_path / "d.json", {"units": [{"taps": {"post": {}}}]}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "'bin_left_edge' is missing"),
        ({"bin_left_edge": [0, 1], "a": [1, 2]}, "'b' is missing"),
        ({"bin_left_edge": [0, 1], "a": [1, 2], "b": [1]}, "rows of different lengths"),
        ({"bin_left_edge": [0, 1], "a": [1, 2], "b": [1, 0.5]}, "counts of images are whole numbers"),
        ({"bin_left_edge": [0, 1, 3], "a": [1, 2, 3], "b": [1, 0, 2]}, "which are evenly apart"),
        ({"bin_left_edge": [0, 1], "a": [1, 2], "b": [1, 2], "dataset_histogram": 3}, "needs bin_left_edge and count"),
    ],
)
def test_files_without_counts_are_refused(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(PellucidError, match=message):
        read_label_counts(written(tmp_path / "a.json", content), ("a", "b"))


def test_files_without_shares_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match="it needs 'bins' and 'heights'"):
        read_label_shares(written(tmp_path / "a.json", {"bins": [0, 1]}))
    with pytest.raises(PellucidError, match=r"b.json: the shares of the labels of a bin must"):
        read_label_shares(written(tmp_path / "b.json", {"bins": [0, 1], "heights": [[1, 2], [1, 2]]}), ("a", "b"))
    with pytest.raises(StudyError, match=r"c\.json is missing"):
        read_label_shares(tmp_path / "c.json")
