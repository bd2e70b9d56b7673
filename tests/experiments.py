"""A small experiment for tests, with drawn pictures: no network is needed to tell which query is the larger one."""

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from pellucid.study import Manifest, Study, write_bytes
from pellucid.study.experiments import CONDITIONS, PictureFile, Query, Stimuli, Stimulus, experiment_folder
from pellucid.study.experiments.settings import write_settings
from pellucid.study.experiments.stimuli import picture_path

SIDE, REFERENCES = 24, 9
NETWORK = {"name": "drawn_network", "weights_sha256": "0" * 64}


def make_experiment(
    path: Path,
    name: str = "drawn",
    *,
    units: int = 4,
    image_sets: int = 3,
    catch: int = 3,
    practice: int = 4,
    obvious: int = 2,
    conditions: tuple[str, ...] = CONDITIONS,
    task: str = "counterfactual",
    seed: int = 0,
) -> Path:
    """Write a study with an experiment, and give the experiment's folder. Pictures are noise of one colour each."""
    study = Study.create(path, Manifest(network=NETWORK, images={"source": "drawn"}, command="make_experiment"))
    folder = experiment_folder(study, name)
    rng = np.random.default_rng(seed)
    pictures: dict[str, PictureFile] = {}

    def picture() -> str:
        colour = rng.integers(30, 226, 3)
        pixels = np.clip(colour + rng.normal(0, 20, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        identity = bytes(rng.bytes(8)).hex()
        write_bytes(picture_path(folder, identity), file.getvalue())
        pictures[identity] = PictureFile(hashlib.sha256(file.getvalue()).hexdigest(), SIDE, SIDE)
        return identity

    def stimulus(unit: int, image_set: int, role: str) -> Stimulus:
        low, gap, base = rng.uniform(0.1, 1), rng.uniform(0.1, 1), None
        if task == "counterfactual":
            base = Query(picture(), float(low + gap), f"photograph_{image_set}.jpg")
        shown = {c: tuple(picture() for _ in range(REFERENCES)) for c in conditions if c != "none"}
        minimal = {} if task == "counterfactual" else {c: tuple(picture() for _ in some) for c, some in shown.items()}
        patches = ((0, 0, 8, 8), (12, 12, 8, 8)) if base else (None, None)
        larger = Query(picture(), float(low + gap), f"photograph_{image_set}.jpg", patches[0])
        smaller = Query(picture(), float(low), f"photograph_{image_set}.jpg", patches[1])
        identity = bytes(rng.bytes(8)).hex()
        return Stimulus(identity, f"layer{unit % 2}", unit, image_set, role, larger, smaller, base, shown, minimal)

    stimuli = [stimulus(unit, image_set, "main") for unit in range(units) for image_set in range(image_sets)]
    for role, count in (("catch", catch), ("practice", practice), ("obvious", obvious), ("instruction", 2)):
        stimuli += [stimulus(100 + at, 0, role) for at in range(count)]
    made = Stimuli(
        name, task, NETWORK["name"], conditions, (SIDE, SIDE), tuple(stimuli), pictures, {"drawn": True}, seed
    )
    made.write(folder)
    write_settings(folder)
    return folder
