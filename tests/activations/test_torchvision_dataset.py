import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.activations.sources import open_source, reopen
from pellucid.errors import ImagesError
from sources import labelled, names, number_of, numbers, of_folder, picture

torchvision = pytest.importorskip("torchvision")


class Numbered:
    """A data set of the form of torchvision's."""

    targets = (1, 0, 1)

    def __init__(self, **more: Any) -> None:
        self.__dict__.update(more)

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        if index == 2:
            raise OSError("image file\nis truncated")
        return picture(index), 1 - index


def test_a_data_set_of_torchvision_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = of_folder(tmp_path)
    source = open_source(torchvision.datasets.ImageFolder(folder))
    assert names(source) == ["cat/1.png", "dog/2.png", "dog/3.png"]
    assert (labelled(source), numbers(source)) == (["cat", "dog", "dog"], [0, 1, 2])
    part = torch.utils.data.Subset(torchvision.datasets.ImageFolder(folder), [2, 0])
    assert (labelled(open_source(part)), numbers(open_source(part))) == (["1", "0"], [2, 0])
    named = open_source(Numbered(targets=torch.tensor([1, 0, 1]), classes=[("b", "synonym"), "a"]))
    assert labelled(named) == ["a", "b, synonym", "a"]
    assert number_of(named.open(1)) == 1
    with pytest.raises(ImagesError, match=r"^00000002: image file is truncated$"):
        named.open(2)
    assert labelled(open_source(Numbered(targets=["x", "y", "x"]))) == ["x", "y", "x"]
    assert open_source(Numbered(targets=[[1], [2], [3]])).classes == ()
    with pytest.raises(ImagesError, match="were a Numbered handed over by a program"):
        reopen(named.describe())


def test_data_sets_in_memory_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    pixels = np.arange(5, dtype=np.uint8)[:, None] * np.ones((1, 3072), np.uint8)
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "labels": [0, 1, 2, 1, 0]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["a", "b", "c"]}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torchvision.datasets.CIFAR10, "_check_integrity", lambda self: True)
        patch.setattr(torchvision.datasets.cifar, "check_integrity", lambda *_: True)
        source = open_source(f"torchvision:CIFAR10:{tmp_path}:test")
        assert labelled(source) == ["a", "b", "c", "b", "a"]
        assert numbers(source) == [0, 1, 2, 3, 4]
        assert len(open_source(f"torchvision:CIFAR10:{tmp_path}:train")) == 25
        assert names(reopen(source.describe())) == names(source)
        with pytest.raises(ImagesError, match="CIFAR10 has train and test, not 'val'"):
            open_source(f"torchvision:CIFAR10:{tmp_path}:val")


def test_data_sets_of_torchvision_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folder = of_folder(tmp_path)
    for where, reason in {
        f"torchvision:ImageFoldr:{folder}": "has no data set 'ImageFoldr'; did you mean 'ImageFolder'",
        f"torchvision:FakeData:{folder}": "has no data set 'FakeData'",
        f"torchvision:ImageFolder:{tmp_path}/nowhere": "no folder .*; give torchvision:NAME:ROOT",
        "torchvision:ImageFolder": "no folder ''; give torchvision:NAME:ROOT",
        f"torchvision:ImageFolder:{folder}:train": "ImageFolder has no splits, not 'train'",
        f"torchvision:CIFAR10:{folder}": "CIFAR10 cannot be opened in .*: Dataset not found or corrupted.$",
        f"torchvision:ImageFolder:{folder}/cat": "ImageFolder cannot be opened",
    }.items():
        with pytest.raises(ImagesError, match=reason):
            open_source(where)
    turned = torchvision.datasets.ImageFolder(folder, transform=torchvision.transforms.ToTensor())
    for given in (turned, torch.utils.data.Subset(turned, [0])):
        with pytest.raises(ImagesError, match="the ImageFolder has transforms, but a source gives the same"):
            open_source(given)
    tensors = torch.utils.data.TensorDataset(torch.zeros(2, 3, 4, 4))
    with pytest.raises(ImagesError, match="00000000: the data set gives a Tensor, not a picture of PIL"):
        open_source(tensors).open(0)
    with pytest.raises(ImagesError, match="is empty"):
        open_source(torch.utils.data.Subset(turned, []))
