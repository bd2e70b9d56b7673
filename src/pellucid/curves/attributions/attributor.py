"""Attributing places of a harvested dataset's photographs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.activations.crops import placed
from pellucid.activations.harvested import Harvested, check_units
from pellucid.activations.images import load_view
from pellucid.activations.items import view_of
from pellucid.activations.photographs import Photographs, Shown, Spot
from pellucid.activations.views import Box
from pellucid.curves.attributions.examples import AttributedExample, AttributedExamples
from pellucid.curves.attributions.heatmaps import Fields, cut_out, drawn_over, heat
from pellucid.curves.attributions.linear import LinearAttribution
from pellucid.curves.attributions.passes import previous_layer
from pellucid.curves.attributions.pictures import attribution_picture
from pellucid.curves.attributions.splitting import linear_attribution
from pellucid.errors import StudyError
from pellucid.networks import Network
from pellucid.pictures import Pixels
from pellucid.study import Study


@dataclass(frozen=True)
class Watched(Photographs):
    """Photographs that remember which place each of their pictures shows."""

    places: list[tuple[Shown, Spot]] = field(default_factory=list)

    @classmethod
    def of(cls, harvested: Harvested, crop: int) -> "Watched":
        """The photographs of a harvest, shown as crops alone."""
        plain = harvested.photographs(crop, 0)
        return cls(plain.source, plain.plan, plain.receptive_field, plain.crop, plain.context, plain.prints)

    def show(self, spots: Sequence[Spot], advance: Callable[[int], None]) -> list[Shown]:
        """The pictures of some places."""
        found = super().show(spots, advance)
        self.places.extend(zip(found, spots, strict=True))
        return found

    def spot(self, shown: Shown) -> Spot:
        """The place that a picture shows."""
        return next(spot for one, spot in self.places if one is shown)


@dataclass(frozen=True)
class Attributor:
    """Attributes places of a harvested layer's photographs, one batch after the other.

    `rendered` says whether pictures of the attribution are wanted, which take long: `steps` and `seed` are theirs.
    """

    network: Network
    harvested: Harvested
    layer: str
    unit: int
    previous: str
    crop: int
    rendered: bool = False
    steps: int = 128
    seed: int = 0
    batch: int = 16

    @classmethod
    def of(
        cls, network: Network, study: Study, layer: str, unit: int, previous: str | None, source: Any, **options: Any
    ) -> "Attributor":
        """Open a harvested layer for a unit. Raises `StudyError` if it was not harvested, or from another network."""
        harvested = Harvested.read(study, layer, source)
        check_units(layer, [unit], harvested.record.units)
        about = study.manifest.network
        if about.get("weights_sha256") not in (None, network.digest):
            raise StudyError(
                f"the study in {study.path} is of {about.get('name')} with other weights than {network.name} has here; "
                "give the network that was harvested"
            )
        shape = harvested.record.input
        chosen = previous or previous_layer(network, layer, unit, size=(shape[0], shape[1]))
        return cls(network, harvested, layer, unit, chosen, **options)

    def examples(
        self, title: str, shown: Sequence[Shown], spots: Sequence[Spot], advance: Callable[[int], None]
    ) -> AttributedExamples:
        """Attribute places that are shown. What could not be opened is left out."""
        found: list[AttributedExample] = []
        through: tuple[str, ...] = ()
        pairs = [(one, spot) for one, spot in zip(shown, spots, strict=True) if not one.error]
        fields = self._fields() if pairs else None
        for at in range(0, len(pairs), self.batch):
            some = pairs[at : at + self.batch]
            images = torch.stack([self._image(one, spot) for one, spot in some])
            places = [one.place for one, _ in some]
            part = linear_attribution(
                self.network, self.layer, self.unit, images, previous=self.previous, position=places, batch=self.batch
            )
            through = max(through, part.through, key=len)
            assert fields is not None
            found += self._shown(part, images, [one for one, _ in some], fields)
            advance(len(some))
        return AttributedExamples(title, self.layer, self.unit, self.previous, through, tuple(found))

    def _fields(self) -> Fields:
        height, width = self.harvested.record.input
        return Fields.of(self.network, self.layer, self.previous, (height, width))

    def _image(self, shown: Shown, spot: Spot) -> Tensor:
        """The view of the photograph that the network saw."""
        photograph = self.harvested.source.open(spot.image, self.network.channels)
        photographs = self.harvested.photographs(0, 0)
        view = photographs.plan.boxes(photograph.size, shown.name)[view_of(spot.item)]
        height, width = self.harvested.record.input
        return load_view(photograph, view, self.network, (height, width))

    def _shown(
        self, part: LinearAttribution, images: Tensor, shown: Sequence[Shown], fields: Fields
    ) -> Iterator[AttributedExample]:
        maps, numbers = heat(part, fields), part.rows()
        rendered = boxes = None
        if self.rendered:
            pictures = attribution_picture(
                self.network, part, images, within="field", steps=self.steps, seed=self.seed, batch=self.batch
            )
            rendered, boxes = pictures.pixels(), pictures.boxes
        for index, one in enumerate(shown):
            seen, row = fields.box(one.place), numbers[index]
            values = cut_out(maps[index].cpu().numpy(), seen, self.crop)
            coloured = drawn_over(one.crop, values, least=float(part.noticed[index]))
            drawn = None
            if rendered is not None and boxes is not None:
                drawn = _cut_from(rendered[index], boxes[index], seen, self.crop)
            yield AttributedExample(
                one, row["sum"], row["constant"], row["pre"], row["difference"], part.of(index).exact,
                part.channels[index], coloured, drawn,
            )  # fmt: skip


def _cut_from(picture: Pixels, box: Box, seen: Box, side: int) -> Pixels:
    """What a rendered picture of one box shows of another, square as the crops are, transparent beyond."""
    moved = (seen.left - box.left, seen.top - box.top, seen.right - box.left, seen.bottom - box.top)
    part = Image.fromarray(picture).crop(moved)
    left, top, right, bottom = (round(share * side) for share in placed(seen))
    square = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    square.paste(part.resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.BICUBIC), (left, top))
    return np.asarray(square)
