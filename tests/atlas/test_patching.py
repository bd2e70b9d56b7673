from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import norm

import oracles_patching as oracles
from colours import NAMES, colour_network, coloured_photographs, flat
from pellucid.activations import open_source
from pellucid.atlas.image_classes import choose_images, classes_of_names, image_classes
from pellucid.atlas.patching import (
    PatchConfig,
    choose_photographs,
    drawn_control,
    pasted,
    patch_size,
    report,
    run_trials,
    shrunk,
)
from pellucid.atlas.patching.intervals import crossed_bootstrap, image_bootstrap, mcnemar, sign_flips, wilson
from pellucid.errors import AtlasError, ImagesError
from pellucid.networks import Labels

GREEN = {"green": flat((0, 255, 0)), "red": flat((255, 0, 0))}
QUICK = PatchConfig(sizes=(0.2, 0.5, 1.0), corners=(0, 3), controls=("noise", "grey", "self", "unrelated"), batch=4)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return coloured_photographs(tmp_path_factory.mktemp("colours") / "images", {"red": 7, "green": 3, "blue": 4})


@pytest.mark.parametrize("corner", range(4))
def test_a_patch_covers_its_corner_and_nothing_else(corner: int) -> None:
    images = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    patches = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    before = images.clone()
    several, one = pasted(images, patches, corner), pasted(images, patches[0], corner)
    for index in range(2):
        expected = oracles.pasted_by_loops(images[index].numpy(), patches[index].numpy(), corner)
        np.testing.assert_array_equal(several[index].numpy(), expected)
        expected = oracles.pasted_by_loops(images[index].numpy(), patches[0].numpy(), corner)
        np.testing.assert_array_equal(one[index].numpy(), expected)
    torch.testing.assert_close(images, before, rtol=0, atol=0)


def test_sizes_are_shares_of_each_side_rounded_down() -> None:
    assert [patch_size(share, (224, 224)) for share in (0.2, 0.4, 0.7)] == [(44, 44), (89, 89), (156, 156)]
    assert patch_size(0.5, (21, 33)) == (10, 16)
    assert patch_size(0.001, (20, 20)) == (1, 1)
    assert shrunk(GREEN["green"], (3, 5)).shape == (3, 3, 5)
    assert shrunk(GREEN["green"].convert("L"), (3, 5)).shape == (1, 3, 5)
    with pytest.raises(AtlasError, match=r"cannot take 1\.5 of an image's side"):
        patch_size(1.5, (20, 20))
    with pytest.raises(AtlasError, match="no corner 4; 0 to 3 are top left"):
        pasted(torch.zeros(1, 3, 4, 4), torch.zeros(3, 2, 2), 4)
    with pytest.raises(AtlasError, match=r"a patch \(3, 5, 2\) does not fit into images \(1, 3, 4, 4\)"):
        pasted(torch.zeros(1, 3, 4, 4), torch.zeros(3, 5, 2), 0)


def test_intervals_and_tests_are_those_of_the_textbook() -> None:
    z = float(norm.ppf(0.975))
    for share, count in ((0.0, 12), (0.25, 40), (1.0, 7), (0.123, 1000)):
        np.testing.assert_allclose(wilson(share, count), oracles.wilson_by_roots(share, count, z), atol=1e-12)
    assert wilson(0.0, 0) == (0.0, 1.0)
    rng = np.random.default_rng(0)
    for _ in range(5):
        first, second = rng.random((2, 15)) < [[0.7], [0.3]]
        assert mcnemar(first, second) == pytest.approx(oracles.mcnemar_by_sum(first.tolist(), second.tolist()))
    assert mcnemar(np.ones(4, bool), np.ones(4, bool)) == 1.0
    differences = rng.normal(0.4, 1, 10)
    exact = oracles.all_sign_flips(differences.tolist())
    assert sign_flips(differences, resamples=20_000, seed=0) == pytest.approx(exact, abs=0.012)


def test_sign_flips_of_single_trials_are_the_test_of_mcnemar() -> None:
    first, second = np.array([True] * 9 + [False] * 6), np.array([False] * 7 + [True] * 4 + [False] * 4)
    flips = sign_flips(first.astype(float) - second, resamples=40_000, seed=0)
    assert flips == pytest.approx(mcnemar(first, second), abs=0.01)


def test_bootstrap_intervals_hold_the_mean_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held, crossed = 0, 0
    for trial in range(120):
        images = rng.normal(1, 1, 40)
        low, high = image_bootstrap(images[None], resamples=400, seed=trial)
        held += low[0] <= 1 <= high[0]
        both = 1 + rng.normal(0, 1, 40)[None] + rng.normal(0, 1, 8)[:, None] + rng.normal(0, 1, (8, 40))
        ends = crossed_bootstrap(both, resamples=400, seed=trial)
        crossed += ends[0] <= 1 <= ends[1]
    assert held >= 0.88 * 120
    assert crossed >= 0.85 * 120  # of 8 patches; one that drew images alone would hold it in half of the cases


def test_names_and_labels_say_which_class_an_image_is_of(tmp_path: Path) -> None:
    labels = Labels(("grey whale, devilfish", "crane, bird", "crane, machine"), ("n02066245", "n02012849", "n03126707"))
    names = [
        "n02066245_9.jpg", "n03126707/a.jpg", "grey_whale_12.png", "Devilfish (3).png", "crane.png", "bird/x.png",
        "whale.png", "xn02066245.png",
    ]  # fmt: skip
    assert classes_of_names(names, labels).tolist() == [0, 2, 0, 0, -1, 1, -1, -1]
    assert classes_of_names(names, None).tolist() == [-1] * 8
    folder = coloured_photographs(tmp_path / "images", {"red": 2, "blue": 1})
    (tmp_path / "labels.csv").write_text("path,label\n" + "".join(f"{p.name},1\n" for p in sorted(folder.iterdir())))
    network = colour_network()
    assert image_classes(open_source(folder), network.labels).tolist() == [0, 0, 2]
    assert image_classes(open_source(folder, labels=tmp_path / "labels.csv"), network.labels).tolist() == [1, 1, 1]
    # A number that is no class's says nothing, and the name is asked.
    (tmp_path / "labels.csv").write_text("path,label\n" + "".join(f"{p.name},9\n" for p in sorted(folder.iterdir())))
    assert image_classes(open_source(folder, labels=tmp_path / "labels.csv"), network.labels).tolist() == [0, 0, 2]


def test_images_are_chosen_by_class_range_and_pattern() -> None:
    names, of = ["a/1.png", "b/2.png", "b/3.png", "4.png"], np.array([0, 2, 1, -1])
    assert choose_images("0-1", names, of, NAMES).tolist() == [0, 2]
    assert choose_images("blue, 4.*", names, of, NAMES).tolist() == [1, 3]
    assert choose_images("b/*", names, of, NAMES).tolist() == [1, 2]
    with pytest.raises(ImagesError, match=r"none of the 4 images is chosen by 'violet'; the class of 3 of them is"):
        choose_images("violet", names, of, NAMES)
    with pytest.raises(AtlasError, match="there is no class 'purple'"):
        choose_images("purple", names, of, NAMES)
    with pytest.raises(AtlasError, match="chooses nothing"):
        choose_images(" , ", names, of, NAMES)


def test_photographs_are_chosen_by_name_or_by_what_they_are_taken_for(photographs: Path, tmp_path: Path) -> None:
    network = colour_network()
    source = open_source(photographs)
    reds = choose_photographs(network, source, 1, of=0)
    assert [reds.name(place)[:9] for place in range(len(reds))] == ["n00000001"] * 7
    assert {source.name(int(number))[:9] for number in reds.pool} == {"n00000003"}  # neither red nor the target's
    rest = choose_photographs(network, source, 1)
    assert len(rest) == 11
    assert len(choose_photographs(network, source, 1, limit=5)) == 5
    assert len(choose_photographs(network, source, 1, only="blue")) == 4
    for number, path in enumerate(sorted(photographs.iterdir())):
        (tmp_path / f"{number}.png").write_bytes(path.read_bytes())
    unnamed = choose_photographs(network, open_source(tmp_path), 1, of=2, batch=3)
    assert unnamed.chosen.tolist() == image_numbers(tmp_path, photographs, "n00000003")
    with pytest.raises(ImagesError, match="none of the 14 photographs is of class 3, by label, by name or to colours"):
        choose_photographs(network, source, 1, of=3)


def image_numbers(copies: Path, originals: Path, start: str) -> list[int]:
    order = [path.name for path in sorted(copies.iterdir())]
    wanted = [number for number, path in enumerate(sorted(originals.iterdir())) if path.name.startswith(start)]
    return sorted(order.index(f"{number}.png") for number in wanted)


def test_logits_rise_by_what_the_patch_covers(photographs: Path) -> None:
    network = colour_network()
    chosen = choose_photographs(network, open_source(photographs), 1, of=0)
    trials = run_trials(network, chosen, GREEN, (1, 0), config=QUICK)
    assert trials.names == ("green", "red", "noise", "grey", "self", "unrelated")
    assert trials.top.shape == (6, 3, 2, 7)
    bare, _ = chosen.views(network, chosen.chosen.tolist())
    for size, side in enumerate((4, 10, 20)):
        for corner, where in enumerate((slice(0, side), slice(20 - side, 20))):
            covered = bare[:, 1, where, where]
            expected = 10 * (side * side / 400) * (1 - covered.mean(dim=(1, 2)))
            np.testing.assert_allclose(trials.rise[0, size, corner, :, 0], expected, atol=1e-4)
    assert (trials.top[0, 2] == 1).all()
    assert (trials.top[1, 2] == 0).all()
    np.testing.assert_allclose(trials.rise[4, 2], 0, atol=1e-5)  # a photograph over the whole of itself
    assert (trials.top[5, 2] == 2).all()  # an unrelated one: only blue is left
    np.testing.assert_allclose(trials.probability[0, 2], np.exp(10) / (np.exp(10) + 2 + np.exp(-10)), rtol=1e-5)


def test_what_comes_out_does_not_depend_on_the_batch(photographs: Path) -> None:
    network = colour_network()
    chosen = choose_photographs(network, open_source(photographs), 1)
    whole, single = (
        run_trials(network, chosen, GREEN, (1,), config=PatchConfig(sizes=(0.4,), batch=batch)) for batch in (16, 1)
    )
    np.testing.assert_allclose(whole.logits, single.logits, atol=1e-5)
    np.testing.assert_array_equal(whole.place, single.place)


def test_tables_count_what_the_trials_say(photographs: Path) -> None:
    network = colour_network()
    chosen = choose_photographs(network, open_source(photographs), 1)
    trials = run_trials(network, chosen, GREEN, (1, 0), config=QUICK)
    found = report(trials, resamples=200)
    assert trials.correct.all()
    assert len(found["table"]) == 3 * 6
    for row in found["table"]:
        at = (
            trials.names.index(row["patch"]),
            QUICK.sizes.index(row["size"]),
            ("top left", "", "", "bottom right").index(row["corner"]) // 3,
        )
        hits = [top == 1 for top in trials.top[at]]
        changed = [top != before for top, before in zip(trials.top[at], trials.bare_top, strict=True)]
        assert (row["images"], row["correct"], row["to_target"], row["changed"]) == (11, 11, sum(hits), sum(changed))
        assert row["rate"] == pytest.approx(sum(hits) / 11, abs=1e-6)
        assert row["low"] <= row["rate"] <= row["high"]
        assert row["logit"] == pytest.approx(float(trials.rise[at][:, 0].mean()), abs=1e-5)
        assert row["logit_low"] <= row["logit"] <= row["logit_high"]
        assert row["also"][0][0] == 0
        if row["patch"] != "noise":
            control = [top == 1 for top in trials.top[(2, *at[1:])]]
            assert row["p"] == pytest.approx(oracles.mcnemar_by_sum(hits, control))
    best = found["best"][0]
    assert best["to_target"] == sum((trials.top[0] == 1).any(axis=(0, 1)))
    assert best["logit"] == pytest.approx(float(trials.rise[0, ..., 0].max(axis=(0, 1)).mean()), abs=1e-5)
    assert found["consistent"][0]["size"] == 1.0
    assert found["consistent"][0]["to_target"] == 11
    overall = found["overall"]
    means = trials.rise[..., 0].mean(axis=(1, 2, 3))
    assert overall["difference"] == pytest.approx((means[0] + means[1]) / 2 - means[2], abs=1e-5)
    assert overall["low"] <= overall["difference"] <= overall["high"]
    assert overall["patch"]["trials"] == 2 * 6 * 11
    assert [control["name"] for control in found["controls"]] == ["noise", "grey", "self", "unrelated"]


def test_a_size_is_chosen_on_other_photographs_than_it_is_counted_on() -> None:
    # Of two places the first works on even photographs alone, the second on odd ones: what one half says is wrong
    # for the other, and a choice that had seen what it is counted on would hide it.
    from pellucid.atlas.patching import Trials

    images = 8
    top = np.zeros((2, 1, 2, images), np.int32)
    top[0, 0, 0, ::2] = top[0, 0, 1, 1::2] = 1
    zeros = np.zeros((2, 1, 2, images), np.float32)
    of = np.zeros(images, np.int64)
    trials = Trials(
        ("patch", "noise"), 1, (0.5,), (0, 1), (1,), np.arange(images), of, of.astype(np.int32),
        np.zeros((images, 1), np.float32), np.zeros(images, np.float32), top, zeros[..., None], zeros,
    )  # fmt: skip
    found = report(trials, resamples=200)
    assert found["consistent"][0]["to_target"] == 0
    assert found["best"][0]["to_target"] == images
    assert [row["to_target"] for row in found["table"][:2]] == [4, 4]


def test_what_cannot_be_tried_is_refused(photographs: Path, tmp_path: Path) -> None:
    network = colour_network()
    chosen = choose_photographs(network, open_source(photographs), 1)
    with pytest.raises(AtlasError, match="no patches to paste"):
        run_trials(network, chosen, {}, (1,))
    with pytest.raises(AtlasError, match="a patch is called 'noise', as a control is"):
        run_trials(network, chosen, {"noise": GREEN["green"]}, (1,))
    with pytest.raises(AtlasError, match="there is no control 'gray'; controls are noise, grey"):
        run_trials(network, chosen, GREEN, (1,), config=PatchConfig(controls=("gray",)))
    with pytest.raises(AtlasError, match=r"gives \(4,\) for an image, and classes \(7,\) are asked for"):
        run_trials(network, chosen, GREEN, (7,))
    with pytest.raises(AtlasError, match=r"sizes = \(0\.0,\) must be shares"):
        PatchConfig(sizes=(0.0,))
    with pytest.raises(AtlasError, match=r"corners = \(4,\) must be among 0 to 3"):
        PatchConfig(corners=(4,))
    with pytest.raises(AtlasError, match="must each be given once"):
        PatchConfig(sizes=(0.2, 0.2))
    with pytest.raises(AtlasError, match="leave one at least"):
        report(run_trials(network, chosen, GREEN, (1,), config=PatchConfig(sizes=(0.2,), controls=())))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ImagesError, match="none of the 1 photographs can be opened"):
        run_trials(network, choose_photographs(network, open_source(tmp_path), 1), GREEN, (1,))


def test_photographs_that_cannot_be_opened_are_left_out(photographs: Path, tmp_path: Path) -> None:
    for path in photographs.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "n00000001_broken.png").write_bytes(b"no picture")
    network = colour_network()
    chosen = choose_photographs(network, open_source(tmp_path), 1, of=0)
    trials = run_trials(network, chosen, GREEN, (1,), config=PatchConfig(sizes=(0.2,), batch=3))
    assert len(chosen) == 8
    assert [chosen.name(int(place)) for place in trials.place] == sorted(
        path.name for path in photographs.glob("*_red_*")
    )


def test_noise_is_drawn_from_its_seed() -> None:
    one, again, other = (drawn_control("noise", (20, 30), 3, seed) for seed in (0, 0, 1))
    assert one.size == (30, 20)
    assert one.tobytes() == again.tobytes() != other.tobytes()
    assert drawn_control("grey", (4, 4), 1, 0).mode == "L"
