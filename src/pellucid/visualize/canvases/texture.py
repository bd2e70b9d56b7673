"""The texture of a model in three dimensions."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from pellucid.errors import ObjectiveError
from pellucid.shapes import AnyTensor, Images, Views
from pellucid.visualize.canvases.alpha import Alpha
from pellucid.visualize.canvases.backgrounds import backgrounds
from pellucid.visualize.canvases.canvas import Canvas
from pellucid.visualize.canvases.colours import Colours
from pellucid.visualize.canvases.fourier import Fourier
from pellucid.visualize.meshes.mesh import Mesh
from pellucid.visualize.meshes.raster import rasterize
from pellucid.visualize.meshes.sampling import sample
from pellucid.visualize.meshes.view import RandomViews, View


class Texture(Canvas):
    """The texture of a model: the network sees the model from somewhere else at every step.

    Of Differentiable Image Parameterizations (Mordvintsev et al., Distill 2018), "Feature Visualization on 3D models".
    The pictures of a run are the textures (N, C, H, W), which `canvas` paints, `Fourier()` by default; penalties of
    the picture are of the texture. The network is shown the `mesh` with its texture on it, in a picture of `shown`
    pixels, a side or (height, width), by default the texture's size, from a view that `views` draws from the picture's
    own generator, in front of `background`: a grey in [0, 1], or with `"noise"` smooth colour noise of `contrast`,
    another one at every step, as in `Alpha`. Gradients go through bilinear sampling to the texture alone. `seen_from`
    gives the model from chosen views. Inverts if `canvas` does: `init` is a texture.

    A model with its texture is what an image is elsewhere: `likeness(network, texture, layer)` compares the model with
    the same model under the texture given there, from the same view.
    """

    def __init__(
        self,
        mesh: Mesh,
        canvas: Canvas | None = None,
        *,
        shown: int | tuple[int, int] | None = None,
        views: RandomViews | None = None,
        background: float | str = "noise",
        contrast: float = 2.0,
    ) -> None:
        self.mesh = mesh
        self.canvas = canvas if canvas is not None else Fourier()
        if isinstance(self.canvas, Alpha | Texture):
            raise ObjectiveError(f"a texture is opaque and flat; {self.canvas!r} cannot paint one")
        if isinstance(background, str):
            if background != "noise":
                raise ObjectiveError(f"background = {background!r} must be 'noise' or a grey in [0, 1]")
        elif not 0 <= background <= 1:
            raise ObjectiveError(f"background = {background} must be a grey in [0, 1], or 'noise'")
        self.shown = (shown, shown) if isinstance(shown, int) else shown
        if self.shown is not None and min(self.shown) < 1:
            raise ObjectiveError(f"a model cannot be shown in {self.shown[0]}x{self.shown[1]} pixels")
        self.views = views if views is not None else RandomViews()
        self.background = background
        self.contrast = contrast
        self.together = self.canvas.together
        self._colours = Colours("imagenet")

    def __repr__(self) -> str:
        behind = f"'noise', contrast={self.contrast:g}" if self.background == "noise" else f"{self.background:g}"
        return f"Texture({self.mesh!r}, {self.canvas!r}, shown={self.shown}, {self.views!r}, background={behind})"

    def start(
        self, size: tuple[int, int], channels: int, generators: Sequence[torch.Generator], dtype: torch.dtype
    ) -> AnyTensor:
        """Parameters of the canvas."""
        return self.canvas.start(size, channels, generators, dtype)

    def pictures(self, parameters: AnyTensor, size: tuple[int, int]) -> Images:
        """The textures."""
        return self.canvas.pictures(parameters, size)

    def invert(self, images: Images) -> AnyTensor:
        """Parameters of given textures."""
        return self.canvas.invert(images)

    def optimizer(self, parameters: list[Tensor]) -> Optimizer:
        """That of the canvas."""
        return self.canvas.optimizer(parameters)

    def seen(self, pictures: Images, generators: Sequence[torch.Generator]) -> Views:
        """The model under the textures (N, C, H, W), each from a random view: (N, C, h, w)."""
        size = self.shown or (pictures.shape[2], pictures.shape[3])
        drawn = [self.views.draw(generator) for generator in generators]
        like = pictures.detach()[:, :, :1, :1].expand(-1, -1, *size)
        if isinstance(self.background, str):
            behind = backgrounds(like, generators, self._colours, self.contrast)
        else:
            behind = torch.full_like(like, self.background)
        return self._over(self.canvas.seen(pictures, generators), drawn, behind)

    def seen_from(
        self,
        textures: Images,
        views: View | Sequence[View],
        size: int | tuple[int, int] | None = None,
        *,
        background: float = 1.0,
    ) -> Tensor:
        """The model under each texture (N, C, H, W) from each view in turn: (N · views, C, h, w), on a grey.

        `size` is a side or (height, width), by default that in which the network is shown the model. The views are
        those of the first texture, then of the second, and so on; `turntable(n)` goes around the model.
        """
        chosen = [views] if isinstance(views, View) else list(views)
        if not chosen:
            raise ObjectiveError("there is no view from which to show the model")
        shape = (size, size) if isinstance(size, int) else size
        shape = shape or self.shown or (textures.shape[2], textures.shape[3])
        count, channels = textures.shape[:2]
        behind = textures.new_full((len(chosen), channels, *shape), background)
        every = [self._over(texture[None].expand(len(chosen), -1, -1, -1), chosen, behind) for texture in textures]
        return torch.cat(every) if count else behind[:0]

    def _over(self, textures: Tensor, views: Sequence[View], behind: Tensor) -> Tensor:
        rasters = [rasterize(self.mesh, view, (behind.shape[2], behind.shape[3])) for view in views]
        sampled = sample(textures, torch.stack([raster.coordinates for raster in rasters]).to(textures.device))
        mask = torch.stack([raster.mask for raster in rasters])[:, None].to(textures.device)
        return torch.where(mask, sampled, behind)
