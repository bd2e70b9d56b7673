"""Icons for each second here and in dreamlens, at equal size and steps, and at equal cosine.

Both draw the icons of the same cells of the same layer of the same network with the same weights: means over a few
places of two photographs, or cells of an atlas with `--study`. dreamlens's `render_icons` lives in an environment of
its own, whose Python this benchmark is told of; without one only Pellucid is measured. The cosine is between the mean
of each cell and what the network gives at the centre of the finished icon, measured here for both.

    python -m venv peers
    peers/bin/pip install torch timm dreamlens
    python benchmarks/icons.py --python peers/bin/python [--study STUDY] [--icons 16] [--size 96] [--steps 128]
        [--attempts 3]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

LAYER = "blocks.4.2.bn2"
ARCHITECTURE = "tf_efficientnet_lite0"


def measure_peer(folder: Path) -> None:
    """Run inside of the other environment: draw with dreamlens, once for every number of steps."""
    import timm
    import torch
    from dreamlens.render import render_icons  # pyright: ignore[reportMissingImports]

    given = json.loads((folder / "given.json").read_text())
    module = timm.create_model(ARCHITECTURE, pretrained=False).eval()
    module.load_state_dict(torch.load(folder / "state.pt", weights_only=True))
    means = np.load(folder / "means.npy")
    seconds, icons = [], []
    for steps in given["steps"]:
        torch.manual_seed(0)
        start = time.perf_counter()
        icons, _ = render_icons(
            means,
            module,
            LAYER,
            size=given["size"],
            n_steps=steps,
            num_attempts=given["attempts"],
            preprocess=lambda images: (images - 0.5) / 0.5,
        )
        seconds.append(time.perf_counter() - start)
    np.save(folder / "icons.npy", np.round(np.clip(np.stack(icons), 0, 1) * 255).astype(np.uint8))
    print(json.dumps(seconds))


def dreamlens(
    python: str, network: Any, means: np.ndarray, size: int, steps: int, attempts: int
) -> tuple[float, np.ndarray] | str:
    """Seconds that the steps take, without what comes before and after, and the icons; or why there are none."""
    import torch

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.save(network.module.state_dict(), folder / "state.pt")
        np.save(folder / "means.npy", means)
        (folder / "given.json").write_text(json.dumps({"size": size, "attempts": attempts, "steps": [1, 1, 1 + steps]}))
        command = [python, "-W", "ignore", __file__, "--peer", str(folder)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            return (ended.stderr.strip() or "nothing").splitlines()[-1]
        _, short, long = json.loads(ended.stdout.strip().splitlines()[-1])
        return long - short, np.load(folder / "icons.npy")


def ours(network: Any, means: np.ndarray, config: Any) -> tuple[float, np.ndarray]:
    """Seconds that icons take, without what comes before and after the steps, and the icons."""
    from dataclasses import replace

    from pellucid.atlas.icons import draw_icons

    def draw(steps: int) -> tuple[float, np.ndarray]:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            icons = draw_icons(network, LAYER, means, replace(config, steps=steps), Path(folder), lambda _: None)
            return time.perf_counter() - start, icons

    short, _ = draw(1)
    long, icons = draw(1 + config.steps)
    return long - short, icons


def cosine(network: Any, means: np.ndarray, icons: np.ndarray) -> float:
    """Mean cosine between the means and what icons give at their centre."""
    import torch
    import torch.nn.functional as F

    from pellucid.atlas.jittered import encode_centers

    seen = encode_centers(network, LAYER, icons)
    return float(F.cosine_similarity(seen, torch.from_numpy(means), dim=1).mean())


def cells_of(network: Any, study: str | None, count: int, size: int) -> np.ndarray:
    """Mean activations of cells: of the finest level of a study's atlas, or of neighbouring places of photographs."""
    if study is not None:
        from pellucid.atlas import tables

        finest = max((Path(study) / "atlas" / LAYER).glob("cells-*.parquet"), key=lambda path: int(path.stem[6:]))
        means = tables.read_cells(finest).mean
        return means[np.sort(np.random.default_rng(0).choice(len(means), min(count, len(means)), replace=False))]
    from sklearn.datasets import load_sample_images

    from pellucid.atlas.jittered import encode_centers

    random = np.random.default_rng(0)
    photographs = [np.asarray(image) for image in load_sample_images().images]
    crops = []
    for number in range(count):
        photograph = photographs[number % len(photographs)]
        top, left = (int(random.integers(8, length - size - 8)) for length in photograph.shape[:2])
        for row, column in random.integers(-8, 9, (4, 2)):
            crops.append(photograph[top + row : top + row + size, left + column : left + column + size])
    return encode_centers(network, LAYER, np.stack(crops)).numpy().reshape(count, 4, -1).mean(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="the Python of the environment that has dreamlens")
    parser.add_argument("--study", help="a study with an atlas of the layer whose cells are drawn")
    parser.add_argument("--icons", type=int, default=16)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--attempts", type=int, default=3, help="of dreamlens for each icon; its default is 3")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peer:
        measure_peer(given.peer)
        return

    import torch

    import pellucid
    from pellucid.atlas.icons import IconConfig

    network = pellucid.load("efficientnet_lite0")
    means = np.ascontiguousarray(cells_of(network, given.study, given.icons, given.size), dtype=np.float32)
    print(
        f"{network.name} {LAYER}, {len(means)} icons of {given.size} px, {torch.get_num_threads()} threads", flush=True
    )
    print(f"{'':24}  steps   icons / s   cosine", flush=True)
    theirs: list[tuple[float, np.ndarray]] = []
    mine: dict[int, list[float]] = {}
    found: dict[int, float] = {}
    counts = sorted({given.steps, *(given.steps // part for part in (2, 4, 8))})
    for _ in range(given.rounds):
        if given.python:
            answer = dreamlens(given.python, network, means, given.size, given.steps, given.attempts)
            if isinstance(answer, str):
                print(f"dreamlens                not measured: {answer}")
                given.python = None
            else:
                theirs.append(answer)
        for steps in counts:
            seconds, icons = ours(network, means, IconConfig(size=given.size, steps=steps))
            mine.setdefault(steps, []).append(seconds)
            found[steps] = cosine(network, means, icons)
    rates = {steps: len(means) / statistics.median(times) for steps, times in mine.items()}
    for steps in counts:
        print(f"{'pellucid':24} {steps:6d} {rates[steps]:11.3f} {found[steps]:8.3f}")
    if theirs:
        rate = len(means) / statistics.median(seconds for seconds, _ in theirs)
        reached = cosine(network, means, theirs[0][1])
        print(f"{'dreamlens':24} {given.steps:6d} {rate:11.3f} {reached:8.3f}")
        print(f"at equal steps: {rates[given.steps] / rate:.1f} times")
        enough = [steps for steps in counts if found[steps] >= reached]
        if enough:
            print(f"at a cosine at least as high, after {enough[0]} steps: {rates[enough[0]] / rate:.1f} times")


if __name__ == "__main__":
    sys.exit(main())
