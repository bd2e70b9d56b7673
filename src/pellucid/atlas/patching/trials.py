"""What is tried with patches, and what a network answered."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.patching.compositing import CORNERS
from pellucid.atlas.patching.controls import CONTROLS
from pellucid.errors import AtlasError


@dataclass(frozen=True)
class PatchConfig:
    """How patches are tried: at `sizes`, shares of an image's side, in `corners`, numbers in `CORNERS`.

    `controls` are pasted in the same places; the first is the one that patches are compared with. What is drawn at
    random follows from `seed`. `batch` photographs pass through the network together.
    """

    sizes: tuple[float, ...] = (0.2, 0.4, 0.7)
    corners: tuple[int, ...] = (0, 1, 2, 3)
    controls: tuple[str, ...] = CONTROLS
    seed: int = 0
    batch: int = 16

    def __post_init__(self) -> None:
        if not self.sizes or not all(0 < size <= 1 for size in self.sizes):
            raise AtlasError(f"sizes = {self.sizes} must be shares of an image's side, above 0 and up to 1")
        if not self.corners or not all(0 <= corner < len(CORNERS) for corner in self.corners):
            raise AtlasError(f"corners = {self.corners} must be among 0 to 3: {', '.join(CORNERS)}")
        if len(set(self.sizes)) < len(self.sizes) or len(set(self.corners)) < len(self.corners):
            raise AtlasError(f"sizes = {self.sizes} and corners = {self.corners} must each be given once")
        if self.batch < 1:
            raise AtlasError(f"batch = {self.batch} must be positive")


@dataclass(frozen=True, eq=False)
class Trials:
    """What a network answered to N photographs, bare and with X pictures pasted in, at S sizes in K corners.

    `names` (X,) are the patches, then the controls from `patches` on. `place` (N,) are the photographs' places among
    the chosen ones, `of` (N,) their classes: that of the label, or else the one that the bare photograph was taken for.
    `watched` are W classes, the target first. `top` is the first class of an answer, `logits` those of the watched
    classes, `probability` the target's softmax.
    """

    names: tuple[str, ...]
    patches: int
    sizes: tuple[float, ...]
    corners: tuple[int, ...]
    watched: tuple[int, ...]
    place: NDArray[np.int64]
    of: NDArray[np.int64]
    bare_top: NDArray[np.int32]  # (N,)
    bare_logits: NDArray[np.float32]  # (N, W)
    bare_probability: NDArray[np.float32]  # (N,)
    top: NDArray[np.int32]  # (X, S, K, N)
    logits: NDArray[np.float32]  # (X, S, K, N, W)
    probability: NDArray[np.float32]  # (X, S, K, N)

    @property
    def target(self) -> int:
        """The class that patches are to lead to."""
        return self.watched[0]

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Which bare photographs were taken for what they are: (N,)."""
        return self.bare_top == self.of

    @property
    def rise(self) -> NDArray[np.float64]:
        """How much each picture raised the logits of the watched classes: (X, S, K, N, W)."""
        return self.logits.astype(np.float64) - self.bare_logits
