"""The figures of Feature Visualization (Olah, Mordvintsev and Schubert, Distill 2017), made anew with another network.

    python examples/feature_visualization.py --output figures [--images FOLDER] [--figure NAME ...] [--steps 256]

Each figure is one picture, with what it shows in its metadata:

enemy             without any regularization: high-frequency noise
families          each family of regularization alone, and all together
spectrum          from no regularization to photographs of the same unit (needs --images)
directions        one gradient of a picture as steepest descent in three norms
objectives        a neuron, a channel, a layer, a class and its probability
diversity         one channel four times: plain seeds above, optimized to differ below
interactions      two units, their sum, and the way from one to the other
units             sixteen channels of a layer, drawn by lot
model             the texture of a sphere, and the sphere from five sides
"""

import argparse
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

import pellucid
from pellucid.activations.images import find_images, load_view, open_image, views
from pellucid.networks import Network
from pellucid.pictures import save_sheet
from pellucid.visualize import (
    Bilateral,
    Fourier,
    Jitter,
    Pixels,
    RandomViews,
    Rotate,
    Scale,
    Texture,
    channel,
    diversity,
    fit_denoiser,
    interpolation,
    layer,
    logit,
    neuron,
    probability,
    render,
    sphere,
    total_variation,
    turntable,
)
from pellucid.visualize.gradients import Blur as BlurGradient
from pellucid.visualize.gradients import Decorrelate
from pellucid.visualize.priors import denoiser_prior

LAYER, UNIT = "blocks.4.1.bn2", 40
CLASS = 985  # daisy
MOVES = (Jitter(8), Scale([0.95, 0.975, 1.0, 1.025, 1.05]), Rotate(range(-5, 6)), Jitter(4))


class Figures:
    """The figures, each a method that gives pictures (N, C, H, W), the number of columns, and what they are."""

    def __init__(self, network: Network, steps: int, images: Path | None) -> None:
        self.network = network
        self.steps = steps
        self.images = images
        self.unit = channel(LAYER, UNIT)

    def draw(self, *objectives, **options) -> Tensor:
        return render(self.network, list(objectives), steps=self.steps, progress=True, **options).images

    def enemy(self) -> tuple[Tensor, int, Sequence[str]]:
        plain = {"canvas": Pixels(), "transforms": ()}
        return torch.cat([self.draw(self.unit, **plain), self.draw(self.unit)]), 2, ["no regularization", "all"]

    def families(self) -> tuple[Tensor, int, Sequence[str]]:
        still, pixels = {"transforms": ()}, {"canvas": Pixels()}
        made = {
            "none": self.draw(self.unit, **still, **pixels),
            "total variation": self.draw(self.unit, **still, **pixels, regularizers=[300 * total_variation()]),
            "blurred gradient": self.draw(self.unit, **still, **pixels, gradients=[BlurGradient(2.0)]),
            "bilateral filter": self.draw(
                self.unit, **still, canvas=Pixels(bounded="clip"), filters=[Bilateral(1.0, 0.2, every=4)]
            ),
            "transformation robustness": self.draw(self.unit, **pixels, transforms=MOVES),
            "decorrelated": self.draw(self.unit, **still),
            "decorrelated and robust": self.draw(self.unit),
        }
        if self.images is not None:
            denoiser = fit_denoiser(self.photographs(64), steps=300, seed=0)
            made["learned prior"] = self.draw(self.unit + denoiser_prior(denoiser, weight=1e-3), **still)
        return torch.cat(list(made.values())), 4, list(made)

    def spectrum(self) -> tuple[Tensor, int, Sequence[str]]:
        photographs = self.photographs(None)
        values = []
        with torch.no_grad():
            for at in range(0, len(photographs), 16):
                maps = self.network.activations(photographs[at : at + 16], [LAYER])[LAYER]
                values.append(maps[:, UNIT].mean(dim=(1, 2)))
        best = photographs[int(torch.cat(values).argmax())][None]
        made = {
            "none": self.draw(self.unit, canvas=Pixels(), transforms=()),
            "weak: small movements": self.draw(self.unit, canvas=Pixels(), transforms=(Jitter(4),)),
            "robust": self.draw(self.unit, canvas=Pixels(), transforms=MOVES),
            "robust and decorrelated": self.draw(self.unit),
            "decay of photographs": self.draw(self.unit, canvas=Fourier(decay=1.5)),
            "a photograph": best,
        }
        return torch.cat(list(made.values())), 6, list(made)

    def directions(self) -> tuple[Tensor, int, Sequence[str]]:
        start = render(self.network, self.unit, steps=16).images  # a start may well have no gradient
        picture = start.clone().requires_grad_()
        value = self.unit(self.network.activations(picture, [LAYER]))
        (gradient,) = torch.autograd.grad(value.sum(), picture)
        steps = [gradient, gradient.sign(), Decorrelate()(gradient)]
        shown = [0.5 + step / (6 * step.std()) for step in steps]
        return torch.cat(shown).clamp(0, 1), 3, ["L2", "L-infinity", "decorrelated"]

    def objectives(self) -> tuple[Tensor, int, Sequence[str]]:
        goals = [neuron(LAYER, UNIT), self.unit, layer(LAYER), logit(CLASS), probability(CLASS)]
        made = [self.draw(goal) for goal in goals]
        return torch.cat(made), 5, ["neuron", "channel", "layer (DeepDream)", "class logit", "class probability"]

    def diversity(self) -> tuple[Tensor, int, Sequence[str]]:
        plain = self.draw(*[self.unit] * 4, seed=[0, 1, 2, 3])
        apart = self.draw(self.unit.copies(4) + 4.0 * diversity(LAYER, 4))
        return torch.cat([plain, apart]), 4, ["seed 0", "seed 1", "seed 2", "seed 3", *["diverse"] * 4]

    def interactions(self) -> tuple[Tensor, int, Sequence[str]]:
        other = channel(LAYER, 100)
        pair = self.draw(self.unit, other, 0.5 * self.unit + 0.5 * other)
        way = self.draw(interpolation(self.unit, other, 5))
        return torch.cat([pair, way]), 4, ["one", "other", "both", *["between"] * 5]

    def units(self) -> tuple[Tensor, int, Sequence[str]]:
        count = self.network.layer("blocks.3.1.bn2").channels
        chosen = sorted(random.Random(1).sample(range(count), 16))
        names = [f"blocks.3.1.bn2:{unit}" for unit in chosen]
        return self.draw(*names), 4, names

    def model(self) -> tuple[Tensor, int, Sequence[str]]:
        canvas = Texture(sphere(), views=RandomViews(distances=(2.0, 3.0)))
        textures = self.draw(self.unit, canvas=canvas, views=2)
        sides = canvas.seen_from(textures, turntable(5))
        return torch.cat([textures, sides]), 3, ["texture", *["from a side"] * 5]

    def photographs(self, limit: int | None) -> Tensor:
        assert self.images is not None
        found = []
        for path in find_images(self.images)[:limit]:
            image = open_image(self.images / path)
            found.append(load_view(image, views(image.size, (1,), self.network.crop)[0], self.network))
        return torch.stack(found)


FIGURES: dict[str, Callable[[Figures], tuple[Tensor, int, Sequence[str]]]] = {
    name: getattr(Figures, name)
    for name in (
        "enemy",
        "families",
        "spectrum",
        "directions",
        "objectives",
        "diversity",
        "interactions",
        "units",
        "model",
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("figures"))
    parser.add_argument("--images", type=Path, help="a folder of photographs, for the figures that need some")
    parser.add_argument("--figure", action="append", choices=FIGURES)
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--suffix", default=".png", choices=[".png", ".webp"])
    given = parser.parse_args()
    figures = Figures(pellucid.load("efficientnet_lite0"), given.steps, given.images)
    for name in given.figure or FIGURES:
        if name == "spectrum" and given.images is None:
            print("spectrum: left out, for want of photographs (--images FOLDER)")
            continue
        images, columns, titles = FIGURES[name](figures)
        about = {"figure": name, "pictures": list(titles), "steps": given.steps, "network": figures.network.name}
        save_sheet(given.output / f"{name}{given.suffix}", images, columns, about)
        print(f"{given.output / name}{given.suffix}: {', '.join(titles)}")


if __name__ == "__main__":
    main()
