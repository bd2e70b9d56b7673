"""`pellucid curves stimuli`: curves, angles, lines and the like, as pictures and as a table."""

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pellucid.cli.options import Device, Weights, command_line, load_network, parse_numbers, parse_size
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.curves import Bank, Style, Texture

Kind = Literal["curve", "angle", "line", "circle", "grating", "comb", "blank", "standard"]
_TABLES = (".csv", ".parquet")
_MOST = 2000  # pictures on one sheet
_PHOTOGRAPHS = 100  # that are held in memory for textures
_DEFAULTS = {
    "curve": {"radius": "30", "orientation": "0:360:15"},
    "angle": {"opening": "90", "orientation": "0:360:15"},
    "line": {"orientation": "0:180:15"},
    "circle": {"radius": "5,10,20"},
    "grating": {"wavelength": "8", "orientation": "0:180:15"},
    "comb": {"radius": "30", "spacing": "8", "length": "6", "orientation": "0:360:15"},
    "blank": {},
}
_Numbers = str | None  # numbers separated by commas, or a range


def stimuli(
    kind: Annotated[
        Kind, typer.Argument(metavar="KIND", help="curve, angle, line, circle, grating, comb, blank, or standard.")
    ],
    output: Annotated[
        list[Path],
        typer.Option(
            "--output",
            "-o",
            help="A sheet (.png, .webp, .jpg), an array (.npy), a table (.csv, .parquet) or a folder; several times.",
        ),
    ],
    orientation: Annotated[
        _Numbers, typer.Option(help="Degrees, clockwise from 3 o'clock: 0,45,90, or START:STOP:STEP without STOP.")
    ] = None,
    radius: Annotated[_Numbers, typer.Option(help="Of curves, circles and combs, in px; inf is straight.")] = None,
    arc: Annotated[_Numbers, typer.Option(help="Of curves and combs, in degrees; 360 by default.")] = None,
    opening: Annotated[_Numbers, typer.Option(help="Of angles, in degrees.")] = None,
    rounding: Annotated[_Numbers, typer.Option(help="The radius of an angle's corner in px; 0 by default.")] = None,
    arm: Annotated[_Numbers, typer.Option(help="Of angles, the arms' length in px; endless by default.")] = None,
    length: Annotated[_Numbers, typer.Option(help="Of lines (endless by default) or of a comb's ticks, in px.")] = None,
    spacing: Annotated[_Numbers, typer.Option(help="Of a comb's ticks along the curve, in px.")] = None,
    side: Annotated[
        str | None, typer.Option(help="Of a comb's ticks: inside, outside or both; outside by default.")
    ] = None,
    wavelength: Annotated[_Numbers, typer.Option(help="Of gratings, in px.")] = None,
    phase: Annotated[_Numbers, typer.Option(help="Of gratings, in degrees; 0 by default.")] = None,
    width: Annotated[_Numbers, typer.Option(help="Half the thickness of lines in px; 1 by default.")] = None,
    tick_width: Annotated[_Numbers, typer.Option(help="Half the thickness of ticks in px; 1 by default.")] = None,
    diameter: Annotated[
        float | None, typer.Option(help="Of the receptive field that the standard bank is made for, in px.")
    ] = None,
    style: Annotated[str, typer.Option(help="Styles by name, such as line,fill,noise.")] = "line",
    foreground: Annotated[str | None, typer.Option(help="A grey or red,green,blue, from 0 to 1.")] = None,
    background: Annotated[str | None, typer.Option(help="The same, of what is not the line or the inside.")] = None,
    contrast: Annotated[float | None, typer.Option(help="About mid-grey.")] = None,
    brightness: Annotated[float | None, typer.Option(help="Added at the end, from -1 to 1.")] = None,
    fade: Annotated[float | None, typer.Option(help="Go over to grey this far from the centre, in px.")] = None,
    inside: Annotated[
        str | None, typer.Option(help="A texture on that side: noise, noise:DEVIATION, photographs or none.")
    ] = None,
    outside: Annotated[str | None, typer.Option(help="The same for the other side.")] = None,
    images: Annotated[
        Path | None, typer.Option(help="A folder of photographs for textures; the first 100 are used.")
    ] = None,
    seed: Annotated[str, typer.Option(help="Of the textures; several for several pictures of each.")] = "0",
    size: Annotated[
        str | None, typer.Option(help="Pixels a side, or HEIGHTxWIDTH; 96, or the network's input.")
    ] = None,
    centre: Annotated[
        str | None, typer.Option(metavar="Y,X", help="Where stimuli are centred; the middle by default.")
    ] = None,
    network: Annotated[
        str | None, typer.Option(help="Centre on what the middle unit of a layer of this network sees.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="That layer.")] = None,
    columns: Annotated[
        int | None, typer.Option(min=1, help="Pictures in a row of the sheet; as many as there are orientations.")
    ] = None,
    supersampling: Annotated[int | None, typer.Option(min=1, help="Samples of a pixel along each axis; 4.")] = None,
    weights: Weights = None,
    device: Device = "cpu",
) -> None:
    """Draw stimuli: every combination of the values given, as a sheet, a folder of pictures, or a table.

    A curve's orientation is the direction of its centre of curvature, a line's or a grating's the direction it runs in,
    an angle's the middle of its opening.
    """
    _check(output)
    given = {
        "orientation": orientation, "radius": radius, "arc": arc, "opening": opening, "rounding": rounding, "arm": arm,
        "length": length, "spacing": spacing, "side": side, "wavelength": wavelength, "phase": phase, "width": width,
        "tick_width": tick_width,
    }  # fmt: skip
    changes: dict[str, Any] = {
        "foreground": _colour(foreground), "background": _colour(background), "contrast": contrast,
        "brightness": brightness, "fade": fade, "supersampling": supersampling,
    }  # fmt: skip
    shape, middle, channels = _place(size, centre, network, layer, weights, device)
    bank = _standard(given, diameter) if kind == "standard" else _product(kind, given, diameter, style, seed)
    changes |= _textures({"inside": inside, "outside": outside}, images, shape, channels)
    bank = replace(bank, looks={name: _changed(look, changes) for name, look in bank.looks.items()})
    options = {"centre": middle, "channels": channels, "device": device}
    for path in output:
        _write(path, bank, shape, options, columns or _row(bank))
        typer.echo(f"wrote {path}: {len(bank)} stimuli")


def parse_range(text: str, what: str) -> tuple[float, ...]:
    """Read numbers separated by commas, or `START:STOP:STEP`, which does not include STOP."""
    if ":" not in text:
        numbers = parse_numbers(text, float, what)
        if not numbers:
            raise PellucidError(f"{what} {text!r} holds no numbers")
        return numbers
    try:
        start, stop, step = (float(part) for part in text.split(":"))
    except ValueError:
        raise PellucidError(f"{what} {text!r} is not START:STOP:STEP") from None
    if not (step > 0 and math.isfinite(stop - start)) or stop <= start:
        raise PellucidError(f"{what} {text!r} is empty or endless; it goes from START up to, not including, STOP")
    return tuple(start + step * k for k in range(math.ceil((stop - start) / step - 1e-9)))


def _check(output: list[Path]) -> None:
    from pellucid.pictures import check_suffix

    for path in output:
        if path.suffix and path.suffix.lower() not in _TABLES:
            check_suffix(path)


def _product(kind: str, given: dict[str, str | None], diameter: float | None, styles: str, seeds: str) -> "Bank":
    """Every combination, orientations varying fastest."""
    from pellucid.curves import Angle, Bank, Blank, Circle, Comb, Curve, Grating, Line

    found = {one.kind: one for one in (Angle, Blank, Circle, Comb, Curve, Grating, Line)}[kind]
    known = [field.name for field in fields(found)]
    if diameter is not None:
        raise PellucidError("--diameter is for the standard bank; other stimuli have a --radius")
    texts = _DEFAULTS[kind] | {name: text for name, text in given.items() if text is not None}
    for name in texts:
        if name not in known:
            has = ", ".join(_option(field) for field in known) or "no such options"
            raise PellucidError(f"{_option(name)} says nothing of a {kind}, which has {has}")
    order = sorted(texts, key=lambda name: (name == "orientation", known.index(name)))
    values = {name: texts[name].split(",") if name == "side" else parse_range(texts[name], name) for name in order}
    names = [name.strip() for name in styles.split(",")]
    return Bank.product(found, styles=names, seeds=parse_numbers(seeds, int, "seeds"), **values)


def _standard(given: dict[str, str | None], diameter: float | None) -> "Bank":
    from pellucid.curves import standard_bank

    named = [name for name, text in given.items() if text is not None]
    if named:
        raise PellucidError(f"the standard bank has its own parameters; leave out {_option(named[0])}")
    if diameter is None:
        raise PellucidError("the standard bank is made for a receptive field: give its --diameter in px")
    return standard_bank(diameter)


def _place(
    size: str | None, centre: str | None, network: str | None, layer: str | None, weights: str | None, device: str
) -> tuple[tuple[int, int], tuple[float, float] | None, int]:
    """The pictures' size, the stimuli's centre, and the number of channels."""
    middle = None if centre is None else parse_numbers(centre, float, "centre")
    if middle is not None and len(middle) != 2:
        raise PellucidError(f"a centre is Y,X, not {centre!r}")
    if network is None:
        if layer is not None:
            raise PellucidError(f"--layer {layer} needs its --network")
        return parse_size(size or "96"), None if middle is None else (middle[0], middle[1]), 3
    if layer is None or size is not None or middle is not None:
        raise PellucidError("--network goes with --layer, and gives the size and the centre itself")
    from pellucid.curves import centre_of

    found = load_network(network, weights, device)
    return found.size, centre_of(found, layer), found.channels


def _textures(
    sides: dict[str, str | None], images: Path | None, size: tuple[int, int], channels: int
) -> dict[str, "Texture | None"]:
    """Textures of the sides that are named; the same one for both where they are named alike."""
    from pellucid.activations.images import find_images
    from pellucid.curves import Noise, Photograph

    made: dict[str, Texture | None] = {"none": None}
    for text in {text for text in sides.values() if text is not None} - {"none"}:
        name, _, deviation = text.partition(":")
        if name == "photographs" and not deviation:
            if images is None:
                raise PellucidError("photographs for a texture are in a folder: --images FOLDER")
            made[text] = Photograph.read(
                [images / one for one in find_images(images)[:_PHOTOGRAPHS]], size, channels=channels
            )
        elif name == "noise":
            numbers = parse_numbers(deviation, float, "noise")
            made[text] = Noise(numbers[0]) if numbers else Noise()
        else:
            raise PellucidError(f"texture {text!r} is neither noise, noise:DEVIATION, photographs nor none")
    return {side: made[text] for side, text in sides.items() if text is not None}


def _changed(style: "Style", changes: dict[str, Any]) -> "Style":
    sides = ("inside", "outside")
    return replace(style, **{name: value for name, value in changes.items() if value is not None or name in sides})


def _colour(text: str | None) -> float | tuple[float, ...] | None:
    if text is None:
        return None
    values = parse_numbers(text, float, "colour")
    return values[0] if len(values) == 1 else values


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _row(bank: "Bank") -> int:
    """Pictures in a row of the sheet: the orientations, or what makes a square."""
    import numpy as np

    orientations = bank.columns().get("orientation")
    several = 0 if orientations is None else len(np.unique(orientations[np.isfinite(orientations)]))
    return several if 1 < several <= 36 else math.ceil(math.sqrt(len(bank)))


def _write(path: Path, bank: "Bank", size: tuple[int, int], options: dict[str, Any], columns: int) -> None:
    from pellucid.pictures import save_sheet

    if path.suffix.lower() in _TABLES:
        bank.save(path)
    elif path.suffix:
        if len(bank) > _MOST and path.suffix.lower() != ".npy":
            raise PellucidError(f"{len(bank)} pictures are too many for a sheet; write a folder, or .npy")
        save_sheet(path, bank.draw(size, **options).cpu(), columns, {"command": command_line()})
    else:
        number = 0
        for pictures in bank.batches(size, **options):
            for picture in pictures.cpu():
                save_sheet(path / f"{number:05d}.png", picture[None], 1)
                number += 1
        bank.save(path / "stimuli.csv")
