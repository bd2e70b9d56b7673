"""Labelling tasks of harvested units, and what is made of the answers."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from harvests import LAYER, harvested, photographs, renewed
from labelling import UNIT, folder_of, labelling, say
from pellucid.activations.distribution import Distribution
from pellucid.activations.quilt import quilt
from pellucid.activations.summary.store import read_summary
from pellucid.cli.curves import app
from pellucid.curves.labels import (
    CURVE_POSITIVE,
    CURVE_RUBRIC,
    LABELS,
    LabelCounts,
    cohen_kappa,
    prepare_labels,
    read_rubric,
    read_study_labels,
)
from pellucid.errors import ImagesError, ObjectiveError, PellucidError, StudyError, SummaryError
from pellucid.pictures import encode
from pellucid.study import GalleryRecord, PictureRecord, Study, gallery_folder
from pellucid.study.label_record import Label, LabelKey, LabelTask, label_task, picture_name


def run(*arguments: object) -> str:
    """What the command prints; its errors come through."""
    ended = CliRunner().invoke(app, list(map(str, arguments)))
    if ended.exception is not None:
        raise ended.exception
    return ended.output


def key_of(study: Study) -> LabelKey:
    return LabelKey.read(folder_of(study))


def test_pictures_are_those_of_the_quilt_with_a_fixed_number_from_each_bin(tmp_path: Path) -> None:
    study, task = labelling(tmp_path, per_bin=3)
    sewn = quilt(study, LAYER, [UNIT], rows=3, crop=32)[UNIT]
    known = key_of(study).images
    assert len(known) == len(task.images) == sum(len(column.examples) for column in sewn.columns) > 20
    for number, column in enumerate(sewn.columns):
        mine = [one for one in known if one.bin == number]
        assert len(mine) == min(3, column.count)
        shown = {(one.name, one.place, tuple(one.field or ())): one for one in column.examples}
        for one in mine:
            same = shown[one.photograph, one.place, one.field]
            assert one.activation == same.value
            file = folder_of(study) / picture_name(one.image)
            assert file.read_bytes() == encode(Image.fromarray(same.crop), ".webp")
    assert key_of(study).tap == "pre"
    assert key_of(study).edges == (sewn.columns[0].low, *(column.high for column in sewn.columns))
    assert [label.name for label in task.labels] == [*LABELS]
    assert task.positive == ("curve", "imperfect")
    assert sorted(path.stem for path in (folder_of(study) / "pictures").iterdir()) == list(task.images)


@pytest.mark.parametrize(("width", "step"), [(0.5, 1), (1.0, 2), (1.5, 3)])
def test_bins_are_as_wide_as_asked_and_have_an_edge_at_0(tmp_path: Path, width: float, step: int) -> None:
    # The groups of the harvest are 0.5 wide, from -4.5 on.
    study, _ = labelling(tmp_path, per_bin=5, bin_width=width)
    edges = key_of(study).edges
    inner = [edge for edge in edges if edge is not None]
    assert np.diff(inner) == pytest.approx(width)
    assert 0.0 in inner
    for one in key_of(study).images:
        low, high = edges[one.bin], edges[one.bin + 1]
        assert (-math.inf if low is None else low) <= one.activation < (math.inf if high is None else high)
    values = read_summary(study, LAYER, "pre").samples
    for number, (low, high) in enumerate(pairwise(edges)):
        mine = [one for one in key_of(study).images if one.bin == number]
        there = (values.edges[UNIT, :-1] >= (-9 if low is None else low)) & (values.edges[UNIT, 1:] <= (high or 9))
        if high is None or low is None or high == 0:
            continue
        assert len(mine) == min(5, values.counts[UNIT, there].sum())


def test_columns_and_tap_are_those_of_the_quilt(tmp_path: Path) -> None:
    study, _ = labelling(tmp_path, columns=[-math.inf, 0, 1, math.inf], tap="post")
    assert key_of(study).edges == (None, 0.0, 1.0, None)
    assert key_of(study).tap == "post"
    study = harvested(tmp_path / "other", photographs(tmp_path / "more", 9), rectified=False)
    prepare_labels(study, LAYER, UNIT, per_bin=2, columns=4)
    assert key_of(study).tap == "post"
    assert len(key_of(study).edges) <= 5


def test_a_task_made_again_is_the_same(tmp_path: Path) -> None:
    study, task = labelling(tmp_path)
    before = {path: path.read_bytes() for path in folder_of(study).rglob("*") if path.is_file()}
    assert prepare_labels(study, LAYER, UNIT, per_bin=4, size=32) == task
    assert {path: path.read_bytes() for path in folder_of(study).rglob("*") if path.is_file()} == before


def test_another_task_replaces_one_without_answers(tmp_path: Path) -> None:
    study, task = labelling(tmp_path)
    fewer = prepare_labels(study, LAYER, UNIT, per_bin=1, size=32, seed=3)
    assert {*fewer.images} < {*task.images}
    assert sorted(path.stem for path in (folder_of(study) / "pictures").iterdir()) == list(fewer.images)


def test_a_task_with_answers_only_gets_more_images(tmp_path: Path) -> None:
    study, task = labelling(tmp_path, per_bin=2)
    order = task.order("ann")
    say(study, "ann", order[0], "curve")
    more = prepare_labels(study, LAYER, UNIT, per_bin=6, size=32)
    assert {*more.images} > {*task.images}
    assert [image for image in more.order("ann") if image in task.images] == list(order)
    assert [one.label for one in read_study_labels(study, LAYER, UNIT).answers] == ["curve"]
    for changed in (
        {"per_bin": 2},
        {"size": 48},
        {"seed": 1},
        {"tap": "post"},
        {"labels": [Label("a", "A."), Label("b", "B.")]},
        {"positive": ["curve"]},
        {"reference": tmp_path / "images" / "cats" / "000.png"},
    ):
        with pytest.raises(
            PellucidError, match=r"ann answered to another task of made\.up:3; a task with answers may get"
        ):
            prepare_labels(study, LAYER, UNIT, **{"per_bin": 6, "size": 32, **changed})
    assert LabelTask.read(folder_of(study)) == more


def test_the_reference_is_what_was_rendered_for_the_unit(tmp_path: Path) -> None:
    study, task = labelling(tmp_path)
    assert task.reference == ""
    folder = gallery_folder(study, "pictures")
    folder.mkdir(parents=True)
    shades = {f"-{LAYER}:3": 10, f"{LAYER}:3": 250, f"{LAYER}:30": 90, f"{LAYER}:3@1,1": 120}
    pictures = []
    for number, (objective, shade) in enumerate([(f"{LAYER}:3", 40), *shades.items()]):
        Image.new("RGB", (500, 400), (shade, shade, shade)).save(folder / f"{number}.png")
        pictures.append(PictureRecord(objective, 0, f"{number}.png", 1.0, silent=number == 0))
    GalleryRecord({}, tuple(pictures)).write(folder)
    task = prepare_labels(study, LAYER, UNIT, per_bin=4, size=32)
    with Image.open(folder_of(study) / task.reference) as shown:
        assert max(shown.size) == 256
        assert abs(int(np.asarray(shown.convert("L")).mean()) - 250) < 4
    given = prepare_labels(study, LAYER, UNIT, per_bin=4, size=32, reference=folder / "3.png")
    with Image.open(folder_of(study) / given.reference) as shown:
        assert abs(int(np.asarray(shown.convert("L")).mean()) - 90) < 4
    with pytest.raises(ImagesError, match=r"the reference .*study\.json cannot be opened"):
        prepare_labels(study, LAYER, UNIT, per_bin=4, size=32, reference=study.path / "study.json")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"per_bin": 8}, PellucidError, "kept 7 random positions of each; harvest with more, 'pellucid harvest "),
        ({"bin_width": 0.7}, PellucidError, "their width is a multiple of 0.5, not 0.7"),
        ({"bin_width": 0.0}, PellucidError, "multiple of 0.5, not 0"),
        ({"bin_width": math.inf}, PellucidError, "multiple of 0.5, not inf"),
        ({"bin_width": 1.0, "columns": 3}, PellucidError, "the width of the bins or the columns, not both"),
        ({"columns": [0.1, 1]}, SummaryError, "0.1 is no edge of a bin of unit 3"),
        ({"tap": "mid"}, StudyError, "no summary of 'mid'"),
        ({"size": 4}, SummaryError, "sides of 8 to 512 pixels"),
        ({"labels": [Label("a", "")]}, StudyError, "2 to 9 labels"),
        ({"positive": ["maybe"]}, StudyError, "not maybe"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(tmp_path: Path, options: dict, error: type, message: str) -> None:
    study = harvested(tmp_path / "study", photographs(tmp_path / "images", 5))
    with pytest.raises(error, match=message):
        prepare_labels(study, LAYER, UNIT, **{"per_bin": 4, "size": 32, **options})
    assert not (study.path / "labels").exists()


def test_units_and_layers_that_were_not_harvested_are_refused(tmp_path: Path) -> None:
    study = harvested(tmp_path / "study", photographs(tmp_path / "images", 5))
    with pytest.raises(ObjectiveError, match=r"there is no unit 5 in 'made\.up': it has units 0 to 4"):
        prepare_labels(study, LAYER, 5)
    with pytest.raises(
        StudyError, match=r"no finished summary of layer 'conv4'; it has made\.up; make one with 'pellucid harvest"
    ):
        prepare_labels(study, "conv4", 5)


def test_missing_photographs_are_reported_and_found_where_they_are_now(tmp_path: Path) -> None:
    study = harvested(tmp_path / "study", photographs(tmp_path / "images", 5))
    (tmp_path / "images").rename(tmp_path / "moved")
    with pytest.raises(ImagesError, match="images"):
        prepare_labels(study, LAYER, UNIT, per_bin=2)
    task = prepare_labels(study, LAYER, UNIT, per_bin=2, source=tmp_path / "moved")
    assert len(task.images) > 10
    (tmp_path / "moved" / "cats" / "000.png").write_bytes(b"damaged")
    with pytest.raises(ImagesError, match=r"photographs|pictures cannot be cut"):
        prepare_labels(study, LAYER, UNIT, per_bin=3, source=tmp_path / "moved")


def test_a_unit_without_a_place_is_labelled_by_what_the_network_saw(tmp_path: Path) -> None:
    study = harvested(tmp_path / "study", photographs(tmp_path / "images", 5))
    renewed(study, field=None)
    prepare_labels(study, LAYER, UNIT, per_bin=2, size=32)
    fields = {one.field for one in key_of(study).images}
    assert all(right - left == bottom - top for left, top, right, bottom in fields)  # the whole views


def test_rubrics_are_read_from_texts_and_files(tmp_path: Path) -> None:
    assert read_rubric(["dog=A dog, or = part of one.", "none = No dog. "]) == (
        Label("dog", "A dog, or = part of one."),
        Label("none", "No dog."),
    )
    file = tmp_path / "labels.json"
    file.write_text(json.dumps({"dog": "A dog.", "none": "No dog."}))
    assert read_rubric([str(file)]) == (Label("dog", "A dog."), Label("none", "No dog."))
    with pytest.raises(PellucidError, match="'none' is no label with its rubric; write 'name=when to give it'"):
        read_rubric(["dog=A dog.", "none"])
    file.write_text('["dog"]')
    with pytest.raises(PellucidError, match=r"labels\.json holds no labels"):
        read_rubric([str(file)])
    assert [label.name for label in CURVE_RUBRIC] == [*LABELS]
    assert LABELS[:2] == CURVE_POSITIVE


# The answers


def labelled(path: Path, **options) -> tuple[Study, dict[str, float]]:
    """A study that ann and bob labelled by what ought not to be known, and the activations."""
    study, task = labelling(path, per_bin=6, **options)
    known = {one.image: one.activation for one in key_of(study).images}
    for place, image in enumerate(task.order("ann")):
        say(study, "ann", image, by(known[image]))
        if place % 3:
            say(study, "bob", image, "unrelated" if place % 5 == 0 else by(known[image]))
    first = task.order("ann")[0]
    say(study, "bob", first, "curve", "key-of-a-slip")
    say(study, "bob", first, None)
    return study, known


def by(activation: float) -> str:
    return LABELS[0] if activation > 1 else LABELS[1] if activation > 0 else LABELS[2 if activation > -1.5 else 3]


def test_answers_are_set_against_the_units_own_distribution(tmp_path: Path) -> None:
    study, known = labelled(tmp_path)
    found = read_study_labels(study, LAYER, UNIT)
    assert {rater: len(given) for rater, given in found.raters.items()} == {
        "ann": len(known),
        "bob": sum(place % 3 > 0 for place in range(len(known))),
    }
    assert all(answer.activation == known[answer.image] for answer in found.answers)
    whole = Distribution.of(read_summary(study, LAYER, "pre"), UNIT)
    assert found.activations.counts.tolist() == whole.counts.tolist()  # four bins in each that was sampled
    assert found.width == pytest.approx(0.5)
    counts = found.counts()
    expected = {}
    for image in known:
        labels = [given[image] for given in found.raters.values() if image in given]
        expected[image] = labels[0] if len({*labels}) == 1 else max(labels, key=LABELS.index)
    assert counts.totals == {label: [*expected.values()].count(label) for label in LABELS}
    same = LabelCounts.of([known[image] for image in expected], [*expected.values()], whole.edges)
    assert counts.counts.tolist() == same.counts.tolist()
    high = [one for one in expected if known[one] > 0.5 and expected[one] not in CURVE_POSITIVE]
    assert [one["image"] for one in found.false_positives(0.5)] == sorted(high, key=lambda one: -known[one])
    assert len(high) > 0
    first = found.false_positives(0.5)[0]
    about = key_of(study).by_image()[first["image"]]
    assert (first["photograph"], first["row"], first["column"]) == (about.photograph, *about.place)
    assert first["field"] == list(about.field)


@pytest.mark.parametrize(("options", "factor"), [({}, 1), ({"bin_width": 1.0}, 2), ({"bin_width": 3.0}, 4)])
def test_bins_of_the_analysis_are_a_fourth_of_those_of_the_sample_or_less(tmp_path: Path, options, factor: int) -> None:
    study, _ = labelled(tmp_path, **options)
    found = read_study_labels(study, LAYER, UNIT)
    assert np.diff(found.activations.edges) == pytest.approx(0.125 * factor)
    assert np.abs(found.activations.edges).min() == 0
    merged = read_study_labels(study, LAYER, UNIT, merge=3)
    assert np.diff(merged.activations.edges) == pytest.approx(0.375)
    with pytest.raises(PellucidError, match="1 to 72 bins of the harvest can be merged, not 73"):
        read_study_labels(study, LAYER, UNIT, merge=73)


def test_images_beyond_all_bins_are_left_out_and_named(tmp_path: Path) -> None:
    study, task = labelling(tmp_path, per_bin=2)
    for number, image in enumerate(task.images):
        say(study, "ann", image, LABELS[number % 2])
    path = folder_of(study) / "answers" / "rater-ann.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[3]["activation"] = 4.5  # the bins end there
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = read_study_labels(study, LAYER, UNIT)
    assert found.outside() == [task.images[3]]
    assert sum(found.counts().totals.values()) == len(task.images) - 1


def test_a_task_without_answers_says_where_to_give_them(tmp_path: Path) -> None:
    study, task = labelling(tmp_path)
    with pytest.raises(
        PellucidError, match=r"nobody has labelled images of made\.up:3 yet: run 'pellucid serve .*#label=made\.up:3"
    ):
        read_study_labels(study, LAYER, UNIT)
    say(study, "ann", task.images[0], "curve")
    say(study, "ann", task.images[0], None)
    with pytest.raises(PellucidError, match="nobody has labelled"):
        read_study_labels(study, LAYER, UNIT)
    with pytest.raises(
        StudyError, match=r"no labelling task of made\.up:1; it has made\.up:3; make one with 'pellucid curves label"
    ):
        read_study_labels(study, LAYER, 1)


# The commands


def test_the_command_prepares_a_task(tmp_path: Path) -> None:
    study = harvested(tmp_path / "study", photographs(tmp_path / "images", 9))
    said = run("label", study.path, f"{LAYER}:{UNIT}", "--per-bin", 3, "--bin-width", 1, "--size", 32, "--seed", 5)
    _, task = label_task(study, LAYER, UNIT)
    assert f"{len(task.images)} images of made.up:3 wait for labels curve, imperfect, unrelated, opposing" in said
    assert f"run 'pellucid serve {study.path}' and open #label=made.up:3" in said
    assert (task.seed, task.size) == (5, 32)
    (tmp_path / "labels.json").write_text('{"dog": "A dog.", "cat": "A cat.", "none": "Neither."}')
    options = ("--labels", tmp_path / "labels.json", "--positive", "dog,cat", "--columns", "-inf,0,inf")
    run("label", study.path, f"{LAYER}:{UNIT}", *options, "--per-bin", 2)
    _, task = label_task(study, LAYER, UNIT)
    assert (task.names, task.positive) == (("dog", "cat", "none"), ("dog", "cat"))
    run("label", study.path, f"{LAYER}:{UNIT}", "--labels", "dog=A dog", "--labels", "none=No dog", "--per-bin", 2)
    _, task = label_task(study, LAYER, UNIT)
    assert (task.names, task.positive) == (("dog", "none"), ("dog",))


@pytest.mark.parametrize("unit", [LAYER, f"{LAYER}:*", f"{LAYER}:1,2", f"{LAYER}:1-2", "3"])
def test_a_task_is_of_one_unit(tmp_path: Path, unit: str) -> None:
    study = harvested(tmp_path / "study", photographs(tmp_path / "images", 2))
    with pytest.raises(PellucidError, match=r"names no units|is not one unit of a layer; write 'layer:17'"):
        run("label", study.path, unit)


def test_the_command_analyses_the_answers_of_a_study(tmp_path: Path) -> None:
    study, known = labelled(tmp_path)
    outputs = [tmp_path / f"out.{ending}" for ending in ("png", "csv", "json")]
    options = [part for path in outputs for part in ("-o", path)]
    given = ("labels", "--study", study.path, "--unit", f"{LAYER}:{UNIT}", "--resamples", 20)
    said = run(*given, *options)
    ratings = read_study_labels(study, LAYER, UNIT).raters
    both = [image for image in ratings["ann"] if image in ratings["bob"]]
    kappa = cohen_kappa([ratings["ann"][image] for image in both], [ratings["bob"][image] for image in both])
    assert f"made.up:3, pre: images labelled by ann {len(known)}, bob {len(ratings['bob'])}, of {len(known)}" in said
    assert f"Cohen's kappa {kappa:.3f}" in said
    assert "curve+imperfect" in said
    content = json.loads(outputs[2].read_text())
    assert content["agreement"]["pairs"][0]["kappa"] == pytest.approx(kappa)
    assert content["false_positives"] == read_study_labels(study, LAYER, UNIT).false_positives()
    assert f"false positives: {len(content['false_positives'])} images above 0" in said
    assert content["false_positives"][0]["photograph"] in said
    assert content["labels"][0]["label"] == "curve"
    assert outputs[1].read_text().startswith("from,to,conditional_curve")
    with Image.open(outputs[0]) as figure:
        assert figure.width > 1000
    fewer = run(*given, "--above", 1.5, "--positive", "curve", "--merge", 2, "--group", 1)
    assert "images above 1.5" in fewer


def test_labels_of_ones_own_need_no_options(tmp_path: Path) -> None:
    study, task = labelling(tmp_path, labels=[Label("dog", "A dog."), Label("none", "No dog.")])
    known = key_of(study).by_image()
    for image in task.images:
        say(study, "ann", image, "dog" if known[image].activation > 0.5 else "none")
    said = run("labels", "--study", study.path, "--unit", f"{LAYER}:{UNIT}", "--resamples", 0)
    assert "area under the curve, dog against none: 1.000 of images" in said
    assert "kappa" not in said


def test_a_study_goes_with_its_unit_alone(tmp_path: Path) -> None:
    study, _ = labelling(tmp_path)
    for options in (
        (),
        ("--unit", f"{LAYER}:{UNIT}", "--names", "a,b"),
        ("--unit", f"{LAYER}:{UNIT}", "--histogram", "x"),
    ):
        with pytest.raises(
            PellucidError, match="--study needs the unit, --unit layer:17, and takes labels and activations from"
        ):
            run("labels", "--study", study.path, *options)
    with pytest.raises(PellucidError, match="give --study with --unit, or one of --counts, --published and --answers"):
        run("labels")
    with pytest.raises(PellucidError, match="give --study with --unit, or one of"):
        run("labels", "--study", study.path, "--answers", "x.csv")
