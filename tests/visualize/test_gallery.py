import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from pellucid.errors import LayerError, ObjectiveError, StudyError
from pellucid.study import GalleryRecord, Manifest, Study
from pellucid.visualize import Callback, draw_gallery, render, units
from small import small_network


def test_a_star_is_every_unit_of_a_layer() -> None:
    network = small_network()
    assert units(network, "conv2:*") == [f"conv2:{unit}" for unit in range(12)]
    assert units(network, "conv2:3-5") == ["conv2:3", "conv2:4", "conv2:5"]
    assert units(network, "conv2:3 - conv3:1") == ["conv2:3 - conv3:1"]
    with pytest.raises(ObjectiveError, match="units 0 to 11; there is no range 7-12"):
        units(network, "conv2:7-12")
    with pytest.raises(LayerError, match="no layer 'conv9'"):
        units(network, "conv9:*")


def test_everything_that_a_run_made_is_in_the_study(tmp_path: Path) -> None:
    network = small_network()
    record = draw_gallery(
        network, ["conv3:1-3"], tmp_path, steps=4, seeds=[0, 5], snapshots=[2], movie=".gif", frames=2
    )
    folder = tmp_path / "visualizations" / "pictures"
    assert GalleryRecord.read(folder) == record
    assert [(one.objective, one.seed) for one in record.pictures] == [
        (f"conv3:{unit}", seed) for seed in (0, 5) for unit in (1, 2, 3)
    ]
    assert Study.open(tmp_path).manifest.network["weights_sha256"] == network.digest
    picture = record.pictures[4]
    with Image.open(folder / picture.file) as image:
        about = json.loads(image.text["pellucid"])  # pyright: ignore[reportAttributeAccessIssue]
        assert image.size == (32, 32)
    truth = render(network, "conv3:2", steps=4, seed=5)
    assert (about["objective"], about["seed"], about["steps"]) == ("conv3:2", 5, 4)
    assert about["weights_sha256"] == network.digest
    assert about["trace"] == pytest.approx(truth.trace[:, 0].tolist(), rel=1e-4)
    assert picture.value == pytest.approx(float(truth.values[0]), rel=1e-4)
    assert {*picture.snapshots} == {"2"}
    with Image.open(folder / picture.movie) as movie:
        assert getattr(movie, "n_frames", 1) == 3
    with Image.open(folder / record.sheets[0]) as sheet:
        assert sheet.size == (6 * 36 - 4, 32)


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_network()
    whole = draw_gallery(network, ["conv3:0-5"], tmp_path / "whole", steps=3, batch=2)
    drawn: list[int] = []

    def counted(_network, objectives, **options):
        if options["steps"]:
            drawn.append(len(objectives))
            if len(drawn) == 3:
                raise KeyboardInterrupt
        return render(_network, objectives, **options)

    monkeypatch.setattr("pellucid.visualize.gallery.render", counted)
    with pytest.raises(KeyboardInterrupt):
        draw_gallery(network, ["conv3:0-5"], tmp_path / "broken", steps=3, batch=2)
    record = draw_gallery(network, ["conv3:0-5"], tmp_path / "broken", steps=3, batch=2)
    assert drawn == [2, 2, 2, 2]  # the third one was lost, nothing else
    assert record == whole
    for picture in record.pictures:
        one, other = (
            (tmp_path / which / "visualizations" / "pictures" / picture.file).read_bytes()
            for which in ("whole", "broken")
        )
        assert one == other
    draw_gallery(network, ["conv3:0-5"], tmp_path / "broken", steps=3, batch=2)
    assert len(drawn) == 4


def test_another_configuration_or_other_weights_are_refused(tmp_path: Path) -> None:
    network = small_network()
    draw_gallery(network, ["conv3:0"], tmp_path, steps=2)
    with pytest.raises(StudyError, match="made with another steps; give this gallery another name"):
        draw_gallery(network, ["conv3:0"], tmp_path, steps=3)
    with pytest.raises(StudyError, match="other weights"):
        draw_gallery(small_network(seed=1), ["conv3:0"], tmp_path, steps=2)
    with pytest.raises(StudyError, match="cannot be the name of a gallery"):
        draw_gallery(network, ["conv3:0"], tmp_path, steps=2, name="../x")
    draw_gallery(network, ["conv3:0"], tmp_path, steps=3, name="longer")


def test_a_study_of_pictures_takes_the_images_of_a_later_harvest(tmp_path: Path) -> None:
    network = small_network()
    draw_gallery(network, ["conv3:0"], tmp_path, steps=1)
    study = Study.create(tmp_path, Manifest(network.describe(), {"digest": "x", "count": 3}))
    assert Study.open(tmp_path).manifest.images == {"digest": "x", "count": 3} == study.manifest.images
    draw_gallery(network, ["conv3:1"], tmp_path, steps=1)
    with pytest.raises(StudyError, match="images digest = 'x', not 'y'"):
        Study.create(tmp_path, Manifest(network.describe(), {"digest": "y", "count": 3}))


def test_pictures_of_a_group_are_all_there(tmp_path: Path) -> None:
    from pellucid.visualize import channel

    record = draw_gallery(small_network(), [channel("conv3", 1).copies(3)], tmp_path, steps=2)
    assert [picture.index for picture in record.pictures] == [0, 1, 2]
    assert len({(tmp_path / "visualizations" / "pictures" / p.file).read_bytes() for p in record.pictures}) == 3
    assert torch.isfinite(torch.tensor([picture.value for picture in record.pictures])).all()


def test_a_gallery_draws_nothing_to_learn_its_configuration(tmp_path: Path) -> None:
    begun: list[int] = []

    class Counts(Callback):
        def begin(self, about) -> None:
            begun.append(about["steps"])

    draw_gallery(small_network(), ["conv3:1", "conv3:2"], tmp_path, steps=2, callbacks=[Counts()], batch=1)
    assert begun == [2, 2]
