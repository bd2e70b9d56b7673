"""How an atlas is made."""

from dataclasses import dataclass, field

from pellucid.atlas.icons import IconConfig
from pellucid.atlas.layout import Layout, layout_named
from pellucid.errors import AtlasError


@dataclass(frozen=True)
class AtlasConfig:
    """How an atlas is made.

    `layout` is one of `LAYOUTS`; `neighbors` and `min_dist` are UMAP's (the published atlases: 50 and 0.05, cosine).
    Of more than `most` activations, that many at random are laid out, and each of the others is placed among those that
    it resembles. `grids` are the cells a side of each zoom level from coarse to fine, `min_count` the activations that
    a cell must hold, `labels` and `patches` how many a cell shows, `patch_size` their side in pixels, `seed` that of
    the layout.
    """

    grids: tuple[int, ...] = (5, 10, 20)
    min_count: int = 10
    layout: str = "umap"
    neighbors: int = 50
    min_dist: float = 0.05
    most: int = 100_000
    seed: int = 0
    labels: int = 5
    patches: int = 4
    patch_size: int = 64
    icons: IconConfig = field(default_factory=IconConfig)

    def check(self) -> None:
        """Raise `AtlasError` for settings that make no atlas."""
        self.chosen_layout()
        if list(self.grids) != sorted(set(self.grids)) or not self.grids:
            raise AtlasError(f"grids = {self.grids} must grow from level to level, such as 5, 10, 20")
        if min(self.icons.size, self.icons.steps, self.patches, self.patch_size, self.labels) < 1:
            raise AtlasError("icon size, steps, patches, their size and labels must be at least 1")
        if self.most < 10:
            raise AtlasError(f"most = {self.most} activations are too few to lay out; give at least 10")

    def chosen_layout(self) -> Layout:
        """The layout. Raises `AtlasError` for a name that is none."""
        return layout_named(self.layout, neighbors=self.neighbors, min_dist=self.min_dist, seed=self.seed)
