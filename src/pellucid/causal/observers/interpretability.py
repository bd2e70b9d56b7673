"""The Machine Interpretability Score: can a machine tell from extreme images of a unit which of two others is which?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pellucid.activations.images import find_images, load_view, open_image, views
from pellucid.causal.observers.probability import TEMPERATURE, Form, choice_probability
from pellucid.causal.observers.similarity import Features, pooled
from pellucid.errors import ImagesError, StudyError
from pellucid.networks import Network, frozen, read
from pellucid.progress import progress_bar

_ALIVE = 1e-8  # a unit whose activations differ by less is left out


@dataclass(frozen=True)
class Interpretability:
    """One unit: the mean probability of the right answer, the share of right answers, and each task's evidence.

    `score` and `accuracy` are None for a unit that responds to all images alike.
    """

    unit: int
    score: float | None
    accuracy: float | None
    evidence: tuple[float, ...]


@dataclass(frozen=True)
class MachineInterpretability:
    """Scores of units, with what they hang on: `references` of each kind in a task, tasks, temperature and its form."""

    units: tuple[Interpretability, ...]
    references: int
    tasks: int
    temperature: float
    form: Form

    @property
    def score(self) -> float | None:
        """The mean over the units that are alive."""
        return _mean([one.score for one in self.units if one.score is not None])

    @property
    def accuracy(self) -> float | None:
        """The share of right answers over the units that are alive."""
        return _mean([one.accuracy for one in self.units if one.accuracy is not None])


@dataclass(frozen=True, eq=False)
class Tasks:
    """Images by number: `strong` and `weak` queries (N,), `positive` and `negative` references (N, K) of each task."""

    strong: Tensor
    weak: Tensor
    positive: Tensor
    negative: Tensor


def spread_tasks(responses: Tensor, references: int, tasks: int, generator: torch.Generator) -> Tasks:
    """The tasks of one unit with activations `responses` (M,), K = `references` and N = `tasks`.

    Of the N·(K + 1) most and least activating images the N·K most extreme are references, the others queries. By rank
    the references are cut in K levels of N images, and each task gets one image of each level, drawn by `generator`
    (Zimmermann, Klindt and Brendel 2024). Raises `StudyError` if both ends would overlap.
    """
    wanted = tasks * (references + 1)
    if references < 1 or tasks < 1 or 2 * wanted > len(responses):
        raise StudyError(
            f"{tasks} tasks with {references} references of each kind need {2 * wanted} images, and there are "
            f"{len(responses)}: ask for fewer tasks or references"
        )
    order = responses.argsort(stable=True)

    def end(ranked: Tensor) -> tuple[Tensor, Tensor]:
        levels = ranked[: tasks * references].view(references, tasks)
        mixed = [level[torch.randperm(tasks, generator=generator)] for level in levels]
        return ranked[tasks * references : wanted], torch.stack(mixed, dim=1)

    strong, positive = end(order.flip(0))
    weak, negative = end(order)
    return Tasks(strong, weak[torch.randperm(tasks, generator=generator)], positive, negative)


def machine_interpretability(
    features: Tensor,
    responses: Tensor,
    *,
    generator: torch.Generator,
    references: int = 9,
    tasks: int = 20,
    temperature: float = TEMPERATURE,
    form: Form = "divide",
    optimized: Mapping[int, Tensor] | None = None,
) -> MachineInterpretability:
    """The score of units by `features` of images (M, F), unit vectors, and the units' activations (M, U).

    For a task with queries q+ and q- and references E+ and E-, with s(q, E) the mean cosine of a query to references:
    D± = s(q±, E+) - s(q±, E-), p = sigmoid((D+ - D-) / temperature), and the score is the mean of p over the tasks
    (Zimmermann, Klindt and Brendel 2024). `form="multiply"` is sigmoid(temperature · (D+ - D-)), as printed there;
    see `choice_probability`. The share of tasks with D+ > D-, a tie counting half, stands beside it and hangs on no
    temperature. `optimized` has for units by number features (K, F) of visualizations that take the place of E+; the
    natural E- stay. Units whose activations differ by less than 1e-8 have no score.
    """
    features, responses = features.detach().double().cpu(), responses.detach().double().cpu()
    if features.ndim != 2 or responses.ndim != 2 or len(features) != len(responses):
        raise StudyError(
            f"features {tuple(features.shape)} and activations {tuple(responses.shape)} must have a row for each image"
        )
    made = []
    for unit, column in enumerate(responses.T):
        if not bool(column.amax() - column.amin() >= _ALIVE):
            made.append(Interpretability(unit, None, None, ()))
            continue
        of = spread_tasks(column, references, tasks, generator)
        shown = features[of.positive].mean(dim=1)  # (N, F); the mean of cosines is the cosine with the mean
        if optimized is not None and unit in optimized:
            shown = optimized[unit].detach().double().cpu().mean(dim=0).expand_as(shown)
        contrast = shown - features[of.negative].mean(dim=1)
        evidence = ((features[of.strong] - features[of.weak]) * contrast).sum(dim=1).tolist()
        chances = [choice_probability(one, temperature, form) for one in evidence]
        right = [0.5 if one == 0 else float(one > 0) for one in evidence]
        made.append(Interpretability(unit, _mean(chances), _mean(right), tuple(evidence)))
    return MachineInterpretability(tuple(made), references, tasks, temperature, form)


@dataclass(frozen=True, eq=False)
class ReadPhotographs:
    """Features (M, F) of photographs and the units' activations (M, U), and which files could not be read."""

    features: Tensor
    responses: Tensor
    paths: tuple[str, ...]
    skipped: dict[str, str]


def read_photographs(
    network: Network,
    layer: str,
    folder: Path,
    features: Features,
    *,
    units: Sequence[int] | None = None,
    batch: int = 16,
    progress: bool = False,
) -> ReadPhotographs:
    """What a unit's network and an observer's features make of the central view of each photograph of a folder.

    Activations are averaged over the map; `units` of the layer are all of it by default. One pass of either network for
    each photograph.
    """
    network.layer(layer).check()
    rows: list[Tensor] = []
    seen: list[Tensor] = []
    paths: list[str] = []
    skipped: dict[str, str] = {}
    names = find_images(folder)
    with progress_bar("photographs", len(names), shown=progress) as advance:
        for start in range(0, len(names), batch):
            own, others = [], []
            for name in names[start : start + batch]:
                try:
                    found = [_view(folder / name, one) for one in (network, features.network)]
                except ImagesError as error:
                    skipped[name] = str(error)
                    continue
                own.append(found[0])
                others.append(found[1])
                paths.append(name)
            if own:
                images = torch.stack(own).to(network.device, network.dtype)
                with torch.no_grad(), frozen(network.module):
                    rows.append(pooled(read(network, images, [layer])[layer]))
                seen.append(features.of(torch.stack(others)))
            advance(len(names[start : start + batch]))
    if not rows:
        raise StudyError(f"no photograph of {folder} could be read")
    responses = torch.cat(rows)
    return ReadPhotographs(
        torch.cat(seen), responses if units is None else responses[:, list(units)], tuple(paths), skipped
    )


def _view(path: Path, network: Network) -> Tensor:
    image = open_image(path, network.channels)
    return load_view(image, views(image.size, (1.0,), network.crop)[0], network)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
