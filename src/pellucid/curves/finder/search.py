"""The search for curve detectors through the layers of a network, and through networks without structure beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pellucid.activations.batches import Decoder, Geometry, decoded
from pellucid.activations.manifests import describe_run
from pellucid.activations.sources import Source, open_source
from pellucid.activations.views import ViewPlan
from pellucid.curves.finder.confirming import confirm
from pellucid.curves.finder.found import Found, Judged
from pellucid.curves.finder.measuring import JUDGED, LayerMeasures, measure
from pellucid.curves.finder.record import found_record
from pellucid.curves.finder.stages import Arrays, Stages, bank_digest
from pellucid.curves.finder.survey import Best, Survey, survey
from pellucid.curves.nulls import NULLS, null_network
from pellucid.curves.responses import alike, respond
from pellucid.curves.rule import Thresholds, judge
from pellucid.curves.scales import Scale
from pellucid.curves.sight import Sight, sights
from pellucid.curves.stimuli import Bank, standard_bank
from pellucid.errors import PellucidError
from pellucid.networks import Network, rectified_layers
from pellucid.networks.hastened import hastened
from pellucid.progress import progress_bar
from pellucid.study import Study, write_json

_WIDE = 1.5  # the diameters of layers that are shown the same bank differ by less than this factor
_FITTED = 64  # images that batch normalizations of null networks are fitted to
_FITTED_TOGETHER = 16
Plans = Sequence[tuple[Bank, Mapping[str, Sight]]]
"""Banks with the layers that are shown them."""


@dataclass(frozen=True)
class FinderConfig:
    """How the finder searches.

    Curves are shown at so many `orientations`. Each kind of `nulls` is searched `rounds` times with other seeds; their
    scales come from `null_images` of the images. `natural` says whether mature curve detectors are confirmed by rotated
    photographs, of which `examples` are taken for each unit, every `step` degrees.
    """

    orientations: int = 48
    nulls: tuple[str, ...] = ("permuted", "shuffled")
    rounds: int = 1
    null_images: int = 200
    natural: bool = True
    examples: int = 6
    step: float = 15.0
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [name for name in self.nulls if name not in NULLS]
        if unknown:
            raise PellucidError(f"there is no null {unknown[0]!r}; there are {', '.join(NULLS)}")
        if self.orientations < 8 or self.orientations % 2 or min(self.rounds, self.null_images, self.examples) < 1:
            raise PellucidError(
                f"orientations = {self.orientations} must be even and 8 or more; rounds, null images and examples at "
                "least 1"
            )


def find_curves(
    network: Network,
    images: Source | Path | str,
    layers: Sequence[str] | None = None,
    *,
    config: FinderConfig | None = None,
    thresholds: Thresholds | None = None,
    study: Path | str | None = None,
    command: str = "",
    workers: int = 1,
    progress: bool = False,
) -> Found:
    """Find curve detectors, their early forms, lines and double curves in the layers of a network.

    Each layer, by default every one whose output comes out of a rectifier (`rectified_layers`), is shown curves, lines,
    angles, rings, gratings and noise (`standard_bank`), scaled to what its units see and centred there; its units'
    strengths are in standard deviations of their activations on the `images`, and the rule (`judge`), frozen before it
    was run on any real network, says what each is. The same is done with null networks (`null_network`), whose numbers
    stand beside, and every mature curve detector is confirmed, or not, by rotated photographs.

    In a `study`, new or of the same network, a search that was interrupted goes on where it stopped, and the result is
    written to `curves/found.json` (`found_record`), made by `command`. Raises `LayerError` for a layer without maps,
    `ImagesError` without a usable image, `StudyError` for a study of another network.
    """
    config, rule = config or FinderConfig(), thresholds or Thresholds()
    source = images if isinstance(images, Source) else open_source(images)
    names = list(layers) if layers else rectified_layers(network, maps=True)
    about = describe_run(network, source, ViewPlan(center=network.crop), command)
    opened = None if study is None else Study.create(study, replace(about, images={}))
    stages = Stages(None if opened is None else opened.path / "curves" / "parts")
    seen = sights(network, names, seed=config.seed)
    plans = banks(seen, config.orientations)
    asked = [(bank.take(bank.where(kind=JUDGED)), those) for bank, those in plans]  # null networks see no more
    rounds = [(kind, seed) for kind in config.nulls for seed in range(config.rounds)]
    some = np.linspace(0, len(source) - 1, min(config.null_images, len(source))).astype(int).tolist()
    total = len(source) + _stimuli(plans) + len(rounds) * (len(some) + _stimuli(asked))
    with progress_bar(f"searching {network.name}", total, shown=progress) as advance:
        search = _Search(source, seen, stages, rule, config, workers, advance)
        judged, surveys = search.judged(network, plans, range(len(source)))
        nulls: dict[str, tuple[Judged, ...]] = {}
        batches = list(_batches(network, source, some[:: max(1, len(some) // _FITTED)])) if rounds else []
        for kind, seed in rounds:
            null = null_network(network, kind, batches, seed=config.seed + seed)
            nulls[f"{kind} {config.seed + seed}"] = search.judged(null, asked, some)[0]
    confirmations = {}
    if config.natural:
        confirmations = confirm(
            network, source, judged, surveys, seen, rule, examples=config.examples, step=config.step, stages=stages,
            progress=progress,
        )  # fmt: skip
    found = Found(
        network.name,
        judged,
        nulls,
        confirmations,
        about={
            "network": about.network,
            "images": about.images,
            "config": asdict(config),
            "thresholds": asdict(rule),
            "sights": {name: _described(sight) for name, sight in seen.items()},
            "command": command,
        },
    )
    if opened is not None:
        write_json(opened.path / "curves" / "found.json", found_record(found))
        stages.clear()
    return found


def banks(seen: Mapping[str, Sight], orientations: int) -> Plans:
    """The standard banks that layers are shown, each with its layers: those that look alike share one."""
    plans: list[tuple[Bank, dict[str, Sight]]] = []
    for group in alike(seen.values()):
        together: list[Sight] = []
        for sight in sorted(group, key=lambda one: one.diameter):
            if together and sight.diameter > _WIDE * together[0].diameter:
                plans.append(_plan(together, orientations))
                together = []
            together.append(sight)
        plans.append(_plan(together, orientations))
    return plans


def _stimuli(plans: Plans) -> int:
    return sum(len(bank) for bank, _ in plans)


def _plan(together: Sequence[Sight], orientations: int) -> tuple[Bank, dict[str, Sight]]:
    diameter = float(np.exp(np.mean([np.log(sight.diameter) for sight in together])))
    return standard_bank(diameter, orientations=orientations), {sight.layer: sight for sight in together}


@dataclass(frozen=True)
class _Search:
    """The search of one network after the other with the same stimuli."""

    source: Source
    seen: Mapping[str, Sight]
    stages: Stages
    rule: Thresholds
    config: FinderConfig
    workers: int
    advance: Any

    def judged(
        self, network: Network, plans: Plans, images: Sequence[int]
    ) -> tuple[tuple[Judged, ...], dict[str, Survey]]:
        """The layers of a network, with scales from images of these numbers."""
        with hastened(network, list(self.seen)) as quick:
            return self._judged(quick, network.digest, plans, images)

    def _judged(
        self, network: Network, weights: str, plans: Plans, images: Sequence[int]
    ) -> tuple[tuple[Judged, ...], dict[str, Survey]]:
        surveys = self._surveys(network, weights, images)
        judged: dict[str, Judged] = {}
        for bank, layers in plans:
            stage = [
                "responses",
                weights,
                bank_digest(bank.columns()),
                [_described(one) for one in layers.values()],
            ]
            responses = self.stages.get(stage, lambda bank=bank, layers=layers: respond(network, bank, layers))
            self.advance(len(bank))
            for layer in layers:
                judged[layer] = judge_layer(layer, measure(responses[layer], bank, surveys[layer].scale), self.rule)
        return tuple(judged[layer] for layer in self.seen), surveys

    def _surveys(self, network: Network, weights: str, images: Sequence[int]) -> dict[str, Survey]:
        stage = ["survey", weights, self.source.describe(), list(images), list(self.seen), self.config.examples]
        told = 0

        def count(amount: int) -> None:
            nonlocal told
            told += amount
            self.advance(amount)

        def make() -> Arrays:
            found = survey(
                network, self.source, list(self.seen), images=images, examples=self.config.examples,
                workers=self.workers, advance=count,
            )  # fmt: skip
            return {f"{layer}|{name}": values for layer, one in found.items() for name, values in _arrays(one).items()}

        kept = self.stages.get(stage, make)
        self.advance(len(images) - told)
        return {layer: _survey({name: kept[f"{layer}|{name}"] for name in _NAMES}) for layer in self.seen}


def judge_layer(layer: str, measures: LayerMeasures, rule: Thresholds) -> Judged:
    """Apply the rule to all units of a layer."""
    verdicts = tuple(judge(measured, rule) for measured in measures.measured(list(range(measures.units))))
    return Judged(layer, measures, verdicts)


def _batches(network: Network, source: Source, numbers: Sequence[int]) -> Iterator[torch.Tensor]:
    """Images as the network takes them, some at a time; what cannot be read is left out."""
    decoder = Decoder(source, ViewPlan(center=network.crop), Geometry.of(network))
    views = [one.views[0] for one in decoded(decoder, list(numbers)) if one.views is not None]
    for at in range(0, len(views), _FITTED_TOGETHER):
        yield torch.stack(views[at : at + _FITTED_TOGETHER]).to(network.device, network.dtype) / 255


_NAMES = ("mean", "deviation", "fires", "positions", "images", "places", "values")


def _arrays(one: Survey) -> dict[str, np.ndarray]:
    scale, best = one.scale, one.best
    parts = (
        scale.mean, scale.deviation, scale.fires, np.array(scale.positions), best.images, best.positions, best.values,
    )  # fmt: skip
    return dict(zip(_NAMES, parts, strict=True))


def _survey(arrays: Mapping[str, np.ndarray]) -> Survey:
    mean, deviation, fires, positions, *best = (arrays[name] for name in _NAMES)
    return Survey(Scale(mean, deviation, fires, int(positions)), Best(*best))


def _described(sight: Sight) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(sight).items()}
