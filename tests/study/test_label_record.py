"""Labelling tasks and answers on disk."""

import json
import threading
from pathlib import Path

import pytest

from pellucid.errors import StudyError
from pellucid.study import Manifest, Study, read_catalog
from pellucid.study.label_answers import (
    AnswerRecord,
    OtherAnswerError,
    keep_answer,
    rater_name,
    raters,
    read_answers,
    standing,
)
from pellucid.study.label_record import (
    Label,
    LabelKey,
    LabelledImage,
    LabelTask,
    image_name,
    label_folder,
    label_task,
    label_tasks,
)

LABELS = (Label("yes", "It is."), Label("perhaps", "It may be."), Label("no", "It is not."))
IMAGES = tuple(sorted(image_name("a", 3, f"{number}.png", (0, 0), (0, 0, 9, 9)) for number in range(30)))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study.create(tmp_path / "study", Manifest({"name": "net"}, {"count": 3}))


def task(**changes) -> LabelTask:
    given = {"layer": "a", "unit": 3, "labels": LABELS, "positive": ("yes",), "images": IMAGES, "size": 64}
    return LabelTask(**{**given, **changes})


def answer(number: int = 0, label: str | None = "yes", key: str | None = None) -> AnswerRecord:
    return AnswerRecord(key or f"key-{number:06d}", IMAGES[number % len(IMAGES)], label, 0.5 * number, 1e12 + number)


def test_a_task_and_its_key_come_back(study: Study) -> None:
    folder = label_folder(study, "a", 3)
    task(seed=4, reference="reference.webp").write(folder)
    assert label_task(study, "a", 3) == (folder, task(seed=4, reference="reference.webp"))
    images = tuple(LabelledImage(image, 1.5, "x/y.png", (2, 3), (0, 1, 2, 3), 7) for image in IMAGES)
    key = LabelKey("pre", (None, -1.0, 2.5, None), images, {"per_bin": 4})
    key.write(folder)
    assert LabelKey.read(folder) == key
    assert key.by_image()[IMAGES[2]] == images[2]


def test_tasks_are_listed_by_layer_and_unit(study: Study) -> None:
    for layer, unit in (("b", 12), ("b", 2), ("a", 30)):
        task(layer=layer, unit=unit).write(label_folder(study, layer, unit))
    task(layer="b", unit=12).write(study.path / "labels" / "c" / "5")  # moved there by hand: it is not of that unit
    task().write(study.path / "labels" / "c" / "old")
    assert [(one.layer, one.unit) for one in label_tasks(study)] == [("a", 30), ("b", 2), ("b", 12)]
    catalog = read_catalog(study.path)
    assert [(one["layer"], one["unit"], one["count"]) for one in catalog.labels] == [
        ("a", 30, 30),
        ("b", 2, 30),
        ("b", 12, 30),
    ]
    assert catalog.public()["labels"][0]["url"] == "labels/a:30"
    assert catalog.files == ()
    with pytest.raises(
        StudyError, match=r"no labelling task of a:3; it has a:30, b:2, b:12; make one with 'pellucid curves label"
    ):
        label_task(study, "a", 3)


def test_every_rater_has_an_order_of_their_own_and_always_the_same() -> None:
    orders = {rater: task().order(rater) for rater in ("ann", "bob", "eve")}
    assert all(sorted(order) == list(IMAGES) for order in orders.values())
    assert len({*orders.values(), IMAGES}) == 4
    assert task().order("ann") == orders["ann"] != task(seed=1).order("ann")
    fewer = task(images=IMAGES[::2]).order("ann")
    assert fewer == tuple(image for image in orders["ann"] if image in fewer)  # more images come in between


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": LABELS[:1]}, "2 to 9 labels of different names, not yes"),
        ({"labels": (*LABELS, LABELS[0])}, "of different names, not yes, perhaps, no, yes"),
        ({"labels": (Label("a/b", ""), *LABELS)}, "'a/b' cannot be a label"),
        ({"labels": tuple(Label(str(number), "") for number in range(10))}, "2 to 9 labels"),
        ({"positive": ()}, "some of yes, perhaps, no and not all, not none"),
        ({"positive": ("maybe",)}, "and not all, not maybe"),
        ({"positive": ("yes", "perhaps", "no")}, "and not all, not yes, perhaps, no"),
        ({"images": ("../../secret",)}, "cannot be the name of a picture"),
        ({"reference": "../../secret.png"}, "cannot be the name of a picture"),
    ],
)  # fmt: skip
def test_tasks_that_are_none_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        task(**changes)


@pytest.mark.parametrize("content", ["[]", "{", '{"format": "x"}', '{"labels": []}', '{"labels": [3], "positive": []}'])
def test_a_damaged_task_is_refused(study: Study, content: str) -> None:
    folder = label_folder(study, "a", 3)
    task().write(folder)
    for name in ("task.json", "key.json"):
        (folder / name).write_text(content)
    with pytest.raises(StudyError, match=r"task\.json"):
        LabelTask.read(folder)
    with pytest.raises(StudyError, match=r"key\.json"):
        LabelKey.read(folder)


def test_a_newer_task_is_refused(study: Study) -> None:
    folder = label_folder(study, "a", 3)
    task().write(folder)
    content = json.loads((folder / "task.json").read_text())
    (folder / "task.json").write_text(json.dumps({**content, "format": 2}))
    with pytest.raises(StudyError, match="has format 2, and this version of Pellucid reads up to 1"):
        LabelTask.read(folder)


@pytest.mark.parametrize("layer", ["..", "a/b", "", ".hidden", "a:b"])
def test_no_layer_leads_elsewhere(study: Study, layer: str) -> None:
    with pytest.raises(StudyError, match="cannot be the name of a layer's folder"):
        label_folder(study, layer, 3)


# Answers


def test_the_last_answer_holds_and_none_takes_it_back(tmp_path: Path) -> None:
    for one in (answer(0), answer(1), answer(0, "no", "key-000100"), answer(2), answer(1, None, "key-000101")):
        keep_answer(tmp_path, "ann", one)
    kept = read_answers(tmp_path, "ann")
    assert [(one.image, one.label) for one in kept] == [
        (IMAGES[0], "yes"), (IMAGES[1], "yes"), (IMAGES[0], "no"), (IMAGES[2], "yes"), (IMAGES[1], None),
    ]  # fmt: skip
    assert {image: one.label for image, one in standing(kept).items()} == {IMAGES[0]: "no", IMAGES[2]: "yes"}
    assert [*standing(kept)] == [IMAGES[0], IMAGES[2]]
    assert all(one.time.endswith("+00:00") for one in kept)
    assert kept[3].activation == 1.0
    assert raters(tmp_path) == ["ann"]
    assert read_answers(tmp_path, "bob") == []


def test_one_key_is_one_answer(tmp_path: Path) -> None:
    keep_answer(tmp_path, "ann", answer(1))
    before = (tmp_path / "answers" / "rater-ann.jsonl").read_bytes()
    assert len(keep_answer(tmp_path, "ann", answer(1))) == 1
    assert (tmp_path / "answers" / "rater-ann.jsonl").read_bytes() == before
    with pytest.raises(OtherAnswerError, match="the key key-000001 is that of another answer of ann"):
        keep_answer(tmp_path, "ann", answer(1, "no"))
    keep_answer(tmp_path, "bob", answer(1, "no"))  # of somebody else
    assert [one.label for one in read_answers(tmp_path, "bob")] == ["no"]


@pytest.mark.parametrize("torn", [b"{", b'{"key": "key-000009", "image": "', b"\x00\x00\x00", b"\xff"])
def test_a_torn_last_line_is_passed_over_and_removed(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "answers" / "rater-ann.jsonl"
    for number in range(3):
        keep_answer(tmp_path, "ann", answer(number))
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert [one.key for one in read_answers(tmp_path, "ann")] == ["key-000000", "key-000001", "key-000002"]
    keep_answer(tmp_path, "ann", answer(3))
    assert len(read_answers(tmp_path, "ann")) == 4
    assert path.read_bytes().startswith(whole)
    assert torn not in path.read_bytes().removeprefix(whole) or torn == b"{"


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_wherever_a_line_is_torn_the_answer_can_be_given_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "answers" / "rater-ann.jsonl"
    keep_answer(tmp_path, "ann", answer(0))
    keep_answer(tmp_path, "ann", answer(1))
    path.write_bytes(path.read_bytes()[:-cut])
    assert len(read_answers(tmp_path, "ann")) == 1
    keep_answer(tmp_path, "ann", answer(1))
    assert [one.key for one in read_answers(tmp_path, "ann")] == ["key-000000", "key-000001"]


@pytest.mark.parametrize("line", ["{", "[]", "3", '{"key": "key-000009"}', '{"key": 3}', ""])
def test_a_damaged_line_within_is_reported(tmp_path: Path, line: str) -> None:
    path = tmp_path / "answers" / "rater-ann.jsonl"
    keep_answer(tmp_path, "ann", answer(0))
    path.write_text(f"{path.read_text()}{line}\n")
    with pytest.raises(StudyError, match=r"rater-ann\.jsonl, line 2, is not an answer"):
        read_answers(tmp_path, "ann")
    with pytest.raises(StudyError, match="line 2"):
        keep_answer(tmp_path, "ann", answer(1))


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 15):
            keep_answer(tmp_path, "ann", answer(number))
            keep_answer(tmp_path, "ann", answer(0, "no", "key-of-all"))

    threads = [threading.Thread(target=work, args=(100 * thread,)) for thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = read_answers(tmp_path, "ann")
    assert len(kept) == 6 * 15 + 1
    assert sorted({one.key for one in kept} - {"key-of-all"}) == sorted(
        f"key-{100 * thread + number:06d}" for thread in range(6) for number in range(15)
    )


def test_a_key_that_comes_at_once_counts_once(tmp_path: Path) -> None:
    threads, rounds = 6, 12
    together = threading.Barrier(threads)

    def work() -> None:
        for number in range(rounds):
            together.wait()
            keep_answer(tmp_path, "ann", answer(number))

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    lines = (tmp_path / "answers" / "rater-ann.jsonl").read_text().splitlines()
    assert len(lines) == rounds


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_answer(tmp_path, "ann", answer(0))
    path = tmp_path / "answers" / "rater-ann.jsonl"
    before = path.read_bytes()

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(StudyError, match=r"cannot write .*rater-ann\.jsonl: No space left on device"):
            keep_answer(tmp_path, "ann", answer(1))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ann", "ann"),
        ("  Ann  B. C\u0301e ", "ann b. \u0107e"),
        ("josé-maria", "josé-maria"),
        ("山田", "山田"),
        ("r2.d2", "r2.d2"),
    ],
)
def test_names_of_raters(text: str, name: str) -> None:
    assert rater_name(text) == name


@pytest.mark.parametrize(
    "text", ["", " ", "..", "../x", "a/b", "a\\b", "a\x00", "a\nb\u202e", "-a", "a.", "x" * 41, "a:b", "\ud800"]
)
def test_names_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(StudyError, match="a rater's name is 1 to 40 letters and digits"):
        rater_name(text)


@pytest.mark.parametrize("key", ["", "short", "with space", "x" * 65, "a/b/c/d/e"])
def test_keys_that_are_none_are_refused(key: str) -> None:
    with pytest.raises(StudyError, match="the key of an answer is 8 to 64 letters, digits and hyphens"):
        AnswerRecord(key, IMAGES[0], "yes", 0.0, 0.0)


def test_files_of_others_are_no_raters(tmp_path: Path) -> None:
    keep_answer(tmp_path, "ann", answer(0))
    (tmp_path / "answers" / "notes.txt").write_text("mine")
    (tmp_path / "answers" / "rater-..jsonl").write_text("mine")
    assert raters(tmp_path) == ["ann"]
