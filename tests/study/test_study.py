import json
from pathlib import Path

import pytest

from pellucid.errors import StudyError
from pellucid.study import AtlasRecord, Manifest, Study, digest, read_catalog, write_bytes, write_json, writing
from studies import make_study

MANIFEST = Manifest({"name": "a", "weights_sha256": "1"}, {"source": "x", "count": 2})


def test_a_study_comes_back(tmp_path: Path) -> None:
    made = Study.create(tmp_path / "study", MANIFEST)
    assert Study.open(tmp_path / "study") == made
    assert Study.create(tmp_path / "study", MANIFEST) == made


def test_other_studies_and_other_files_are_not_written_over(tmp_path: Path) -> None:
    Study.create(tmp_path / "study", MANIFEST)
    other = Manifest({"name": "b", "weights_sha256": "1"}, MANIFEST.images)
    with pytest.raises(StudyError, match="made with network name = 'a', not 'b'; choose another folder"):
        Study.create(tmp_path / "study", other)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("...")
    with pytest.raises(StudyError, match="holds files that are no study"):
        Study.create(tmp_path / "full", MANIFEST)
    with pytest.raises(StudyError, match="is a file; a study is a folder"):
        Study.create(tmp_path / "full" / "thesis.tex", MANIFEST)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no study in"),
        ("{", "cannot be read"),
        ("[]", "is not the manifest of a study"),
        ('{"format": 99}', "has format 99, and this version of Pellucid reads up to 1; install a newer version"),
        ('{"format": 1, "colour": 3}', "is not the manifest of a study"),
    ],
)
def test_what_is_no_study_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "study.json").write_text(content)
    with pytest.raises(StudyError, match=message):
        Study.open(tmp_path)


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"

    def interrupted() -> None:
        with writing(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list((tmp_path / "deep").iterdir()) == []
    write_bytes(path, b"old")
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"


def test_a_disk_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match=r"cannot write .*file/below"):
        write_bytes(tmp_path / "file" / "below", b"")


def test_json_is_the_same_bytes_and_digests_ignore_order(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"x": 1.5, "y": ["ä"]})
    assert json.loads((tmp_path / "a").read_text()) == {"x": 1.5, "y": ["ä"]}
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


def test_the_catalog_lists_finished_atlases_only(tmp_path: Path) -> None:
    study = tmp_path / "study"
    make_study(study)
    catalog = read_catalog(study)
    assert [atlas["layer"] for atlas in catalog.atlases] == ["blocks.4.2.bn2"]
    assert all((study / name).is_file() for name in catalog.files)
    (study / "atlas" / "unfinished").mkdir()
    assert read_catalog(study) == catalog
    newer = json.loads((study / "atlas" / "blocks.4.2.bn2" / "atlas.json").read_text()) | {"format": 7}
    write_json(study / "atlas" / "blocks.4.2.bn2" / "atlas.json", newer)
    with pytest.raises(StudyError, match="has format 7"):
        read_catalog(study)
    write_json(study / "atlas" / "blocks.4.2.bn2" / "atlas.json", {"levels": 3})
    with pytest.raises(StudyError, match="is not the record of an atlas"):
        AtlasRecord.read(study / "atlas" / "blocks.4.2.bn2")
