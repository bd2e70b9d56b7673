from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.activations.images import Box, find_images, load_view, open_image, views
from pellucid.errors import ImagesError
from photographs import drawn_photographs
from small import small_network


def test_images_are_found_below_and_sorted(tmp_path: Path) -> None:
    drawn_photographs(tmp_path, 4)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(b"")
    assert find_images(tmp_path) == ["001.png", "002.png", "deeper/000.png", "deeper/003.png"]


def test_folders_without_photographs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="no folder"):
        find_images(tmp_path / "nowhere")
    with pytest.raises(ImagesError, match="no photographs in"):
        find_images(tmp_path)
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(ImagesError, match="none of its files is named as a picture"):
        find_images(tmp_path)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "1"])
def test_every_kind_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    Image.new(mode, (5, 4)).save(path)
    image = open_image(path)
    assert (image.mode, image.size) == ("RGB", (5, 4))


def test_rotation_in_the_metadata_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (6, 3))
    exif = image.getexif()
    exif[0x0112] = 6  # turn right
    image.save(tmp_path / "x.jpg", exif=exif)
    assert open_image(tmp_path / "x.jpg").size == (3, 6)


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    with pytest.raises(ImagesError, match=r"text\.jpg: cannot identify image file"):
        open_image(tmp_path / "text.jpg")
    drawn_photographs(tmp_path, 2)
    whole = (tmp_path / "001.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImagesError, match=r"cut\.png: "):
        open_image(tmp_path / "cut.png")
    with pytest.raises(ImagesError, match="a network of 5 needs another source"):
        open_image(tmp_path / "001.png", 5)


def test_the_network_s_own_view_is_the_centre() -> None:
    assert views((640, 480), (1.0,), 0.875) == [Box(110, 30, 530, 450)]


@pytest.mark.parametrize("size", [(640, 480), (100, 731), (64, 64)])
@pytest.mark.parametrize("crop", [0.9, 0.5, 0.26])
def test_smaller_views_are_squares_that_cover_everything(size: tuple[int, int], crop: float) -> None:
    boxes = views(size, (crop,), 0.875)
    covered = np.zeros((size[1], size[0]), dtype=bool)
    for box in boxes:
        assert 0 <= box.left < box.right <= size[0]
        assert 0 <= box.top < box.bottom <= size[1]
        assert box.right - box.left == box.bottom - box.top == round(crop * min(size))
        covered[box.top : box.bottom, box.left : box.right] = True
    assert covered.all()
    assert len(set(boxes)) == len(boxes)


def test_a_view_is_what_lies_in_its_box(tmp_path: Path) -> None:
    pixels = np.zeros((40, 40, 3), dtype=np.uint8)
    pixels[8:24, 16:32] = (255, 0, 51)
    view = load_view(Image.fromarray(pixels), Box(16, 8, 32, 24), small_network(size=8))
    # The filter reaches a pixel beyond the box, as when the whole photograph is resized and then cut.
    torch.testing.assert_close(
        view[:, 1:-1, 1:-1], torch.tensor([1.0, 0.0, 0.2])[:, None, None].expand(3, 6, 6), atol=0.01, rtol=0
    )
