"""A small study with pages of units, written by hand as the format says, with pictures that tell themselves apart."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from studies import make_study

LAYER, OTHER = "mixed3b", "blocks.4.2.bn2"
NETWORK = "drawn_network"
CROP, CONTEXT, PATCH = 32, 64, 24
COLUMNS = 5  # of the sheets
PARTS = ("examples", "distribution", "quilt")
# unit -> its highest activation, the share that fires, and the parts of its page
UNITS: dict[int, tuple[float | None, float | None, tuple[str, ...]]] = {
    7: (None, None, ()),
    12: (3.5, 0.0, ("examples",)),
    37: (88.25, 0.02, ("distribution",)),
    378: (41.0, 0.5, PARTS),
    379: (903.125, 0.1082, PARTS),
}
ROWS = {"highest": ("Highest", 9), "0.999": ("Quantile 99.9 %", 3), "lowest": ("Lowest", 6)}
LABELS = ("tench, Tinca tinca", "wok", "", "<b>bold & brave</b>")
BINS = (None, -200.0, -0.5, 0.0, 125.5, None)


def make_unit_study(path: Path, atlases: tuple[str, ...] = (OTHER,)) -> Path:
    """Write a study with atlases of these layers, pages of units of two layers, and two galleries."""
    root = make_study(path, names=atlases).path
    _write_layer(root / "units" / LAYER, LAYER, UNITS)
    _write_layer(root / "units" / OTHER, OTHER, {0: (1.0, 0.25, ("quilt",))})
    pictures = [
        (f"{LAYER}:379", 0, False),
        (f"-{LAYER}:379", 0, False),
        (f"{LAYER}:12", 0, True),
        (f"{LAYER}:9", 0, False),
    ]
    _write_gallery(root / "visualizations" / "pictures", pictures)
    others = [(f"{LAYER}:379", 4, False), (f"{LAYER}:379@1,2", 0, False), (f"{LAYER}:378 - 2*{LAYER}:379", 0, False)]
    _write_gallery(root / "visualizations" / "other seeds", others)
    return root


def colors(kind: str, number: int) -> np.ndarray:
    """The four colours of a picture's quarters (2, 2, 3): no two pictures have the same."""
    seed = [ord(letter) for letter in kind] + [number]
    return np.random.default_rng(seed).integers(30, 226, (2, 2, 3))


def quartered(kind: str, number: int, size: int) -> Image.Image:
    """A picture of four quarters."""
    return Image.fromarray(np.kron(colors(kind, number), np.ones((size // 2, size // 2, 1))).astype(np.uint8))


def _sheet(path: Path, kind: str, count: int, size: int) -> dict[str, Any]:
    sheet = Image.new("RGB", (COLUMNS * size, math.ceil(count / COLUMNS) * size))
    for number in range(count):
        sheet.paste(quartered(kind, number, size), (number % COLUMNS * size, number // COLUMNS * size))
    sheet.save(path, lossless=True)
    return {"file": path.name, "size": size, "columns": COLUMNS, "per_cell": 1}


def _write_layer(
    folder: Path, layer: str, units: dict[int, tuple[float | None, float | None, tuple[str, ...]]]
) -> None:
    folder.mkdir(parents=True)
    entries = []
    for unit, (most, fires, parts) in units.items():
        page: dict[str, Any] = {
            **{"format": 1, "network": NETWORK, "layer": layer, "unit": unit, "images": 60, "positions": 11760},
            **{"max": most, "fires": fires, "distribution": None, "examples": None, "quilt": None, "stamps": {}},
        }
        files = [f"{unit}.json"]
        for part in parts:
            page[part], sheets = {"examples": _examples, "distribution": _distribution, "quilt": _quilt}[part](
                folder, unit
            )
            files += [sheet["file"] for sheet in sheets]
        (folder / f"{unit}.json").write_text(json.dumps(page))
        entries.append({"unit": unit, "max": most, "fires": fires, "pages": list(parts), "files": files})
    listed = {"format": 1, "network": NETWORK, "layer": layer, "units": entries}
    (folder / "index.json").write_text(json.dumps(listed))


def _examples(folder: Path, unit: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rng = np.random.default_rng(unit)
    rows, number = [], 0
    total = sum(count for _, count in ROWS.values())
    for name, (title, count) in ROWS.items():
        row = []
        for _ in range(count):
            left, top = rng.uniform(0, 0.6, 2)
            width, height = rng.uniform(0.2, 0.4, 2)
            row.append(
                {
                    "image": f"folder/photo {number}.jpg",
                    "label": LABELS[number % len(LABELS)],
                    "value": round(float(rng.normal(0, 100)), 3),
                    "place": [number, 2 * number],
                    # Not in the order of the page: the numbers must be read.
                    "crop": total - 1 - number,
                    "context": (number + 3) % total,
                    "outline": [float(left), float(top), float(left + width), float(top + height)],
                }
            )
            number += 1
        rows.append({"name": name, "title": title, "note": f"of {count}", "examples": row})
    crops = _sheet(folder / f"{unit}-crops.webp", f"crop{unit}", total, CROP)
    contexts = _sheet(folder / f"{unit}-contexts.webp", f"context{unit}", total, CONTEXT)
    return {"sheets": {"crops": crops, "contexts": contexts}, "rows": rows}, [crops, contexts]


def _distribution(folder: Path, unit: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    del folder
    edges = np.arange(-300, 425, 25.0)
    counts = np.round(4000 * np.exp(-np.abs(edges[:-1] + 12.5) / 96.6)).astype(int)
    counts[:2] = 0
    density = counts / counts.sum() / 25
    middles = edges[:-1] + 12.5
    excess = [[float(t), 96.6 + t / 100] for t in range(25, 200, 25)]
    intercept = float(np.log(density[14]) + middles[14] / 96.6)
    tail = {"low": 25.0, "high": 400.0, "scale": 96.6, "intercept": intercept, "r2": 0.9991, "interval": [95.0, 98.5]}
    pre = {
        "count": int(counts.sum()),
        "invalid": 0,
        "min": -249.5,
        "max": 399.0,
        "mean": {"value": -1.25 * unit, "interval": [-1.5 * unit, -1.0 * unit]},
        "fires": {"value": 0.1082, "interval": [0.1076, 0.1088]},
        "gini": None,
        "p99.9": 312.5,
        "confidence": 0.95,
        "intervals": "positions",
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist(), "under": 0, "over": 3, "unplaced": 0},
        "density": {"x": middles.tolist(), "log": [math.log(d) if d > 0 else None for d in density]},
        "tail": {**tail, "mean_excess": excess},
        "tail_note": "",
    }
    kept = edges[:-1] >= 0
    post = {
        **pre,
        "mean": 10.5,
        "confidence": None,
        "intervals": "",
        "histogram": {"edges": edges[edges >= 0].tolist(), "counts": [50_000, *counts[kept].tolist()[1:]]},
        "density": {"x": middles[kept].tolist(), "log": [math.log(d) for d in density[kept]]},
        "tail": None,
        "tail_note": "Too few positions for a tail.",
    }
    return {"taps": {"pre": pre, "post": {key: value for key, value in post.items() if key != "fires"}}}, []


def _quilt(folder: Path, unit: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rng = np.random.default_rng(unit + 1)
    columns, number = [], 0
    for bin_, (low, high) in enumerate(pairwise(BINS)):
        examples = []
        for _ in range((4, 4, 0, 4, 2)[bin_]):
            value = float(rng.uniform(-300 if low is None else low, 300 if high is None else high))
            examples.append({"image": f"{number}.jpg", "label": "wok", "value": value, "place": [1, 2], "crop": number})
            number += 1
        columns.append({"low": low, "high": high, "count": 10 ** (5 - bin_) + 7, "examples": examples})
    sheet = _sheet(folder / f"{unit}-quilt.webp", f"quilt{unit}", number, PATCH)
    return {"tap": "pre", "sheet": sheet, "columns": columns}, [sheet]


def _write_gallery(folder: Path, pictures: list[tuple[str, int, bool]]) -> None:
    folder.mkdir(parents=True)
    records = []
    for number, (objective, seed, silent) in enumerate(pictures):
        picture = quartered(f"{folder.name}{objective}{seed}", 0, 48)
        ImageDraw.Draw(picture).ellipse((18, 18, 30, 30), fill="white")
        picture.save(folder / f"picture-{number}+s{seed}.png")
        about = {"objective": objective, "seed": seed, "file": f"picture-{number}+s{seed}.png", "value": 1.5 + number}
        records.append({**about, "index": 0, "silent": silent, "snapshots": {}, "movie": ""})
    gallery = {"config": {"steps": 4}, "pictures": records, "sheets": [], "format": 1}
    (folder / "gallery.json").write_text(json.dumps(gallery))
