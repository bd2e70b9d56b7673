"""The tree of parts: the same whole in whatever order shards are finished, and whatever is interrupted."""

import random
from pathlib import Path

import numpy as np
import pytest

from pellucid.activations.parts import Node, Part, PartStore, Tree, finish, merge_ready, missing_shards
from pellucid.activations.summary import Bins, Covariance
from pellucid.activations.tally import Tally
from pellucid.errors import StudyError


def part(shard: int) -> Part:
    draw = np.random.default_rng(shard)
    maps = draw.normal(size=(3, 2, 4)).astype(np.float32)
    tally = Tally(Bins.fixed(2, -2, 2, count=8, groups=2), examples=3, samples=2, seed=0)
    tally.add(maps, (np.arange(3) + 3 * shard) << 16, np.array([0, 1, -1]))
    summary = tally.finish(Covariance(12, *(draw.normal(size=shape) for shape in ((2,), (2, 2)))))
    skipped = ({"image": f"{shard}.jpg", "reason": "broken"},) if shard % 5 == 0 else ()
    return Part({("a.b", "post"): summary, ("a.b", "pre"): summary}, skipped)


def content(whole: Part) -> dict[str, bytes]:
    return {
        f"{key} {name}": array.tobytes()
        for key, summary in whole.summaries.items()
        for name, array in summary.arrays().items()
    } | {"skipped": repr(whole.skipped).encode()}


@pytest.mark.parametrize("shards", [1, 7, 8, 9, 64, 75])
def test_the_whole_does_not_depend_on_the_order_of_its_shards(tmp_path: Path, shards: int) -> None:
    tree = Tree(shards)
    found = []
    for turn in range(3):
        store = PartStore(str(tmp_path / str(turn)))
        order = list(range(shards))
        random.Random(turn).shuffle(order)
        for shard in order:
            store.write(Node(0, shard), part(shard))
            merge_ready(store, tree, Node(0, shard))
        assert store.nodes() == {tree.root()}
        found.append(content(finish(store, tree)))
    assert found[0] == found[1] == found[2]
    assert part(0).skipped[0] in finish(PartStore(str(tmp_path / "0")), tree).skipped


def test_what_was_interrupted_goes_on_wherever_it_stopped(tmp_path: Path) -> None:
    tree = Tree(20)
    whole = PartStore(str(tmp_path / "whole"))
    for shard in range(20):
        whole.write(Node(0, shard), part(shard))
    expected = content(finish(whole, tree))
    broken = PartStore(str(tmp_path / "broken"))
    for shard in (*range(8), 11):
        broken.write(Node(0, shard), part(shard))
    merge_ready(broken, tree, Node(0, 7))
    # Killed between writing a joined part and removing what it was joined from.
    for shard in range(8):
        broken.write(Node(0, shard), part(shard))
    assert missing_shards(broken, tree) == [*range(8, 11), *range(12, 20)]
    assert broken.nodes() == {Node(1, 0), Node(0, 11)}
    for shard in missing_shards(broken, tree):
        broken.write(Node(0, shard), part(shard))
    # Not joined yet: the end does what the run had no time for.
    assert content(finish(broken, tree)) == expected


def test_parts_are_the_same_in_memory_and_on_any_file_system(tmp_path: Path) -> None:
    store = PartStore("memory://bucket/parts")
    store.write(Node(0, 3), part(3))
    assert store.nodes() == {Node(0, 3)}
    assert content(store.read(Node(0, 3))) == content(part(3))
    store.write_file("bins.npz", b"content")
    assert store.read_file("bins.npz") == b"content"
    assert store.read_file("other") is None
    store.clear()
    assert store.nodes() == set()


def test_the_same_part_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        PartStore(str(tmp_path / name)).write(Node(0, 0), part(0))
    first, second = ((tmp_path / name / "0-00000000.npz").read_bytes() for name in ("a", "b"))
    assert first == second


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    store = PartStore(str(tmp_path))
    store.write(Node(0, 0), part(0))
    path = tmp_path / "0-00000000.npz"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(StudyError, match=r"0-00000000.npz cannot be read: .*; remove it"):
        store.read(Node(0, 0))
    with pytest.raises(StudyError, match=r"0-00000001.npz cannot be read"):
        store.read(Node(0, 1))


def test_a_part_that_cannot_be_written_is_an_error_of_the_study(tmp_path: Path) -> None:
    (tmp_path / "parts").write_text("a file where the folder should be")
    with pytest.raises(StudyError, match="cannot write"):
        PartStore(str(tmp_path / "parts")).write(Node(0, 0), part(0))
