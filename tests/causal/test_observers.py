import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from experiments import SIDE, make_experiment
from oracles_observers import centre_distance, contrast, hidden_deviation, sigmoid
from pellucid.causal.observers import (
    Centre,
    Features,
    Metric,
    Object,
    Oracle,
    Picture,
    Random,
    Resemblance,
    Saliency,
    Seen,
    Variance,
    Verdict,
    Viewer,
    named_observers,
    observe,
    spectral_residual,
)
from pellucid.causal.observers.seen import Showing
from pellucid.errors import StudyError
from pellucid.study.experiments import CONDITIONS, Observed, Stimuli
from pellucid.study.experiments.stimuli import picture_path
from small import small_network


def picture(seed: int = 0, *, name: str = "", side: int = 24) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3)).astype(np.uint8)
    return Picture(name or f"{seed:016x}", pixels)


def trial(patches=((0, 0, 8, 8), (8, 9, 8, 8)), *, references: int = 3, minimal: int = 2) -> Seen:
    return Seen(
        (picture(1), picture(2)),
        picture(3),
        patches,
        tuple(picture(10 + at) for at in range(references)),
        tuple(picture(20 + at) for at in range(minimal)),
        tuple(picture(30 + at) for at in range(4)),
    )


def colour(first: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """The distance of mean colours."""
    return (first.mean(dim=(2, 3)) - others.mean(dim=(2, 3))).norm(dim=1)


def viewers() -> list[Viewer]:
    features, metric = Features(small_network()), Metric(colour, "colour", (24, 24))
    made: list[Viewer] = [Random(), Centre(), Variance(), Saliency()]
    made += [Object({f"{3:016x}": np.arange(24)[:, None] + np.arange(24) < 20})]
    made += [Resemblance(s, at, pn) for s in (features, metric) for at in ("whole", "crop") for pn in (True, False)]
    return made


@pytest.mark.parametrize("viewer", viewers(), ids=lambda one: one.name)
@pytest.mark.parametrize("references", [3, 0])
def test_swapping_the_queries_swaps_the_answer(viewer: Viewer, references: int) -> None:
    seen = trial(references=references)
    one, other = viewer.compare(seen), viewer.compare(seen.swapped())
    assert one.evidence == -other.evidence != 0
    if one.probability is not None and other.probability is not None:
        assert one.probability == pytest.approx(1 - other.probability)


def alike(seen: Seen) -> Seen:
    """Queries, and what is hidden, are the same for every observer."""
    flat = Picture(f"{3:016x}", np.full((24, 24, 3), 9, np.uint8))
    again = Picture("another name", seen.queries[0].pixels.copy())
    return dataclasses.replace(seen, queries=(seen.queries[0], again), base=flat, patches=((0, 4, 8, 8), (16, 4, 8, 8)))


@pytest.mark.parametrize("viewer", [one for one in viewers() if one.name != "random"], ids=lambda one: one.name)
def test_where_there_is_nothing_to_choose_by_it_is_a_tie(viewer: Viewer) -> None:
    if viewer.name == "object":
        viewer = Object({f"{3:016x}": np.ones((24, 24), np.bool_)})
    verdict = viewer.compare(alike(trial()))
    if viewer.name == "saliency":  # a flat picture has no spectrum but rounding
        assert verdict.evidence == pytest.approx(0, abs=1e-6)
    else:
        assert verdict == Verdict(0.0, None if verdict.probability is None else 0.5)


def test_a_viewer_is_given_no_activation(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=1, image_sets=2)
    stimuli = Stimuli.read(folder)
    assert {field.name for field in dataclasses.fields(Seen)} == {
        "queries", "base", "patches", "references", "minimal", "background",
    }  # fmt: skip
    assert {field.name for field in dataclasses.fields(Picture)} == {"name", "pixels"}
    stimulus = stimuli.stimuli[0]
    told = dataclasses.replace(
        stimuli, stimuli=(_with_other_activations(stimulus), *stimuli.stimuli[1:])
    )  # other numbers, same pictures
    for swap in (False, True):
        assert _names(Showing(folder, stimuli).trial(stimulus, "natural", swap=swap)) == _names(
            Showing(folder, told).trial(told.stimuli[0], "natural", swap=swap)
        )


def _with_other_activations(stimulus):
    larger, smaller = (
        dataclasses.replace(q, activation=a) for q, a in ((stimulus.larger, 99.0), (stimulus.smaller, -3.0))
    )
    return dataclasses.replace(stimulus, larger=larger, smaller=smaller)


def _names(seen: Seen):
    groups = (seen.queries, seen.references, seen.minimal, seen.background, (seen.base,) if seen.base else ())
    return [[one.name for one in group] for group in groups], seen.patches


def test_what_is_shown_is_the_trial_and_its_background_is_of_other_photographs(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=2, image_sets=3)
    stimuli = Stimuli.read(folder)
    stimulus = stimuli.stimuli[1]
    seen = Showing(folder, stimuli).trial(stimulus, "natural", swap=True)
    assert [one.name for one in seen.queries] == [stimulus.smaller.picture, stimulus.larger.picture]
    assert seen.patches == (stimulus.smaller.patch, stimulus.larger.patch)
    assert [one.name for one in seen.references] == sorted(stimulus.references["natural"])
    assert seen.base is not None
    assert stimulus.base is not None
    assert seen.base.name == stimulus.base.picture
    others = [
        one.base for one in stimuli.of_role("main") if one.base and one.base.photograph != stimulus.base.photograph
    ]
    assert {one.name for one in seen.background} == {one.picture for one in others}
    assert len(others) == 4


def test_the_oracle_is_always_right_and_chance_is_half(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=10, image_sets=4, catch=2, practice=1, obvious=1)
    oracle = observe(folder, Oracle())
    stimuli = Stimuli.read(folder)
    assert {(one.stimulus, one.condition) for one in oracle.answers} == {
        (stimulus.id, condition) for stimulus in stimuli.stimuli for condition in CONDITIONS
    }
    assert all(one.right == 1 for one in oracle.answers)
    chance = observe(folder, Random(3))
    share = np.mean([one.right for one in chance.answers])
    assert abs(share - 0.5) < 4 * 0.5 / len(chance.answers) ** 0.5
    again = observe(folder, Random(4))
    assert 0.3 < np.mean([a.right == b.right for a, b in zip(chance.answers, again.answers, strict=True)]) < 0.7


def test_the_side_on_which_a_query_is_given_decides_nothing(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=2, image_sets=3)
    for one in [Variance(), Saliency(), Resemblance(Metric(colour, "colour", (24, 24)))]:
        first, second = observe(folder, one, ["natural"], seed=0), observe(folder, one, ["natural"], seed=1)
        assert [a.right for a in first.answers] == [a.right for a in second.answers]
        assert [a.score for a in first.answers] == [a.score for a in second.answers]


def test_an_observer_with_a_side_of_its_own_is_at_chance(tmp_path: Path) -> None:
    class Left(Viewer):
        @property
        def name(self):
            return "left"

        def describe(self):
            return {}

        def compare(self, seen: Seen) -> Verdict:
            return Verdict(1.0)

    folder = make_experiment(tmp_path / "study", units=8, image_sets=8, conditions=("none",))
    answers = observe(folder, Left(), ["none"]).answers
    assert abs(np.mean([one.right for one in answers]) - 0.5) < 4 * 0.5 / len(answers) ** 0.5


def test_answers_are_kept_and_made_again_only_for_other_stimuli_or_settings(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=1, image_sets=1)
    first = observe(folder, Centre(), ["none"])
    assert Observed.read(folder / "observers" / "centre.json") == first
    file = folder / "observers" / "centre.json"
    content = json.loads(file.read_text())
    content["answers"][0]["score"] = 1234.5
    file.write_text(json.dumps(content))
    assert observe(folder, Centre(), ["none"]).answers[0].score == 1234.5
    assert observe(folder, Centre(), ["none"], seed=1).answers[0].score != 1234.5
    Stimuli.read(folder)
    dataclasses.replace(Stimuli.read(folder), seed=9).write(folder)
    file.write_text(json.dumps(content))
    assert observe(folder, Centre(), ["none"]).answers[0].score != 1234.5


def test_centre_and_variance_are_the_reference_formulas() -> None:
    base = picture(5)
    patches = ((0, 3, 8, 6), (11, 9, 8, 6))
    seen = dataclasses.replace(trial(patches), base=base)
    far, near = (centre_distance(patch, 24, 24) for patch in patches)
    assert Centre().compare(seen).evidence == pytest.approx(far - near)
    assert Centre().compare(seen).evidence > 0  # the first patch lies in a corner: what it hides matters less
    first, second = (hidden_deviation(base.pixels, patch) for patch in patches)
    assert Variance().compare(seen).evidence == pytest.approx(second - first)


def test_the_query_that_hides_less_texture_saliency_or_object_is_chosen() -> None:
    pixels = np.full((24, 24, 3), 128, np.uint8)
    pixels[2:10, 2:10] = np.random.default_rng(0).integers(0, 256, (8, 8, 3))
    base = Picture("a" * 16, pixels)
    seen = dataclasses.replace(trial(((2, 2, 8, 8), (14, 14, 8, 8))), base=base)
    for viewer in (Variance(), Saliency(), Object({"a" * 16: pixels[:, :, 0] != 128})):
        assert viewer.compare(seen).evidence < 0


def test_any_saliency_function_will_do() -> None:
    corner = Saliency(lambda pixels: np.add.outer(np.arange(24.0), np.zeros(24)), "rows")
    seen = trial(((0, 0, 8, 8), (16, 0, 8, 8)))
    assert corner.name == "saliency-rows"
    assert corner.compare(seen).evidence == 16  # what is hidden lies lower in the second
    with pytest.raises(StudyError, match=r"must have that shape, not \(3, 3\)"):
        Saliency(lambda pixels: np.ones((3, 3)), "wrong").compare(seen)


def test_spectral_residual_finds_what_is_unlike_the_rest() -> None:
    rows, columns = np.mgrid[0:96, 0:128]
    stripes = (128 + 60 * np.sin(columns * 0.8)).astype(np.uint8)
    stripes[40:52, 80:92] = (128 + 60 * np.sin(rows[40:52, 80:92] * 0.8)).astype(np.uint8)
    density = spectral_residual(np.repeat(stripes[:, :, None], 3, axis=2))
    assert density.shape == (96, 128)
    assert density.min() >= 0
    assert density.sum() == pytest.approx(1)
    top = np.unravel_index(density.argmax(), density.shape)
    assert abs(top[0] - 46) < 10
    assert abs(top[1] - 86) < 10


def test_spectral_residual_is_the_reference_formula() -> None:
    from scipy.ndimage import gaussian_filter

    from oracles_observers import spectral_residual as slow

    gray = np.random.default_rng(1).integers(0, 256, (8, 8)).astype(np.uint8)
    density = spectral_residual(np.repeat(gray[:, :, None], 3, axis=2), side=8, sigma=1.0)
    expected = gaussian_filter(slow(gray / 255.0), 1.0)
    np.testing.assert_allclose(density, expected / expected.sum(), rtol=1e-5)


def test_objects_are_read_from_boxes_and_masks(tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({f"{3:016x}": {"size": [24, 24], "boxes": [[0, 0, 8, 4]]}}))
    mask = np.zeros((24, 24), np.uint8)
    mask[:8, :4] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(mask).save(tmp_path / "masks" / f"{3:016x}.png")
    seen = trial(((4, 0, 8, 8), (0, 0, 4, 3)))
    for given in (boxes, tmp_path / "masks"):
        # Half of the object is hidden by the first patch, 12 of its 32 pixels by the second.
        assert Object.read(given).compare(seen).evidence == pytest.approx(12 / 32 - 16 / 32)
    with pytest.raises(StudyError, match="no object of the size"):
        Object({}).compare(seen)
    boxes.write_text("[1]")
    with pytest.raises(StudyError, match="has no boxes of objects"):
        Object.read(boxes)


def numbers(features: Features, one: Picture) -> np.ndarray:
    images = torch.from_numpy(
        np.asarray(Image.fromarray(one.pixels).resize((32, 32), Image.Resampling.BICUBIC), dtype=np.float32) / 255
    )
    maps = features.network.activations(images.permute(2, 0, 1)[None], ["act3"])["act3"]
    return maps[0].detach().double().flatten(1).mean(dim=1).numpy()


def test_resemblance_is_the_reference_formula() -> None:
    features, seen = Features(small_network()), trial()
    assert features.layer == "act3"
    f = {id(one): numbers(features, one) for one in (*seen.queries, *seen.references, *seen.minimal, *seen.background)}
    first, second = (f[id(one)] for one in seen.queries)
    positive, negative, background = (
        [f[id(one)] for one in some] for some in (seen.references, seen.minimal, seen.background)
    )
    expected = contrast(first, second, positive, negative)
    verdict = Resemblance(features, temperature=0.2).compare(seen)
    assert verdict.evidence == pytest.approx(expected, abs=1e-6)
    assert verdict.probability == pytest.approx(sigmoid(expected / 0.2), abs=1e-6)
    without = dataclasses.replace(seen, minimal=())
    assert Resemblance(features).compare(without).evidence == pytest.approx(
        contrast(first, second, positive, background), abs=1e-6
    )


def test_plain_resemblance_leaves_the_contrast_out_and_crops_are_of_what_is_hidden() -> None:
    def first_pixel(one: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        return others[:, 0, 0, 0] - one[0, 0, 0, 0]

    seen, metric = trial(), Metric(first_pixel, "pixel", (24, 24), distance=False)
    a, b = (one.pixels[0, 0, 0] / 255 for one in seen.queries)
    assert Resemblance(metric, contrast=False).compare(seen).evidence == pytest.approx(b - a, abs=1e-6)
    assert Resemblance(metric).compare(seen).evidence == pytest.approx(0, abs=1e-6)  # cancels in the contrast
    assert seen.base is not None

    def corner(one: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        return one.mean().expand(len(others))

    hides = Resemblance(Metric(corner, "mean", (24, 24), distance=False), "crop", False).compare(seen).evidence
    shares = [float(seen.base.cut(patch).pixels.mean()) / 255 for patch in seen.patches or ()]
    assert hides == pytest.approx(shares[1] - shares[0], abs=0.01)  # the first is chosen if the second hides more


def test_without_references_the_base_stands_in_for_them() -> None:
    seen = trial(references=0, minimal=0)
    assert seen.base is not None
    as_base = dataclasses.replace(seen, references=(seen.base,))
    viewer = Resemblance(Metric(colour, "colour", (24, 24)))
    assert viewer.compare(seen) == viewer.compare(as_base)
    nothing = dataclasses.replace(seen, base=None, patches=None)
    assert viewer.compare(nothing) == Verdict(0.0, 0.5)


def test_an_observer_of_references_beats_one_of_the_base_where_they_tell_more(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=3, image_sets=2, conditions=("natural", "none"))
    stimuli = Stimuli.read(folder)
    for stimulus in stimuli.stimuli:  # references and larger queries are red, all else is as it was
        for name in (*stimulus.references["natural"], stimulus.larger.picture):
            red = np.zeros((SIDE, SIDE, 3), np.uint8)
            red[:, :, 0] = 250
            Image.fromarray(red).save(picture_path(folder, name))
    answers = observe(folder, Resemblance(Metric(colour, "colour", (24, 24)))).answers
    assert {one.right for one in answers if one.condition == "natural"} == {1.0}
    assert {one.right for one in answers if one.condition == "none"} != {1.0}


def test_two_choice_trials_have_no_patches_to_look_at(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=1, image_sets=2, task="two_choice")
    whole = Resemblance(Metric(colour, "colour", (24, 24)))
    assert {one.right for one in observe(folder, whole, ["natural"]).answers} <= {0.0, 1.0}
    assert {one.right for one in observe(folder, whole, ["none"]).answers} == {0.5}
    for viewer in (Centre(), Variance(), Saliency(), Resemblance(Metric(colour, "colour", (24, 24)), "crop")):
        with pytest.raises(StudyError, match="nothing is"):
            observe(folder, viewer, ["natural"])


def test_equal_pictures_have_equal_features_under_any_name() -> None:
    features = Features(small_network(), batch=2)
    vectors = features.vectors([picture(1), picture(2), picture(1, name="other"), picture(4)])
    assert torch.equal(vectors[0], vectors[2])
    assert torch.allclose(vectors.norm(dim=1), torch.ones(4, dtype=torch.float64))


def test_what_is_asked_wrongly_is_refused(tmp_path: Path) -> None:
    folder = make_experiment(tmp_path / "study", units=1, image_sets=1, conditions=("natural", "none"))
    with pytest.raises(StudyError, match="no condition 'mixed'; it has natural, none"):
        observe(folder, Centre(), ["mixed"])
    picture_path(folder, Stimuli.read(folder).stimuli[0].larger.picture).write_bytes(b"no picture")
    with pytest.raises(StudyError, match="cannot be read as a picture"):
        observe(folder, Centre())
    with pytest.raises(StudyError, match=r"a patch at \(20, 0, 8, 8\) does not lie in a picture of 24x24"):
        Variance().compare(trial(((20, 0, 8, 8), (0, 0, 8, 8))))
    with pytest.raises(StudyError, match="did you mean 'centre'"):
        named_observers(["center"])
    with pytest.raises(StudyError, match="give it a network's features"):
        named_observers(["whole"])
    with pytest.raises(StudyError, match="where the objects are"):
        named_observers(["object"])
    names = [one.name for one in named_observers(["oracle", "crop_pn"], similarity=Metric(colour, "colour"))]
    assert names == ["oracle", "crop_pn-colour"]
