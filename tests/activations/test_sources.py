import json
import os
import pickle
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hostile_images import write_hostile
from pellucid.activations.sources import Source, find_images, open_source, reopen
from pellucid.errors import ImagesError
from pellucid.study import digest
from photographs import drawn_photographs
from sources import (
    KINDS,
    labelled,
    names,
    number_of,
    numbers,
    of_folder,
    of_hugging_face,
    of_tars,
    of_text,
    picture,
    write_folder,
    write_tar,
)


@pytest.mark.parametrize("make", KINDS)
def test_every_source_keeps_the_contract(make: Callable[[Path], Any], tmp_path: Path) -> None:
    source = open_source(make(tmp_path))
    assert len(source) == 3
    assert numbers(source) == [0, 1, 2]
    assert len(set(names(source))) == 3
    assert source.classes == ("cat", "dog")
    assert labelled(source) == ["cat", "dog", "dog"]
    assert source.open(1, 1).mode == "L"
    assert source.skipped == ()
    with pytest.raises(ImagesError, match="one or three channels"):
        source.open(0, 4)
    for index in (-1, 3):
        for ask in (source.name, source.open, source.label):
            with pytest.raises(IndexError, match=f"no image {index} among 3"):
                ask(index)


@pytest.mark.parametrize("make", KINDS)
def test_every_source_is_found_again_from_its_description(make: Callable[[Path], Any], tmp_path: Path) -> None:
    source = open_source(make(tmp_path))
    about = json.loads(json.dumps(source.describe()))
    assert {"kind", "source", "count", "digest", "labels"} <= set(about)
    assert about["count"] == 3
    again = reopen({**about, "crops": [1.0]})  # a manifest says more than the source does
    assert again.describe() == about
    assert (names(again), labelled(again)) == (names(source), labelled(source))
    for key, value in (("count", 4), ("digest", "0")):
        with pytest.raises(ImagesError, match=f"has changed since the study was made.* then {value}, is"):
            reopen({**about, key: value})


@pytest.mark.parametrize("make", [kind for kind in KINDS if kind is not of_hugging_face])
def test_what_has_gone_is_missed(make: Callable[[Path], Any], tmp_path: Path) -> None:
    about = open_source(make(tmp_path)).describe()
    for path in sorted(tmp_path.rglob("*.png")) + sorted(tmp_path.glob("*.tar")):
        path.unlink()
    with pytest.raises(ImagesError, match=r"cannot be opened again: |has changed since"):
        reopen(about)


_inherited: list[Source] = []


def _inherit(source: Source) -> None:
    _inherited.append(source)


def _numbers_inherited() -> list[int]:
    return numbers(_inherited[0])


@pytest.mark.parametrize("make", KINDS)
def test_every_source_travels_to_another_process(make: Callable[[Path], Any], tmp_path: Path) -> None:
    source = open_source(make(tmp_path))
    source.open(0)  # now it may have files open
    copy = pickle.loads(pickle.dumps(source))
    assert numbers(copy) == [0, 1, 2]
    assert (names(copy), labelled(copy), copy.describe()) == (names(source), labelled(source), source.describe())


def test_a_source_is_shared_by_forked_processes_and_threads(tmp_path: Path) -> None:
    files: dict[str, bytes | Image.Image] = {f"{number:03d}.png": picture(number, (90, 90)) for number in range(60)}
    source = open_source(write_tar(tmp_path / "t.tar", files))
    source.open(59)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend(numbers(source))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(list(range(60)) * 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of a fork beside threads
        with ProcessPoolExecutor(2, get_context("fork"), _inherit, (source,)) as processes:
            rounds = [processes.submit(_numbers_inherited) for _ in range(6)]
            assert numbers(source) == list(range(60))
            assert [one.result() for one in rounds] == [list(range(60))] * 6


def test_the_pickle_of_many_images_is_small(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    for number in range(2000):
        (tmp_path / "deeper" / f"{number:06d}.png").touch()
    assert len(pickle.dumps(open_source(tmp_path))) < 2000 * 40


def test_the_digest_is_that_of_the_list_of_names_and_sizes(tmp_path: Path) -> None:
    drawn_photographs(tmp_path, 5)
    (tmp_path / 'ümläut "quote".png').write_bytes(b"1")
    source = open_source(tmp_path)
    sizes = [(name, (tmp_path / name).stat().st_size) for name in find_images(tmp_path)]
    assert source.describe()["digest"] == digest(sizes)
    assert source.describe()["source"] == str(tmp_path.resolve())


def test_a_study_from_before_there_were_kinds_is_of_a_folder(tmp_path: Path) -> None:
    about = open_source(drawn_photographs(tmp_path, 3)).describe()
    earlier = {key: about[key] for key in ("source", "count", "digest")}
    assert names(reopen(earlier)) == find_images(tmp_path)


def test_a_folder_that_has_moved_is_opened_where_it_is_now(tmp_path: Path) -> None:
    about = open_source(of_folder(tmp_path)).describe()
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(ImagesError, match=r"cannot be opened again: no folder .*/a; give"):
        reopen(about)
    assert numbers(reopen(about, tmp_path / "b")) == [0, 1, 2]
    assert numbers(reopen(about, open_source(tmp_path / "b"))) == [0, 1, 2]
    picture(9).save(tmp_path / "b" / "cat" / "4.png")
    with pytest.raises(ImagesError, match="its images, then 3, is 4 now; put the images back"):
        reopen(about, tmp_path / "b")


# --- folders


def test_links_are_followed_once_and_never_round(tmp_path: Path) -> None:
    folder, outside = tmp_path / "a", tmp_path / "outside"
    write_folder(folder, ["z/1.png"])
    write_folder(outside, ["2.png", "deep/3.png"])
    for name, target in {
        "b": "z", "z/up": "..", "link": "../outside", "z/link": "../../outside", "round": "round", "self": ".",
        "x.jpg": "../outside/deep",
    }.items():  # fmt: skip
        (folder / name).symlink_to(target)
    (outside / "back").symlink_to(folder)
    assert find_images(folder) == ["link/2.png", "link/deep/3.png", "z/1.png"]


def test_what_is_hidden_or_no_picture_is_left_out(tmp_path: Path) -> None:
    write_folder(tmp_path, ["a.png", ".b.png", "._c.png", "d.PNG", ".deep/e.png", "folder.png/f.png"])
    for name in ("g.txt", "png", "h.png.part", "i.", ".png"):
        (tmp_path / name).write_text("x")
    assert find_images(tmp_path) == [".deep/e.png", "a.png", "d.PNG", "folder.png/f.png"]


def test_hostile_files_are_all_accounted_for(tmp_path: Path) -> None:
    fates = write_hostile(tmp_path)
    source = open_source(tmp_path)
    reasons: dict[str, str | None] = dict(source.skipped)
    for index in range(len(source)):
        shown = source.name(index).replace("\n", "\\n")
        assert shown not in reasons
        try:
            reasons[shown] = source.open(index) and None
        except ImagesError as error:
            reasons[shown] = str(error)
    assert set(reasons) == set(fates)
    for name, reason in reasons.items():
        assert (reason is None) == (fates[name] is None), (name, reason)
        assert reason is None or reason.startswith(f"{name}: ")


def test_a_folder_that_cannot_be_searched_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, ["a.png", "locked/b.png"])
    scan = os.scandir

    def refuse(path: Path) -> Any:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    source = open_source(tmp_path)
    assert (names(source), source.skipped) == (["a.png"], (("locked", "locked: Permission denied"),))
    (tmp_path / "a.png").unlink()
    with pytest.raises(ImagesError, match="none of its files can be used; the first: locked: Permission denied"):
        open_source(tmp_path)


def test_a_folder_of_something_else_says_what_to_give(tmp_path: Path) -> None:
    of_tars(tmp_path)
    with pytest.raises(ImagesError, match=r"it has tar files; give '.*/\*\.tar'"):
        open_source(tmp_path)
    of_hugging_face(tmp_path)
    with pytest.raises(ImagesError, match="it is a data set of Hugging Face; give 'hf:"):
        open_source(tmp_path / "hf")
    with pytest.raises(ImagesError, match="is a file; give a folder of photographs, a list"):
        open_source(tmp_path / "hf" / "dataset_dict.json")
    for nothing in ("nowhere", "nowhere.txt"):
        with pytest.raises(ImagesError, match=f"no folder .*{nothing}; give a folder"):
            open_source(tmp_path / nothing)


# --- labels


def test_labels_come_from_folders_only_if_all_images_lie_in_some(tmp_path: Path) -> None:
    write_folder(tmp_path, ["cat/1.png", "cat/deeper/2.png"])
    assert open_source(tmp_path).classes == ()
    assert open_source(tmp_path, labels="folders").classes == ("cat",)
    write_folder(tmp_path, ["cat/1.png", "dog/2.png"])
    assert open_source(tmp_path).describe()["labels"] == "folders"
    assert labelled(open_source(tmp_path)) == ["cat", "cat", "dog"]
    assert open_source(tmp_path, labels="none").classes == ()
    write_folder(tmp_path, ["3.png"])
    assert open_source(tmp_path).classes == ()
    assert open_source(tmp_path).label(2) == -1
    assert labelled(open_source(tmp_path, labels="folders")) == [None, "cat", "cat", "dog"]


def test_labels_come_from_names(tmp_path: Path) -> None:
    write_folder(tmp_path, ["a/n02_tench.JPEG", "b/n01_fish_2.JPEG", "plain.png", "_x.png"])
    source = open_source(tmp_path, labels="names")
    assert source.classes == ("n01", "n02")
    assert labelled(source) == [None, "n02", "n01", None]
    assert labelled(reopen(source.describe())) == labelled(source)


def test_labels_come_from_a_table(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "a", ["x/1.png", "x/2.png", "3.png", "4.png"])
    table = tmp_path / "labels.csv"
    table.write_text("File;split;CLASS\nx/1.png;train;10\n2.png;test;9\n./3.png;train;\nelsewhere.png;train;8\n")
    source = open_source(folder, labels=table)
    assert names(source) == ["3.png", "4.png", "x/1.png", "x/2.png"]
    assert source.classes == ("9", "10")  # by value, and only those that occur
    assert labelled(source) == [None, None, "10", "9"]
    assert labelled(reopen(source.describe())) == labelled(source)
    table.write_text(table.read_text() + "\n")
    with pytest.raises(ImagesError, match="has changed since the study was made: its sha256 of labels"):
        reopen(source.describe())


def test_labels_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    folder, table = write_folder(tmp_path / "a", ["1.png"]), tmp_path / "labels.csv"
    for mode, reason in {
        "folders": "no image lies in a folder",
        "names": "no file's name has a '_'",
        "own": "the source has no labels of its own",
        "folder": "'folder' is neither 'folders', 'names', 'own' or 'none' nor a CSV file",
    }.items():
        with pytest.raises(ImagesError, match=reason):
            open_source(folder, labels=mode)
    for text, reason in {
        "path,label\nother.png,cat\n": "none of the images is in .* with a label",
        "path\n1.png\n": "has no column 'label' or 'class'",
        "1.png,cat\n": "has no column 'path', 'image' or 'file'; .* it is '1.png,cat'",
        "": "has no column 'path'",
        "path,label\n1.png,cat\n1.png,dog\n": "gives '1.png' two labels, 'cat' and 'dog'",
    }.items():
        table.write_text(text)
        with pytest.raises(ImagesError, match=reason):
            open_source(folder, labels=table)
    table.write_bytes(b"path,label\n\xff\xfe,cat\n")
    with pytest.raises(ImagesError, match="cannot be read as a CSV file"):
        open_source(folder, labels=table)


def test_an_open_source_is_taken_as_it_is(tmp_path: Path) -> None:
    source = open_source(of_folder(tmp_path))
    assert open_source(source) is source
    assert open_source(source, labels="folders") is source
    with pytest.raises(ImagesError, match="the source is open, with labels = 'folders'; open it anew with 'names'"):
        open_source(source, labels="names")
    with pytest.raises(ImagesError, match="a int is no source of images"):
        open_source(5)


# --- lists


def test_names_in_a_list_are_relative_where_they_can_be(tmp_path: Path) -> None:
    assert names(open_source(of_text(tmp_path))) == ["cat/1.png", "dog/2.png", "dog/3.png"]
    write_folder(tmp_path / "elsewhere", ["1.png"])
    (tmp_path / "lists").mkdir()
    outside = tmp_path / "elsewhere" / "1.png"
    (tmp_path / "lists" / "a.lst").write_text(f"{outside}\n../cat/1.png\n../cat/1.png\ngone.png\n", "utf-8-sig")
    source = open_source(tmp_path / "lists" / "a.lst")
    assert names(source) == [str(outside), "../cat/1.png", "gone.png"]
    assert source.skipped == (("../cat/1.png", "../cat/1.png: listed more than once, used once"),)
    assert number_of(source.open(1)) == 0
    with pytest.raises(ImagesError, match=r"gone\.png: No such file"):
        source.open(2)


def test_lists_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    with pytest.raises(ImagesError, match=r"empty\.txt lists no images"):
        open_source(tmp_path / "empty.txt")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9.jpg\n")
    with pytest.raises(ImagesError, match=r"latin\.txt cannot be read as a list of images: .*utf-8"):
        open_source(tmp_path / "latin.txt")
    with pytest.raises(ImagesError, match="no images were given"):
        open_source([])
    with pytest.raises(ImagesError, match=r"a\.png is given more than once"):
        open_source([tmp_path / "a.png", str(tmp_path / "a.png")])


@pytest.mark.parametrize(("package", "where"), [("datasets", "hf:x"), ("torchvision", "torchvision:ImageFolder:x")])
def test_a_missing_package_is_named(package: str, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImagesError, match=f"need the package '{package}': pip install {package}"):
        open_source(where)
