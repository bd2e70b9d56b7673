"""Path similarity: does a network treat a picture as it treats the natural images that the unit responds to?"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from scipy.stats import rankdata
from torch import Tensor

from pellucid.evaluate.score import Measure, score


@dataclass(frozen=True)
class Paths:
    """Rank correlation of the layers' activations with those of the units' strongest natural images.

    `similarity` is the mean over `layers`, each of which stands in `by_layer`; `examples` natural images of each unit
    are compared with.
    """

    similarity: Measure
    by_layer: tuple[Measure, ...]
    examples: int


def paths(
    pictures: Mapping[str, Tensor],
    natural: Mapping[str, Tensor],
    responses: Tensor,
    owner: Tensor,
    *,
    generator: torch.Generator,
    noise: Mapping[str, Tensor] | None = None,
    examples: int = 8,
) -> Paths:
    """Mean Spearman correlation, layer by layer, between a picture and its unit's strongest natural images.

    `pictures` and `natural` hold for each layer the activations averaged over the map, (N, C) and (M, C); `responses`
    (M, U) are the units on natural images, and `owner` (N,) the unit of each picture. The question and the comparison
    layer by layer are those of the sanity check of Geirhos et al. 2024; the statistic here (pooled maps, Spearman,
    the unit's strongest images) is this package's own, so numbers are not comparable with theirs. Beside it: the
    strongest images of a unit against each other, those of other units, and noise of the pictures' own spectra.
    """
    owner = owner.cpu()
    count = min(examples, len(responses))
    responses = responses.double().cpu()
    strongest = responses.topk(count, dim=0)[1].T  # (U, examples)
    dead = responses.amax(dim=0) == responses.amin(dim=0)
    tables = {
        layer: _correlations(pictures[layer], natural[layer], noise[layer] if noise else None, strongest, owner, dead)
        for layer in pictures
    }
    by_layer = tuple(
        _measure(f"path similarity in {layer}", table, owner, generator) for layer, table in tables.items()
    )
    kinds = next(iter(tables.values()))
    overall = {kind: torch.stack([table[kind] for table in tables.values()]).nanmean(dim=0) for kind in kinds}
    return Paths(_measure("path similarity: mean rank correlation", overall, owner, generator), by_layer, count)


def _correlations(
    pictures: Tensor, natural: Tensor, noise: Tensor | None, strongest: Tensor, owner: Tensor, dead: Tensor
) -> dict[str, Tensor]:
    """For each picture the mean correlation with its unit's strongest images, and the nulls: (N,) each."""
    real = unit_ranks(natural)

    def with_strongest(rows: Tensor) -> Tensor:  # (N, U)
        similar = unit_ranks(rows) @ real.T
        means = torch.stack([similar[:, chosen].mean(dim=1) for chosen in strongest], dim=1)
        return torch.where(dead, torch.nan, means)  # a dead unit has no strongest images

    held = with_strongest(pictures)
    mine = owner[:, None] == torch.arange(len(strongest))[None]
    asked = mine.any(dim=0)
    found = {
        "pictures": held[mine],
        "other units": torch.where(~mine & asked[None], held, torch.nan).nanmean(dim=1),
        "photographs": torch.where(dead, torch.nan, torch.stack([_among(real[chosen]) for chosen in strongest]))[owner],
    }
    if noise is not None:
        found["noise"] = with_strongest(noise)[mine]
    return found


def _measure(name: str, table: dict[str, Tensor], owner: Tensor, generator: torch.Generator) -> Measure:
    scores = {kind: score(values, owner, generator=generator) for kind, values in table.items()}
    return Measure(name, scores.pop("pictures"), scores)


def unit_ranks(rows: Tensor) -> Tensor:
    """Ranks of each row, tied ones averaged, without their mean and of unit length: products are correlations."""
    ranks = torch.from_numpy(rankdata(rows.detach().double().cpu().numpy(), axis=1))
    return F.normalize(ranks - ranks.mean(dim=1, keepdim=True), dim=1)


def _among(rows: Tensor) -> Tensor:
    count = len(rows)
    if count < 2:
        return torch.tensor(torch.nan, dtype=rows.dtype)
    return ((rows @ rows.T).sum() - rows.square().sum()) / (count * (count - 1))
