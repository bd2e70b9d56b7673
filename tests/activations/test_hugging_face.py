import shutil
from pathlib import Path
from typing import Any

import pytest

from pellucid.activations.sources import open_source, reopen
from pellucid.errors import ImagesError
from sources import labelled, names, number_of, numbers, of_hugging_face, picture, write_folder

datasets = pytest.importorskip("datasets")


def rows(column: Any, labels: list[Any], kind: Any = None, name: str = "label") -> Any:
    features = {"image": datasets.Image()} | ({name: kind} if kind else {})
    content = {"image": column} | ({name: labels} if kind else {})
    return datasets.Dataset.from_dict(content, features=datasets.Features(features))


def test_a_data_set_of_hugging_face_is_taken_as_it_is(tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    source = open_source(
        rows([picture(number) for number in range(3)], [1, 0, -1], datasets.ClassLabel(names=["b", "a"]))
    )
    assert names(source) == ["00000000", "00000001", "00000002"]
    assert source.classes == ("b", "a")  # its own order, for its numbers mean it
    assert labelled(source) == ["a", "b", None]
    with pytest.raises(ImagesError, match="which cannot be found again; hand it over anew"):
        reopen(source.describe())
    assert numbers(reopen(source.describe(), source)) == [0, 1, 2]
    whole = rows([picture(number) for number in range(3)], [3, 1, None], datasets.Value("int64"), "target")
    whole.set_format("numpy")
    assert labelled(open_source(whole)) == ["3", "1", None]
    assert labelled(open_source(whole.select([1, 0]))) == ["1", "3"]
    assert numbers(open_source(whole.select([2, 0]))) == [2, 0]
    assert labelled(open_source(rows([picture(0)], ["x"], datasets.Value("string"), "class"))) == ["x"]
    assert open_source(rows([picture(0)], ["x"], datasets.Value("string"), "caption")).classes == ()
    assert numbers(open_source(datasets.DatasetDict({"only": whole}))) == [0, 1, 2]


def test_rows_without_a_usable_image_are_refused_one_by_one(tmp_path: Path) -> None:
    picture(3).save(tmp_path / "a.png")
    cells = [
        {"bytes": b"not a picture", "path": None}, None, {"bytes": None, "path": str(tmp_path / "a.png")},
        {"bytes": None, "path": str(tmp_path / "gone.png")}, {"bytes": b"", "path": None},
        {"bytes": None, "path": f"zip://a.png::{tmp_path}/gone.zip"},
    ]  # fmt: skip
    source = open_source(rows(cells, []))
    for index, reason in enumerate(
        ["00000000: cannot identify", "00000001: the row has no image", None, "00000003: No such file",
         "00000004: the row has no image", "00000005: "],
    ):  # fmt: skip
        if reason is None:
            assert number_of(source.open(index)) == 3
        else:
            with pytest.raises(ImagesError, match=reason):
                source.open(index)


def test_images_in_an_archive_of_hugging_face_are_read(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", ["a.png", "b.png"])
    shutil.make_archive(str(tmp_path / "z"), "zip", tmp_path / "in")
    cells = [{"bytes": None, "path": f"zip://{name}.png::{tmp_path}/z.zip"} for name in "ab"]
    assert numbers(open_source(rows(cells, []))) == [0, 1]


def test_data_sets_of_hugging_face_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    of_hugging_face(tmp_path)
    for where, reason in {
        f"hf:{tmp_path}/hf": "has several splits; it has 'train', 'test': name one",
        f"hf:{tmp_path}/hf:dev": "has no split 'dev'; it has 'train', 'test'",
        f"hf:{tmp_path}/nowhere": "no folder .*nowhere; give hf:PATH",
        f"hf:{tmp_path}/hf/train:dev": "has no splits; leave :dev out",
    }.items():
        with pytest.raises(ImagesError, match=reason):
            open_source(where)
    assert len(open_source(f"hf:{tmp_path}/hf/train")) == 3
    two = datasets.Features({"a": datasets.Image(), "b": datasets.Image()})
    for given, reason in (
        (
            datasets.Dataset.from_dict({"a": [], "b": []}, features=two),
            "has 2 columns of images, not one: a .Image., b",
        ),
        (datasets.Dataset.from_dict({"x": [1]}), r"has 0 columns of images, not one: x \(Value\)"),
        (rows([], []), "has no rows"),
        (rows([picture(0)], []).to_iterable_dataset(), "a IterableDataset has no numbered images; load it without"),
    ):
        with pytest.raises(ImagesError, match=reason):
            open_source(given)


def test_a_folder_is_loaded_by_hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    write_folder(tmp_path / "a", ["train/cat/1.png", "train/dog/2.png", "test/cat/1.png"])
    source = open_source(f"hf:{tmp_path}/a:train")
    assert numbers(source) == [0, 1]
    assert labelled(source) == ["cat", "dog"]
    assert names(reopen(source.describe())) == names(source)
