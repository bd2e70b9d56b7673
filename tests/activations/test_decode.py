import subprocess
import sys
import threading
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from hostile_images import RAMP, photograph, png, readable, saved, tiff, turned, unreadable, write_hostile, ycck
from pellucid.activations import decode
from pellucid.activations.decode import convert_image, open_image
from pellucid.activations.pillow_warnings import quiet_pillow
from pellucid.errors import ImagesError

EIGHT = np.rint(RAMP / 257).astype(np.uint8)  # the ramp in 8 bits


def grey(content: bytes) -> np.ndarray:
    return np.asarray(open_image(content, 1))


def colour(content: bytes) -> np.ndarray:
    return np.asarray(open_image(content))


@pytest.mark.parametrize("name", ["pellucid.activations.decode", "pellucid.activations.sources"])
def test_nothing_here_loads_torch(name: str) -> None:
    found = f"import sys, {name}; print(sorted({{'torch', 'torchvision', 'datasets'}} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"


@pytest.mark.parametrize("name", readable())
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_a_picture_is_read(name: str, channels: int) -> None:
    image = open_image(readable()[name], channels)
    assert image.mode == ("RGB" if channels == 3 else "L")
    assert image.info == {}
    assert min(image.size) > 0


@pytest.mark.parametrize("name", unreadable())
def test_what_is_none_is_refused_in_one_line_that_names_it(name: str) -> None:
    content, reason = unreadable()[name]
    with pytest.raises(ImagesError, match=f"^{name}: [^\n]*(?:{reason})[^\n]*$"):
        open_image(content, name=name)


def test_hostile_files_meet_their_fate(tmp_path: Path) -> None:
    for name, reason in write_hostile(tmp_path).items():
        path = tmp_path / name.encode().decode("unicode_escape" if "\\" in name else "utf-8")
        if reason is None:
            open_image(path)
        elif "UTF-8" not in reason:  # that is a matter of lists, not of reading
            with pytest.raises(ImagesError, match=reason):
                open_image(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(ImagesError, match=r"folder\.jpg: is a folder"):
        open_image(tmp_path / "folder.jpg")
    with pytest.raises(ImagesError, match=r"gone\.jpg: No such file"):
        open_image(tmp_path / "gone.jpg")
    with pytest.raises(ImagesError, match="null"):
        open_image(tmp_path / "a\0b.jpg")
    with pytest.raises(ImagesError, match="is not a file but a pipe, a socket or a device"):
        open_image(Path("/dev/zero"))


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked.jpg").write_bytes(saved(photograph(), "JPEG"))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ImagesError, match=r"^locked\.jpg: Permission denied$"):
        open_image(tmp_path / "locked.jpg")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_grey_of_16_bits_is_scaled(kind: str) -> None:
    content = saved(Image.fromarray(RAMP), kind)
    np.testing.assert_array_equal(grey(content), EIGHT)
    np.testing.assert_array_equal(colour(content), np.stack([EIGHT] * 3, axis=-1))


def test_grey_of_16_bits_is_scaled_in_either_order_of_bytes() -> None:
    big = Image.frombytes("I;16B", (6, 4), RAMP.astype(">u2").tobytes())
    np.testing.assert_array_equal(np.asarray(convert_image(big, 1)), EIGHT)
    np.testing.assert_array_equal(grey(tiff(6, 4, 16, RAMP.astype("<u2").tobytes())), EIGHT)


def test_white_that_is_zero_is_white() -> None:
    np.testing.assert_array_equal(grey(tiff(6, 4, 16, (65535 - RAMP).tobytes(), photometric=0)), EIGHT)
    small = EIGHT.tobytes()
    np.testing.assert_array_equal(grey(tiff(6, 4, 8, small, photometric=0)), 255 - EIGHT)


def test_twelve_bits_reach_white() -> None:
    values = [0, 4095, 2048, 1024]
    packed = b"".join(bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255]) for a, b in (values[:2], values[2:]))
    np.testing.assert_array_equal(grey(tiff(4, 1, 12, packed)), [[0, 255, 128, 64]])


def test_colour_of_16_bits_keeps_its_upper_bits() -> None:
    pixels = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=-1)
    np.testing.assert_array_equal(colour(png(6, 4, 16, 2, pixels.astype(">u2").tobytes())), pixels >> 8)


def test_float_between_0_and_1_is_scaled() -> None:
    share = (RAMP / 65535).astype(np.float32)
    np.testing.assert_array_equal(grey(saved(Image.fromarray(share), "TIFF")), np.rint(share * 255))


def test_transparency_is_laid_on_white() -> None:
    image = photograph("RGBA")
    alpha = np.random.default_rng(0).integers(0, 256, image.size[::-1], dtype=np.uint8)
    alpha[:4], alpha[-4:] = 0, 255
    image.putalpha(Image.fromarray(alpha))
    share = alpha[..., None] / 255
    expected = np.asarray(image)[..., :3] * share + 255 * (1 - share)
    found = colour(saved(image, "PNG")).astype(float)
    np.testing.assert_allclose(found, expected, atol=1)
    np.testing.assert_array_equal(found[:4], 255)
    np.testing.assert_array_equal(found[-4:], expected[-4:])


def test_the_transparent_colour_of_a_palette_becomes_white() -> None:
    image = photograph().quantize(8)
    found, hidden = colour(saved(image, "PNG", transparency=3)), np.asarray(image) == 3
    assert 0 < hidden.mean() < 1
    assert (found[hidden] == 255).all()
    np.testing.assert_array_equal(found[~hidden], np.asarray(image.convert("RGB"))[~hidden])


def test_a_transparent_colour_becomes_white() -> None:
    key = int(RAMP[2, 3])
    shown = grey(png(6, 4, 16, 0, RAMP.astype(">u2").tobytes(), key=key.to_bytes(2, "big")))
    assert shown[2, 3] == 255
    assert (shown != EIGHT).sum() == 1
    pixels = np.stack([EIGHT, EIGHT[::-1], EIGHT], axis=-1)
    shown = colour(png(6, 4, 8, 2, pixels.tobytes(), key=pixels[1, 1].astype(">u2").tobytes()))
    assert (shown[1, 1] == 255).all()
    assert (shown != pixels).any(axis=-1).sum() == 1


def test_a_transparent_colour_of_16_bits_is_left_as_it_is() -> None:
    pixels = np.stack([RAMP] * 3, axis=-1).astype(">u2")
    for key in (pixels[2, 2], 256 + (pixels[1, 1] >> 8)):  # the second has a pixel's upper bits as its lower
        content = png(6, 4, 16, 2, pixels.tobytes(), key=key.astype(">u2").tobytes())
        np.testing.assert_array_equal(colour(content), pixels >> 8)


def test_cmyk_and_ycck_become_their_colours() -> None:
    inks = {(0, 0, 0, 0): 255, (0, 0, 0, 255): 0, (255, 255, 255, 0): 0}
    for ink, level in inks.items():
        found = colour(saved(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100))
        np.testing.assert_allclose(found, level, atol=2)
    # The stored numbers are inverted inks. As YCCK, (Y, Cb, Cr, K) = (0, 128, 128, 255) is no ink at all.
    for lightness, level in ((0, 255), (255, 0)):
        stored = Image.new("CMYK", (16, 16), (255 - lightness, 127, 127, 0))
        np.testing.assert_allclose(colour(ycck(saved(stored, "JPEG", quality=100))), level, atol=4)


STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright.transpose(1, 0, 2), 2),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_every_orientation_ends_upright_once(orientation: int, kind: str) -> None:
    upright = np.asarray(photograph(size=(30, 20)))
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    image = open_image(saved(stored, kind, exif=turned(orientation)))
    np.testing.assert_array_equal(np.asarray(image), upright)
    np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(image)), upright)


def test_the_first_frame_stands_for_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), name) for name in ("red", "lime", "blue")]
    for kind in ("GIF", "PNG", "TIFF", "WEBP"):
        lossless = {"lossless": True} if kind == "WEBP" else {}
        found = colour(saved(frames[0], kind, save_all=True, append_images=frames[1:], **lossless))
        assert (found == (255, 0, 0)).all(), kind


def test_a_large_jpeg_is_read_at_half_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "LARGEST", 1000)
    image = photograph(size=(61, 45))
    assert open_image(saved(image, "JPEG")).size == (31, 23)
    even = image.resize((64, 48))
    near = np.asarray(even.resize((32, 24), Image.Resampling.BOX), dtype=float)
    assert np.abs(colour(saved(even, "JPEG", quality=95, subsampling=0)) - near).mean() < 2
    for options in ({"progressive": True}, {}):
        with pytest.raises(ImagesError, match="pixels are too many; the most is 1,000"):
            open_image(saved(image if options else image.resize((90, 90)), "JPEG", **options))
    with pytest.raises(ImagesError, match="61 x 45 = 2,745 pixels are too many"):
        open_image(saved(image, "PNG"))
    with pytest.raises(ImagesError, match="61 x 45 = 2,745 pixels are too many"):
        convert_image(image)


def test_a_picture_that_is_open_is_treated_as_a_file() -> None:
    for name, content in readable().items():
        with quiet_pillow, Image.open(BytesIO(content)) as image:
            converted = convert_image(image, name=name)
        np.testing.assert_array_equal(np.asarray(converted), colour(content), err_msg=name)


def test_a_picture_that_cannot_be_loaded_is_refused() -> None:
    cut = saved(photograph(), "JPEG")[:-200]
    with Image.open(BytesIO(cut)) as image, pytest.raises(ImagesError, match=r"^x: .*truncated"):
        convert_image(image, name="x")
    with pytest.raises(ImagesError, match=r"^x: 0 x 4 pixels: there is nothing to see"):
        convert_image(Image.new("RGB", (0, 4)), name="x")
    with pytest.raises(ImagesError, match=r"^x: has no defined white"):
        convert_image(Image.new("I", (3, 3), 70000), name="x")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "ICO", "TGA", "JPEG2000", "PCX"])
def test_damage_of_any_kind_is_an_images_error_or_none(kind: str) -> None:
    random = np.random.default_rng(1)
    whole = np.frombuffer(saved(photograph(size=(32, 32)), kind), np.uint8)
    for _ in range(60):
        content = whole.copy()
        # Most of what a format can get wrong is in its first bytes.
        reach = len(content) if random.random() < 0.3 else min(200, len(content))
        places = random.integers(0, reach, random.integers(1, 6))
        content[places] = random.integers(0, 256, len(places))
        end = len(content) if random.random() < 0.7 else int(random.integers(1, len(content)))
        reason = ""
        try:
            assert open_image(content[:end].tobytes(), name="x").mode == "RGB"
        except ImagesError as error:
            reason = str(error)
        assert reason == "" or (reason.startswith("x: ") and "\n" not in reason)


def test_threads_leave_the_filters_of_warnings_as_they_were() -> None:
    odd, before, read = readable()["odd_metadata.jpg"], list(warnings.filters), []
    threads = [threading.Thread(target=lambda: read.extend(open_image(odd) for _ in range(20))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 120
    assert warnings.filters == before


def test_silence_lasts_until_the_last_has_left() -> None:
    def odd() -> None:
        warnings.warn_explicit("odd metadata", UserWarning, "Image.py", 1, module="PIL.Image")

    with quiet_pillow:
        with quiet_pillow:
            odd()
        odd()
    with pytest.raises(UserWarning, match="odd metadata"):
        odd()


def test_warnings_of_others_are_heard_while_an_image_is_read() -> None:
    with quiet_pillow, pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)


def test_other_numbers_of_channels_are_refused() -> None:
    with pytest.raises(ImagesError, match="a network of 5 needs another source"):
        open_image(b"", 5)
    with pytest.raises(ImagesError, match="a network of 2 needs another source"):
        convert_image(photograph(), 2)
