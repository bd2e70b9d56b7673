"""Trying every patch at every size in every corner of every photograph."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pellucid.atlas.patching.compositing import pasted, patch_size, shrunk, shrunk_images
from pellucid.atlas.patching.controls import check_controls, drawn_control
from pellucid.atlas.patching.photographs import Photographs
from pellucid.atlas.patching.trials import PatchConfig, Trials
from pellucid.errors import AtlasError, ImagesError
from pellucid.networks import OUTPUT, Network, folded
from pellucid.progress import progress_bar
from pellucid.study import digest, writing

_AXIS = {"place": 0, "bare_top": 0, "bare_logits": 0, "bare_probability": 0, "top": 3, "logits": 3, "probability": 3}


def run_trials(
    network: Network,
    photographs: Photographs,
    patches: Mapping[str, Image.Image],
    watched: Sequence[int],
    *,
    control: tuple[str, Image.Image] | None = None,
    config: PatchConfig | None = None,
    parts: Path | None = None,
    progress: bool = False,
) -> Trials:
    """Paste patches and controls into photographs and keep what the network answers.

    `patches` are pictures by name, squashed to each size as in the article; `watched` the classes whose logits are
    kept, the target first. `control` is a picture of your own, by name, in the place of the drawn noise. Finished
    batches are kept in the folder `parts`, so that a run that was stopped goes on; it is of one `stamp_of_trials` only.
    Photographs that cannot be opened are left out. Raises `AtlasError` without patches, `ImagesError` if no photograph
    opens.
    """
    config = config or PatchConfig()
    run = _Run.of(network, photographs, patches, tuple(watched), control, config)
    done = []
    with folded(network, [OUTPUT]), progress_bar("pasting", len(photographs), shown=progress) as advance:
        for at in range(0, len(photographs), config.batch):
            places = range(at, min(at + config.batch, len(photographs)))
            done.append(_kept(run, places, parts))
            advance(len(places))
    joined = {name: np.concatenate([part[name] for part in done], axis=_AXIS[name]) for name in _AXIS}
    if not len(joined["place"]):
        raise ImagesError(f"none of the {len(photographs)} photographs can be opened")
    of = photographs.of[joined["place"]]
    joined["of"] = np.where(of >= 0, of, joined["bare_top"])
    return Trials(run.names, len(patches), config.sizes, config.corners, run.watched, **joined)


def stamp_of_trials(
    network: Network,
    photographs: Photographs,
    patches: Mapping[str, Image.Image],
    watched: Sequence[int],
    control: tuple[str, Image.Image] | None,
    config: PatchConfig,
) -> str:
    """A digest of all that decides over trials."""
    return _Run.of(network, photographs, patches, tuple(watched), control, config).stamp()


def _kept(run: "_Run", places: range, parts: Path | None) -> dict[str, NDArray]:
    """The answers to one batch, from the disk where they are there."""
    if parts is None:
        return run.batch(places)
    path = parts / f"{places.start:07d}.npz"
    if not path.exists():
        with writing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **run.batch(places))
    with np.load(path) as found:
        return {name: found[name] for name in _AXIS}


@dataclass(frozen=True, eq=False)
class _Run:
    network: Network
    photographs: Photographs
    pictures: Mapping[str, Image.Image]  # that are the same for all photographs
    names: tuple[str, ...]
    watched: tuple[int, ...]
    config: PatchConfig

    @classmethod
    def of(cls, network, photographs, patches, watched, control, config) -> "_Run":
        if not patches:
            raise AtlasError("there are no patches to paste; give a picture at least")
        controls = list(config.controls)
        check_controls(tuple(controls), patches)
        pictures = dict(patches)
        if control is not None:
            if control[0] in patches or control[0] in controls[1:]:
                raise AtlasError(f"two pictures are called {control[0]!r}; rename the control")
            controls = [control[0], *(name for name in controls if name not in ("noise", control[0]))]
            pictures[control[0]] = control[1]
        for name in controls:
            if name in ("noise", "grey") and name not in pictures:
                pictures[name] = drawn_control(name, network.size, network.channels, config.seed)
        if "unrelated" in controls and any(
            photographs.unrelated(place, config.seed) is None for place in range(len(photographs))
        ):
            controls.remove("unrelated")  # there is no other photograph
        mode = "L" if network.channels == 1 else "RGB"
        pictures = {name: picture.convert(mode) for name, picture in pictures.items()}
        return cls(network, photographs, pictures, (*patches, *controls), watched, config)

    def stamp(self) -> str:
        """What decides over the answers."""
        about = self.photographs.source.describe()
        pictures = {name: hashlib.sha256(picture.tobytes()).hexdigest() for name, picture in self.pictures.items()}
        return digest(
            {
                "network": self.network.describe(),
                "images": [about.get("source"), about.get("digest"), self.photographs.squash],
                "chosen": [self.photographs.chosen.tolist(), self.photographs.pool.tolist()],
                "pictures": [self.names, pictures, [list(self.pictures[name].size) for name in self.pictures]],
                "watched": self.watched,
                "config": asdict(self.config),
            }
        )

    def batch(self, places: range) -> dict[str, NDArray]:
        """The answers to some of the photographs."""
        shots = self.photographs
        pixels, kept = shots.views(self.network, [int(shots.chosen[place]) for place in places])
        place = np.array([places[index] for index in kept], dtype=np.int64)
        bare = self.answers(pixels)
        shape = (len(self.names), len(self.config.sizes), len(self.config.corners), len(place))
        found = {
            "top": np.zeros(shape, np.int32),
            "logits": np.zeros((*shape, len(self.watched)), np.float32),
            "probability": np.zeros(shape, np.float32),
        }
        for index, patch in enumerate(self.patches(pixels, place)):
            for size, share in enumerate(self.config.sizes):
                small = patch(patch_size(share, self.network.size))
                for corner, where in enumerate(self.config.corners):
                    for name, value in self.answers(pasted(pixels, small, where)).items():
                        found[name][index, size, corner] = value
        return {"place": place, **{f"bare_{name}": value for name, value in bare.items()}, **found}

    def patches(self, pixels: Tensor, place: NDArray[np.int64]) -> Iterator[Callable[[tuple[int, int]], Tensor]]:
        """For each name a function from a size (h, w) to the patch, or the patches, of that size."""
        for name in self.names:
            if name in self.pictures:
                yield lambda size, picture=self.pictures[name]: shrunk(picture, size)
            else:
                views = pixels if name == "self" else self.others(pixels, place)
                yield lambda size, views=views: shrunk_images(views, size)

    def others(self, pixels: Tensor, place: NDArray[np.int64]) -> Tensor:
        """An unrelated photograph for each; grey where that cannot be opened."""
        numbers = [self.photographs.unrelated(int(index), self.config.seed) for index in place]
        found, kept = self.photographs.views(self.network, [number for number in numbers if number is not None])
        views = torch.full_like(pixels, 0.5)
        views[kept] = found
        return views

    def answers(self, pixels: Tensor) -> dict[str, NDArray]:
        """First class, watched logits and the target's probability for images."""
        if not len(pixels):
            return {"top": np.zeros(0), "logits": np.zeros((0, len(self.watched))), "probability": np.zeros(0)}
        with torch.no_grad():
            logits = self.network(pixels).float()
        if logits.ndim != 2 or not all(0 <= label < logits.shape[1] for label in self.watched):
            raise AtlasError(
                f"{self.network.name} gives {tuple(logits.shape[1:])} for an image, and classes {self.watched} are "
                "asked for"
            )
        return {
            "top": logits.argmax(dim=1).cpu().numpy().astype(np.int32),
            "logits": logits[:, list(self.watched)].cpu().numpy(),
            "probability": logits.softmax(dim=1)[:, self.watched[0]].cpu().numpy(),
        }
