import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from pellucid.activations.quilt import quilt
from pellucid.activations.summarizing import SummaryConfig, summarize
from pellucid.cli.curve_attribution import attribution
from pellucid.curves import Curve, Line, TuningCurve, draw
from pellucid.curves.attributions import (
    attribution_examples,
    attribution_quilt,
    false_positives,
    family_attribution,
    family_attribution_figure,
    linear_attribution,
)
from pellucid.curves.labels import Answer, prepare_labels
from pellucid.errors import ImagesError, LayerError, PellucidError, StudyError
from pellucid.networks import load
from pellucid.networks.handnet import CURVES, LINES
from pellucid.pictures import to_pixels
from pellucid.study import Study
from pellucid.study.label_answers import AnswerRecord, keep_answer
from pellucid.study.label_record import LabelKey, label_folder

HANDNET = load("handnet")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Curves and lines at several places, harvested in two layers."""
    folder = tmp_path_factory.mktemp("attributed")
    (folder / "images").mkdir()
    for number, angle in enumerate(range(0, 360, 45)):
        for shape in (Curve(angle + 15, 40), Line(angle / 2)):
            image = draw([shape], (150, 170), centre=(60 + 4 * number, 90 - 3 * number))
            name = f"{shape.kind}{angle:03d}.png"
            Image.fromarray(to_pixels(image)[0]).save(folder / "images" / name)
    config = SummaryConfig(examples=6, samples=4, bins=72, groups=9, covariance=0)
    return summarize(HANDNET, folder / "images", ["relu4"], folder / "study", config=config)


def test_an_example_is_attributed_where_the_harvest_saw_it(study: Study) -> None:
    found = attribution_examples(HANDNET, study, "relu4", 6, count=4)
    assert (found.previous, found.through, len(found.examples)) == ("relu3", (), 4)
    for one in found.examples:
        assert one.preactivation == pytest.approx(one.shown.value, abs=1e-5)
        assert one.total + one.constant == pytest.approx(one.preactivation, abs=1e-4)
        assert one.exact
        assert one.picture is None
        assert one.heat.shape == one.shown.crop.shape == (96, 96, 3)
        red, blue = one.heat[..., 0].astype(int), one.heat[..., 2].astype(int)
        assert (red - blue).sum() > 0  # what excites a unit that fires outweighs what inhibits it
    assert found.rows()[0]["harvested"] == found.examples[0].shown.value
    torch.testing.assert_close(found.channels().sum().item(), np.mean([one.total for one in found.examples]))
    assert found.sheet().width >= 4 * 96


def test_rendered_examples_lie_on_what_the_unit_sees(study: Study) -> None:
    (one,) = attribution_examples(HANDNET, study, "relu4", 6, count=1, rendered=True, steps=24).examples
    assert one.picture is not None
    assert one.picture.shape == (96, 96, 4)
    strong = np.abs(one.heat[..., 0].astype(int) - one.heat[..., 2]) > 100
    assert one.picture[strong, 3].mean() > 1.2 * one.picture[~strong, 3].mean()


def test_a_quilt_has_the_attribution_of_each_of_its_examples(study: Study) -> None:
    plain = quilt(study, "relu4", [6], rows=2)[6]
    found = attribution_quilt(HANDNET, study, "relu4", 6, rows=2)
    assert [column.label for column in found.columns] == [column.label for column in plain.columns]
    for column, some in zip(plain.columns, found.examples, strict=True):
        assert [one.shown.value for one in some] == [one.value for one in column.examples]
        for one in some:
            assert one.preactivation == pytest.approx(one.shown.value, abs=1e-5)
    rows = found.rows()
    assert len(rows) == sum(len(some) for some in found.examples)
    assert all(abs(row["difference"]) <= 1e-4 for row in rows)
    low, high = (found.examples[index][0].heat.astype(int) for index in (0, -1))
    assert (low[..., 0] - low[..., 2]).sum() < 0 < (high[..., 0] - high[..., 2]).sum()
    assert found.sheet().width >= 64 * len(found.columns)


def test_false_positives_are_the_active_images_that_people_say_show_nothing(study: Study) -> None:
    highest = attribution_examples(HANDNET, study, "relu4", 6, count=4)
    places = [(one.shown.name, one.shown.value) for one in highest.examples]
    labels = ["curve", "unrelated", "opposing", "unrelated"]
    answers = [Answer(name, value, label) for (name, value), label in zip(places, labels, strict=True)]
    found = false_positives(HANDNET, study, "relu4", 6, answers)
    assert [(one.shown.name, one.shown.value) for one in found.examples] == [places[1], places[3]]
    assert "labelled unrelated" in found.title
    both = false_positives(HANDNET, study, "relu4", 6, answers, label=("unrelated", "opposing"), count=2)
    assert [one.shown.name for one in both.examples] == [places[1][0], places[2][0]]
    above = false_positives(HANDNET, study, "relu4", 6, answers, above=places[2][1])
    assert [one.shown.name for one in above.examples] == [places[1][0]]
    named = false_positives(HANDNET, study, "relu4", 6, [places[2][0]])
    assert named.examples[0].shown.value == pytest.approx(places[2][1])
    # Of an image with several places kept, the one is meant whose activation was answered for.
    name, value = next((one.shown.name, one.shown.value) for one in attribution_examples(
        HANDNET, study, "relu4", 6, row="lowest", count=1).examples)  # fmt: skip
    lowest = false_positives(HANDNET, study, "relu4", 6, [Answer(name, value, "unrelated")], above=-9)
    assert lowest.examples[0].shown.value == pytest.approx(value)
    with pytest.raises(PellucidError, match="no image of relu4:6 with an activation above 5 is labelled unrelated"):
        false_positives(HANDNET, study, "relu4", 6, answers, above=5)
    with pytest.raises(PellucidError, match=r"kept no place of 'nowhere.png' and 1 others"):
        false_positives(HANDNET, study, "relu4", 6, ["nowhere.png", "neither.png"])


def test_a_family_hears_the_early_curves_of_its_own_directions() -> None:
    units = [0, 6, 12, 18]
    images = [draw([Curve(15 * unit + 180, 60)], 128) for unit in units]
    shape = np.exp(5 * np.cos(np.deg2rad(np.arange(0, 360, 5))))
    layers = {"conv4": units, "relu3": range(len(CURVES))}
    curves = {
        f"{layer}:{unit}": TuningCurve.of(np.roll(shape, 3 * unit)) for layer, some in layers.items() for unit in some
    }
    found = family_attribution(HANDNET, "conv4", [18, 0, 12, 6], images=[images[3], images[0], images[2], images[1]],
                               position="center", curves=curves)  # fmt: skip
    assert (found.previous, found.units) == ("relu3", (0, 6, 12, 18))
    assert found.upstream == tuple(range(len(CURVES) + len(LINES)))  # those without a curve come last
    np.testing.assert_allclose(found.matrix.sum(1) + found.constant, found.preactivation, atol=1e-4)
    assert np.abs(found.remainder).max() <= 1e-4
    rows = found.rows(1)
    assert [(row["unit"], row["upstream"]) for row in rows[::2]] == [(f"conv4:{u}", f"relu3:{u}") for u in units]
    assert [row["turned"] for row in rows[::2]] == pytest.approx([0] * 4)
    assert [abs(row["turned"]) for row in rows[1::2]] == pytest.approx([180] * 4)
    assert [row["attribution"] > 0 for row in rows] == [True, False] * 4
    alone = linear_attribution(HANDNET, "conv4", 12, images[2], position="center")
    np.testing.assert_allclose(found.matrix[2], alone.channels[0], atol=1e-6)
    assert family_attribution_figure(found).axes[0].get_xlabel() == "units of relu3"
    assert json.dumps(found.record())


def test_some_upstream_units_may_be_left_out() -> None:
    images = draw([Curve(270, 60)], 128)
    found = family_attribution(HANDNET, "conv4", [6, 7], images, upstream=[18, 6])
    assert (found.units, found.upstream, found.matrix.shape) == ((6, 7), (18, 6), (2, 2))
    assert found.rows(1)[0]["turned"] is None
    with pytest.raises(LayerError, match="relu3 has 42 units, 0 to 41; there is no unit 42"):
        family_attribution(HANDNET, "conv4", [6], images, upstream=[42])
    with pytest.raises(LayerError, match="1 batches of images are given for 2 units"):
        family_attribution(HANDNET, "conv4", [6, 7], [images])


def test_studies_that_do_not_fit_are_refused(study: Study) -> None:
    with pytest.raises(StudyError, match=r"no finished summary of layer 'conv4'.*pellucid harvest NETWORK"):
        attribution_quilt(HANDNET, study, "conv4", 6)
    with pytest.raises(StudyError, match="of handnet with other weights than handnet_positive has here"):
        attribution_examples(load("handnet_positive"), study, "relu4", 6)
    with pytest.raises(StudyError, match="no labelling task of relu4:6"):
        false_positives(HANDNET, study, "relu4", 6)


def test_photographs_that_are_gone_are_left_out(study: Study, tmp_path: Path) -> None:
    copy = tmp_path / "images"
    copy.mkdir()
    for path in Path(study.manifest.images["source"]).glob("*.png"):
        (copy / path.name).write_bytes(path.read_bytes())
    names = [one.shown.name for one in attribution_examples(HANDNET, study, "relu4", 6, count=3).examples]
    size = (copy / names[0]).stat().st_size
    (copy / names[0]).write_bytes(b"\0" * size)
    found = attribution_examples(HANDNET, study, "relu4", 6, count=3, source=copy)
    assert [one.shown.name for one in found.examples] == names[1:]
    for name in names:
        (copy / name).write_bytes(b"\0" * (copy / name).stat().st_size)
    with pytest.raises(ImagesError, match=r"no photograph of relu4:6 in .* could be opened"):
        attribution_examples(HANDNET, study, "relu4", 6, count=3, source=copy)


def run(*arguments: object) -> str:
    """What the command prints; its errors come through."""
    app = typer.Typer()
    app.command()(attribution)
    ended = CliRunner().invoke(app, list(map(str, arguments)))
    if ended.exception is not None:
        raise ended.exception
    return ended.output


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    path = tmp_path / "curve.png"
    Image.fromarray(to_pixels(draw([Curve(270, 60)], 128))[0]).save(path)
    return path


def test_the_command_tells_whether_the_sum_is_exact(curve: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"found.{ending}" for ending in ("png", "csv", "json")]
    printed = run("handnet", "conv4:6@8,8", "--image", curve, *(part for path in outputs for part in ("-o", path)))
    assert "attributed to relu3\n" in printed
    assert "relu3:6 " in printed
    with outputs[1].open() as file:
        (row,) = csv.DictReader(file)
    whole = linear_attribution(HANDNET, "conv4", 6, draw([Curve(270, 60)], 128), position=(8, 8))
    assert float(row["pre"]) == pytest.approx(float(whole.preactivation), abs=0.01)  # shown as it is, in 8 bits
    assert abs(float(row["difference"])) <= 1e-4
    record = json.loads(outputs[2].read_text())
    assert (record["previous"], record["exact"], record["bypassed"]) == ("relu3", True, False)
    assert record["channels"][0]["unit"] == "relu3:6"
    with Image.open(outputs[0]) as sheet:
        assert sheet.height > 2 * 128
    printed = run("handnet", "conv2:2", "--image", curve, "--previous", "relu0", "--position", "center")
    assert "through max_pool2d, held as the image puts them; NOT exact" in printed


def test_the_command_renders_and_takes_other_sizes(curve: Path, tmp_path: Path) -> None:
    arguments = ("handnet", "conv4:6", "--image", curve, "--image", curve, "--size", "96x112")
    run(*arguments, "-o", tmp_path / "plain.png")
    run(*arguments, "--picture", "--steps", 2, "-o", tmp_path / "full.png")
    with Image.open(tmp_path / "plain.png") as plain, Image.open(tmp_path / "full.png") as full:
        assert full.height - plain.height == 112 + 4


def test_the_command_attributes_a_family(curve: Path, tmp_path: Path) -> None:
    tuning = tmp_path / "tuning.csv"
    angles = np.arange(0, 360, 15)
    names = [f"conv4:{unit}" for unit in (6, 5)]
    bumps = [np.exp(5 * np.cos(np.deg2rad(angles - at))) for at in (90, 75)]
    lines = [",".join(["angle", *names]), *(",".join(map(str, row)) for row in zip(angles, *bumps, strict=True))]
    tuning.write_text("\n".join(lines))
    printed = run(
        "handnet", "conv4:6,5", "--image", curve, "--position", "8,8", "--tuning", tuning, "--count", 1,
        "-o", tmp_path / "family.png", "-o", tmp_path / "family.json",
    )  # fmt: skip
    assert printed.index("conv4:5 ") < printed.index("conv4:6 ")
    record = json.loads((tmp_path / "family.json").read_text())
    assert record["units"] == [5, 6]
    assert np.array(record["attribution"]).shape == (2, 42)
    with Image.open(tmp_path / "family.png") as figure:
        assert figure.width > 300


def test_the_command_attributes_studies(study: Study, tmp_path: Path) -> None:
    printed = run("handnet", "relu4:6", "--study", study.path, "--count", 2, "-o", tmp_path / "highest.png")
    assert "attributed to relu3" in printed
    assert (tmp_path / "highest.png").stat().st_size > 1000
    run("handnet", "relu4:6", "--study", study.path, "--quilt", "--rows", 1, "-o", tmp_path / "quilt.csv")
    with (tmp_path / "quilt.csv").open() as file:
        rows = list(csv.DictReader(file))
    expected = attribution_quilt(HANDNET, study, "relu4", 6, rows=1).rows()
    assert [row["bin"] for row in rows] == [row["bin"] for row in expected]
    name, value = next((row["image"], row["harvested"]) for row in rows[::-1])
    (tmp_path / "answers.csv").write_text(f"image,activation,label\n{name},{value},unrelated\n")
    printed = run(
        "handnet", "relu4:6", "--study", study.path, "--labelled", "unrelated", "--answers", tmp_path / "answers.csv"
    )
    assert name in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give pictures with --image FILE, or a study with --study STUDY"),
        (("--quilt", "--image", "x.png"), "are about a study: give it with --study STUDY"),
        (("--study", "nowhere", "--quilt", "--labelled", "curve"), "give --quilt or --labelled, not both"),
        (("--study", "nowhere"), "no study in nowhere"),
        (("--image", "x.png", "-o", "x.svg"), r"written as .png, .webp, .jpg, .csv or .json, not '.svg'"),
        (("--image", "x.png", "--position", "4"), "--position '4' is neither ROW,COLUMN nor center or max"),
        (("--image", "CURVE", "--position", "16,3"), r"has 16x16 positions for such images, none at \(16, 3\)"),
        (("--image", "CURVE", "--previous", "relu4"), "relu4:6 does not depend on relu4; choose .* for relu3"),
    ],
)
def test_the_command_tells_of_mistakes(arguments: tuple[str, ...], message: str, curve: Path) -> None:
    given = [str(curve) if part == "CURVE" else part for part in arguments]
    with pytest.raises(PellucidError, match=message):
        run("handnet", "relu4:6", *given)


def test_the_command_refuses_units_without_a_map_and_two_positions(curve: Path, study: Study) -> None:
    with pytest.raises(LayerError, match="has no spatial activations"):
        run("handnet", "logits:6", "--image", curve)
    with pytest.raises(PellucidError, match="give the position once"):
        run("handnet", "relu4:6@1,1", "--image", curve, "--position", "center")
    with pytest.raises(PellucidError, match="several units are attributed on pictures that all are shown"):
        run("handnet", "relu4:6,7", "--study", study.path)


def test_false_positives_of_the_study_s_own_labelling_task(study: Study) -> None:
    task = prepare_labels(study, "relu4", 6, per_bin=2, size=32)
    folder = label_folder(study, "relu4", 6)
    known = LabelKey.read(folder).by_image()
    for number, image in enumerate(task.images):
        answer = AnswerRecord(f"key-{number:06d}", image, "unrelated", known[image].activation, 0.0)
        keep_answer(folder, "ann", answer)
    found = false_positives(HANDNET, study, "relu4", 6, count=3)
    best = sorted((one for one in known.values() if one.activation > 0), key=lambda one: -one.activation)[:3]
    assert [(one.shown.name, one.shown.place) for one in found.examples] == [(b.photograph, b.place) for b in best]
    for one, truth in zip(found.examples, best, strict=True):
        assert one.preactivation == pytest.approx(truth.activation, abs=1e-5)
