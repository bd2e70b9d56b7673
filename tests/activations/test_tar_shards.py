import os
import pickle
import re
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from hostile_images import photograph, saved
from pellucid.activations.sources import open_source, reopen
from pellucid.errors import ImagesError
from sources import labelled, names, number_of, numbers, picture, write_tar


def test_tars_are_found_by_path_pattern_and_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for shard in ("s-8", "s-9", "s-10", "val-07", "val-08"):
        write_tar(tmp_path / f"{shard}.tar", {f"{shard}.png": picture(1)})
    monkeypatch.chdir(tmp_path)
    for where, found in {
        "s-8.tar": ["s-8"],
        "s-*.tar": ["s-10", "s-8", "s-9"],
        "s-{8..10}.tar": ["s-8", "s-9", "s-10"],
        "s-{10..8}.tar": ["s-10", "s-9", "s-8"],
        "{val-07,s-8}.tar": ["val-07", "s-8"],
        "val-{07..08}.tar": ["val-07", "val-08"],
        "{s,val}-[89].tar": ["s-8", "s-9"],
        str(tmp_path / "**" / "val-*.tar"): ["val-07", "val-08"],
    }.items():
        source = open_source(where)
        assert names(source) == [f"{shard}.tar/{shard}.png" for shard in found]
        assert names(reopen(source.describe())) == names(source)
    source = open_source("val-{07..09}.tar")
    assert source.skipped == (("val-09.tar", "val-09.tar: No such file or directory"),)
    with pytest.raises(ImagesError, match=r"no tar file t-\{00\.\.01\}\.tar; give a path, a pattern"):
        open_source("t-{00..01}.tar")


def test_a_sample_is_what_shares_its_name_up_to_the_first_dot(tmp_path: Path) -> None:
    write_tar(
        tmp_path / "a" / "t.tar",
        {
            "./x/1.left.png": picture(0), "./x/1.right.png": picture(1), "./x/1.cls": b"7\n",
            "2.JPG": picture(2), "2.txt": b"a dog",
            "3.png": picture(3), "3.json": b'{"label": 12}',
            "4.png": picture(4), "4.json": b'{"caption": "?"}', "4.txt": b"a caption",
            "5.png": picture(5), "5.txt": b"two\nlines",
            "6.png": picture(6), "6.json": b"[" * 100_000,
            "7.png": picture(7), "7.cls": b"\xff\xfe", "7.label": b"no", "README.md": b"no",
            "._8.png": b"no", "__MACOSX/.DS_Store": b"no",
        },
    )  # fmt: skip
    write_tar(tmp_path / "b" / "t.tar", {"1.png": picture(8)})
    source = open_source(f"{tmp_path}/*/t.tar")
    assert names(source)[:3] == ["a/t.tar/x/1.left.png", "a/t.tar/x/1.right.png", "a/t.tar/2.JPG"]
    assert numbers(source) == list(range(9))
    assert labelled(source) == ["7", "7", "a dog", "12", None, None, None, None, None]
    assert source.skipped == ()


def test_folders_in_a_tar_may_be_classes(tmp_path: Path) -> None:
    write_tar(tmp_path / "t.tar", {"cat/1.png": picture(0), "dog/2.png": picture(1)})
    assert labelled(open_source(tmp_path / "t.tar")) == ["cat", "dog"]


def test_a_tar_that_is_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "t.tar", {f"{number}.png": photograph() for number in range(3)})
    content = whole.read_bytes()
    with tarfile.open(whole) as tar:
        second, third = tar.getmember("1.png"), tar.getmember("2.png")
    for length, found, reasons in (
        (third.offset_data + 100, 2, ["2.png: the shard is cut off in its midst", "is cut off after"]),
        (third.offset + 100, 2, ["100 bytes from byte .* on are no part of a tar file"]),
        (third.offset, 2, ["has no end mark after .* bytes"]),
        (second.offset_data + 1, 1, ["1.png: the shard is cut off in its midst", "is cut off after"]),
        (third.offset_data + third.size, 3, ["is cut off after"]),
    ):
        whole.write_bytes(content[:length])
        source = open_source(whole)
        assert len(source) == found
        assert [source.open(index).size for index in range(found)] == [(60, 44)] * found
        assert len(source.skipped) == len(reasons), source.skipped
        for (name, said), reason in zip(source.skipped, reasons, strict=True):
            assert said.startswith(name)
            assert re.search(reason, said)


def test_a_damaged_header_loses_one_file_and_not_the_rest(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "t.tar", {f"{number}.png": picture(number) for number in range(4)})
    with tarfile.open(path) as tar:
        at = tar.getmember("1.png").offset
    content = bytearray(path.read_bytes())
    content[at + 100 : at + 200] = os.urandom(100)
    path.write_bytes(content)
    source = open_source(path)
    assert numbers(source) == [0, 2, 3]
    assert len(source.skipped) == 1
    assert f"bytes from byte {at:,} on are no part of a tar file; what stood there is lost" in source.skipped[0][1]


def test_joined_tars_are_read_to_the_end(tmp_path: Path) -> None:
    parts = [write_tar(tmp_path / f"{number}.tar", {f"{number}.png": picture(number)}) for number in range(2)]
    (tmp_path / "both.tar").write_bytes(b"".join(part.read_bytes() for part in parts))
    source = open_source(tmp_path / "both.tar")
    assert (numbers(source), source.skipped) == ([0, 1], ())


def test_what_is_no_image_in_a_tar_is_reported(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        for number, name in enumerate(("same.png", "same.png", "odd\n.png", "empty.png")):
            data = b"" if name == "empty.png" else saved(picture(number), "PNG")
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
        for name, kind in (
            ("folder.png", tarfile.DIRTYPE),
            ("link.png", tarfile.SYMTYPE),
            ("pipe.png", tarfile.FIFOTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "same.png"
            tar.addfile(member)
    source = open_source(tmp_path / "t.tar")
    assert names(source) == ["t.tar/same.png", "t.tar/empty.png"]
    assert number_of(source.open(0)) == 1
    assert [reason for _, reason in source.skipped] == [
        "t.tar/same.png: stands in the shard more than once; the last is used",
        "t.tar/odd\\n.png: its name is not UTF-8 or has control characters; rename it",
        "t.tar/link.png: is a link or a device, not a file",
        "t.tar/pipe.png: is a link or a device, not a file",
    ]
    with pytest.raises(ImagesError, match=r"t\.tar/empty\.png: cannot identify image file: empty"):
        source.open(1)


def test_tars_without_images_say_why(tmp_path: Path) -> None:
    good = write_tar(tmp_path / "good.tar", {"1.png": picture(0)})
    contents = {
        "empty.tar": (b"", "empty file"),
        "short.tar": (b"x" * 100, "truncated header"),
        "page.tar": (b"<html>" * 1000, "are no part of a tar file"),
        "zeros.tar": (bytes(10240), "no images in .*zeros.tar$"),
        "notes.tar": (write_tar(tmp_path / "n.tar", {"a.txt": b"x"}).read_bytes(), "no images in .*notes.tar$"),
        "a.tar.gz": (b"\x1f\x8b" + bytes(600), "is compressed with gzip.*; uncompress it"),
        "b.tgz": (b"\x1f\x8b" + bytes(600), "is compressed with gzip"),
    }
    for name, (content, reason) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ImagesError, match=reason):
            open_source(tmp_path / name)
    source = open_source(f"{tmp_path}/{{good,empty,page}}.tar")
    assert names(source) == ["good.tar/1.png"]
    assert [name for name, _ in source.skipped] == ["empty.tar", "page.tar"]
    good.write_bytes(good.read_bytes()[:520])
    with pytest.raises(ImagesError, match=r"good\.tar/1\.png: .*has become shorter since it was indexed"):
        source.open(0)
    good.unlink()
    with pytest.raises(ImagesError, match=r"good\.tar/1\.png: .*No such file"):
        pickle.loads(pickle.dumps(source)).open(0)


def test_damaged_tars_raise_nothing_else(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    path = tmp_path / "t.tar"
    long = "very/" * 40
    whole = np.frombuffer(
        write_tar(path, {f"{long}{number}.png": picture(number) for number in range(3)} | {"é.png": b"x"}).read_bytes(),
        np.uint8,
    )
    for _ in range(150):
        content = whole.copy()
        places = random.integers(0, len(content), random.integers(1, 30))
        content[places] = random.integers(0, 256, len(places))
        path.write_bytes(content[: int(random.integers(1, len(content) + 1))].tobytes())
        try:
            reasons = [reason for _, reason in open_source(path).skipped]
        except ImagesError as error:
            reasons = [str(error)]
        assert all("\n" not in reason for reason in reasons)
