"""Sources of images of every kind: each has three, a cat and two dogs."""

import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hostile_images import saved
from pellucid.activations.sources import Source


def picture(number: int, size: tuple[int, int] = (9, 7)) -> Image.Image:
    """A picture that tells its number."""
    return Image.new("RGB", size, (number, 255 - number, 7))


def number_of(image: Image.Image) -> int:
    assert image.mode == "RGB"
    pixel = image.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return int(pixel[0])


def write_folder(folder: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / name, "PNG")
    return folder


def write_tar(path: Path, files: dict[str, bytes | Image.Image]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            data = saved(content, "PNG") if isinstance(content, Image.Image) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    return path


def names(source: Source) -> list[str]:
    return [source.name(index) for index in range(len(source))]


def labelled(source: Source) -> list[str | None]:
    numbers = [source.label(index) for index in range(len(source))]
    return [source.classes[number] if number >= 0 else None for number in numbers]


def numbers(source: Source) -> list[int]:
    return [number_of(source.open(index)) for index in range(len(source))]


def of_folder(tmp_path: Path) -> Any:
    return write_folder(tmp_path / "a", ["cat/1.png", "dog/2.png", "dog/3.png"])


def of_text(tmp_path: Path) -> Any:
    write_folder(tmp_path, ["cat/1.png", "dog/2.png", "dog/3.png"])
    (tmp_path / "list.txt").write_text("# chosen\n\ncat/1.png\n./dog/2.png\n" + str(tmp_path / "dog/3.png"))
    return tmp_path / "list.txt"


def of_table(tmp_path: Path) -> Any:
    write_folder(tmp_path, ["1.png", "2.png", "3.png"])
    (tmp_path / "list.csv").write_text("Label,path\ncat,1.png\ndog,2.png\ndog,3.png\n")
    return str(tmp_path / "list.csv")


def of_paths(tmp_path: Path) -> Any:
    folder = of_folder(tmp_path)
    return [folder / "cat/1.png", str(folder / "dog/2.png"), folder / "dog/3.png"]


def of_tars(tmp_path: Path) -> Any:
    write_tar(tmp_path / "t-00.tar", {"1.png": picture(0), "1.cls": b"cat", "2.cls": b"dog", "2.png": picture(1)})
    write_tar(tmp_path / "t-01.tar", {"3.png": picture(2), "3.json": b'{"label": "dog"}'})
    return f"{tmp_path}/t-{{00..01}}.tar"


def of_hugging_face(tmp_path: Path) -> Any:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    rows = {"image": [picture(number) for number in range(3)], "label": [0, 1, 1]}
    split = datasets.Dataset.from_dict(rows, features=features)
    datasets.disable_progress_bars()
    datasets.DatasetDict({"train": split, "test": split.select([2])}).save_to_disk(tmp_path / "hf")
    return f"hf:{tmp_path}/hf:train"


def of_torchvision(tmp_path: Path) -> Any:
    return f"torchvision:ImageFolder:{of_folder(tmp_path)}"


KINDS: list[Callable[[Path], Any]] = [
    of_folder, of_text, of_table, of_paths, of_tars, of_hugging_face, of_torchvision,
]  # fmt: skip
