"""The manifest of a study, `study.json`: which network saw which images, and what made the study."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import read_json, write_json

_LATER = {"kind", "labels", "labels_digest", "paths", "handed"}  # studies of the first releases do not say these
FORMAT = 1  # of study.json; raised when a reader of the older format would misread the newer


@dataclass(frozen=True)
class Manifest:
    """What a study is about.

    `network` holds its name, `weights_sha256` and preprocessing; `images` the source, the digest of its list of files
    and how views are cut from them. Both decide whether two runs may share a study. `versions` and `command` only
    record what made it first.
    """

    network: dict[str, Any]
    images: dict[str, Any]
    versions: dict[str, str] = field(default_factory=dict)
    command: str = ""
    format: int = FORMAT


@dataclass(frozen=True)
class Study:
    """A study on disk: its folder and its manifest."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path | str) -> "Study":
        """Open a study. Raises `StudyError` if there is none, or if a newer version of Pellucid wrote it."""
        path = Path(path)
        if not (path / "study.json").is_file():
            raise StudyError(
                f"no study in {path}: it has no study.json; make one with 'pellucid harvest' or 'pellucid atlas'"
            )
        content = read_json(path / "study.json")
        if not isinstance(content, dict) or not isinstance(content.get("format"), int):
            raise StudyError(f"{path / 'study.json'} is not the manifest of a study")
        if content["format"] > FORMAT:
            raise StudyError(
                f"the study in {path} has format {content['format']}, and this version of Pellucid reads up to "
                f"{FORMAT}; install a newer version"
            )
        try:
            return cls(path, Manifest(**content))
        except TypeError as error:
            raise StudyError(f"{path / 'study.json'} is not the manifest of a study: {error}") from None

    @classmethod
    def create(cls, path: Path | str, manifest: Manifest) -> "Study":
        """Make a study, or open the one that is there if it is of the same network and images.

        A study without images (`{}`: it holds only pictures of units) takes those of the first manifest that has some.

        Raises `StudyError` if the folder holds another study or other files.
        """
        path = Path(path)
        if (path / "study.json").is_file():
            study = cls.open(path)
            study._refuse_if_other(manifest)
            if manifest.images and not study.manifest.images:
                study = cls(path, replace(study.manifest, images=manifest.images))
                write_json(path / "study.json", asdict(study.manifest))
            return study
        if path.exists() and not path.is_dir():
            raise StudyError(f"{path} is a file; a study is a folder")
        if path.exists() and any(not entry.name.startswith(".") for entry in path.iterdir()):
            raise StudyError(f"{path} holds files that are no study; choose an empty or a new folder")
        write_json(path / "study.json", asdict(manifest))
        return cls(path, manifest)

    def refuse_other_weights(self, name: str, weights_sha256: str) -> None:
        """Raise `StudyError` unless the study was made with these weights of the network called `name`."""
        made_with = self.manifest.network
        if made_with.get("weights_sha256") != weights_sha256:
            raise StudyError(
                f"the study in {self.path} was made with other weights than those of {name}; load "
                f"{made_with.get('name')!r} with the weights of the harvest"
            )

    def _refuse_if_other(self, manifest: Manifest) -> None:
        for subject in ("network", "images"):
            ours, theirs = getattr(self.manifest, subject), getattr(manifest, subject)
            if subject == "images" and not (ours and theirs):
                continue
            for key in sorted({*ours, *theirs}):
                if key in _LATER and not (key in ours and key in theirs):
                    continue
                if ours.get(key) != theirs.get(key):
                    raise StudyError(
                        f"the study in {self.path} was made with {subject} {key} = {ours.get(key)!r}, not "
                        f"{theirs.get(key)!r}; choose another folder for this one"
                    )
