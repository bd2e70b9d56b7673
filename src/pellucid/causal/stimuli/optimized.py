"""Pictures that are optimized for units, as references: drawn once for a unit, and kept."""

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pellucid.causal.stimuli.config import MIXED, REFERENCES, StimuliConfig
from pellucid.causal.stimuli.kept import Arrays, kept
from pellucid.errors import NetworkError
from pellucid.networks import Network
from pellucid.networks.lanes import in_lanes
from pellucid.pictures import to_pixels
from pellucid.progress import progress_bar
from pellucid.visualize import channel, describe, diversity, render
from pellucid.visualize.presets import of as preset_of


@dataclass(frozen=True)
class Optimized:
    """What is drawn of one unit: as little as it can respond with `minimal`, else as much.

    `scale` is the largest natural activation of the unit: the diversity of the pictures is weighed with it.
    """

    layer: str
    unit: int
    scale: float
    minimal: bool = False

    def objectives(self, weight: float, counts: Sequence[int]) -> list[Any]:
        """One objective for each group of pictures that are to differ from each other."""
        unit = -channel(self.layer, self.unit) if self.minimal else channel(self.layer, self.unit)
        share = float(f"{weight * self.scale:.3g}")
        return [
            unit.copies(count) + share * diversity(self.layer, count) if share else unit.copies(count)
            for count in counts
        ]


@dataclass(frozen=True, eq=False)
class Drawer:
    """Draws what conditions need: nine pictures for "optimized", four for "mixed", drawn apart as published."""

    network: Network
    config: StimuliConfig
    folder: Path

    @property
    def counts(self) -> tuple[int, ...]:
        """How many pictures each group has."""
        wanted = {"optimized": REFERENCES, "mixed": MIXED}
        return tuple(count for name, count in wanted.items() if name in self.config.conditions)

    def draw(self, wanted: Collection[Optimized], *, progress: bool = False) -> None:
        """Draw for some units, several at once where there are several threads; each is kept as soon as it is done."""
        if not self.counts:
            return
        options, about = self._options(), {one: self._about(one) for one in wanted}

        def work(network: Network, one: Optimized) -> None:
            kept(self.folder, about[one], lambda: self._drawn(network, one, options))

        with progress_bar("optimized pictures", len(wanted), shown=progress) as advance, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="no gradient came")  # told by `silent`
            for _ in in_lanes(self.network, work, wanted):
                advance(1)

    def pictures(self, one: Optimized) -> dict[str, list[Tensor]]:
        """The pictures of a unit by condition, (C, H, W) of 8 bits in [0, 1]; drawn now if they are not there."""
        if not self.counts:
            return {}
        found = self._found(one)
        channels = self.network.channels
        groups = {}
        for name, count in (("optimized", REFERENCES), ("mixed", MIXED)):
            if name in self.config.conditions:
                pixels = torch.from_numpy(found[f"group{count}"]).permute(0, 3, 1, 2)[:, :channels]
                groups[name] = list(pixels.float() / 255)
        return groups

    def silent(self, one: Optimized) -> int:
        """How many of a unit's pictures show nothing, since no gradient came to them."""
        return int(self._found(one)["silent"].sum()) if self.counts else 0

    def _found(self, one: Optimized) -> Arrays:
        about = self._about(one)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="no gradient came")
            return kept(self.folder, about, lambda: self._drawn(self.network, one, self._options()))

    def _drawn(self, network: Network, one: Optimized, options: dict[str, Any]) -> Arrays:
        objectives = one.objectives(self.config.diversity, self.counts)
        drawn = render(network, objectives, seed=self.config.seed, batch=sum(self.counts), **options)
        pixels = to_pixels(drawn.images)
        silent = torch.zeros(len(pixels), dtype=torch.bool)
        silent[list(drawn.silent)] = True
        groups, at = {"silent": silent.numpy()}, 0
        for count in self.counts:
            groups[f"group{count}"] = pixels[at : at + count]
            at += count
        return groups

    def _options(self) -> dict[str, Any]:
        try:
            preset = preset_of(self.network).options(self.network.size)
        except NetworkError:  # of no known family: the defaults of `render`
            preset = {}
        return {**preset, "steps": self.config.steps, "size": self.network.size}

    def _about(self, one: Optimized) -> dict[str, Any]:
        objectives = one.objectives(self.config.diversity, self.counts)
        return {**describe(self.network, objectives, seed=self.config.seed, **self._options()), "what": "optimized"}
