"""Making the stimuli of an experiment: from a network and photographs to pictures and their key on disk."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.activations.manifests import describe_run
from pellucid.activations.sources import open_source
from pellucid.activations.views import ViewPlan
from pellucid.causal.stimuli.config import StimuliConfig, versions
from pellucid.causal.stimuli.image_sets import BINS, ImageSet, extremes, image_sets, top_count
from pellucid.causal.stimuli.optimized import Drawer, Optimized
from pellucid.causal.stimuli.patches import pixels_of
from pellucid.causal.stimuli.photograph_activity import PhotographActivity, PhotographViews, photograph_activity
from pellucid.causal.stimuli.questions import UnitQuestions
from pellucid.causal.stimuli.references import ReferenceMaker, References, blur_stride
from pellucid.causal.stimuli.roles import Asked, assign
from pellucid.causal.stimuli.stimulus import assembled
from pellucid.causal.stimuli.units import Address, Notes, Sample, drawn, drawn_of_all, parse_units
from pellucid.causal.stimuli.written import Pictures
from pellucid.errors import ImagesError, ObjectiveError, StudyError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.study import Study, digest
from pellucid.study.experiments import Stimuli, experiment_folder
from pellucid.study.experiments.settings import write_settings

_FEW = 32  # photographs among which one is sought to which a unit hardly responds


def make_stimuli(
    network: Network,
    units: Sequence[str] | Sample,
    images: Any,
    study: Path | str,
    *,
    name: str,
    config: StimuliConfig | None = None,
    command: str = "",
    progress: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Stimuli:
    """Make the stimuli of an experiment into `experiments/NAME` of a study, or go on where a stopped run ended.

    `units` are addresses, or a `Sample` to be drawn; `images` is whatever `open_source` opens. For each unit there are
    `config.image_sets` image sets; of each the query is scanned with a covered patch, and the pair of patches that
    leaves most and least of the activation is asked about, as in Zimmermann et al. 2021, or, in a two-choice task, a
    strongly and a weakly exciting photograph, as in Borowski et al. 2021. Activations in the key are measured from the
    pictures as they are written. The same arguments give the same `Stimuli.digest()`.

    Everything that takes long is kept in the study. `tell` is called with each note of what was left out or replaced.
    Raises `ObjectiveError` for a unit that does not respond or has no pair within the limits, and `StudyError` where
    the folder holds an experiment of another configuration.
    """
    config = config or StimuliConfig()
    source = open_source(images)
    sample = units if isinstance(units, Sample) else None
    named = () if sample is not None else parse_units(network, list(units))  # type: ignore[arg-type]
    layers = sample.chosen_layers(network) if sample else tuple(dict.fromkeys(layer for layer, _ in named))
    if not layers:
        raise ObjectiveError("an experiment needs at least one unit; name some, such as 'layer:17', or draw a sample")
    opened = Study.create(study, describe_run(network, source, ViewPlan(center=network.crop), command))
    folder = experiment_folder(opened, name)
    asked = {
        "config": asdict(config), "network": network.describe(), "images": _images(source.describe()),
        "units": [f"{layer}:{unit}" for layer, unit in named], "sample": asdict(sample) if sample else None,
    }  # fmt: skip
    asked = json.loads(json.dumps(asked))  # as it is when it is read again
    done = _already(folder, digest(asked))
    if done is not None:
        return done
    activity = photograph_activity(
        opened, source, network, layers, summary=config.summary, batch=config.batch, progress=progress
    )
    notes = Notes(tell=tell)
    for index, reason in sorted(activity.skipped.items()):
        notes.add(f"{source.name(index)} is left out: {reason}")
    run = _Run(network, config, folder, activity, PhotographViews(source, network), notes, progress)
    found = run.all(named, sample, layers)
    stimuli = _finished(run, name, found, asked)
    write_settings(folder)
    stimuli.write(folder)
    return stimuli


@dataclass(frozen=True, eq=False)
class _Unit:
    """A unit that may be asked about: its image sets, those of its weakest photographs, and its weakest photographs."""

    maker: UnitQuestions
    sets: tuple[ImageSet, ...]
    opposite: tuple[ImageSet, ...]
    weakest: tuple[int, ...]

    def ask(self, number: int) -> Asked:
        """The question of an image set."""
        opposite = self.opposite[number] if self.opposite else None
        question = self.maker.ask(self.sets[number], opposite)
        return Asked(self.maker, question, self.sets[number], opposite, self.weakest)


@dataclass(frozen=True, eq=False)
class _Run:
    network: Network
    config: StimuliConfig
    folder: Path
    activity: PhotographActivity
    views: PhotographViews
    notes: Notes
    progress: bool

    @property
    def top(self) -> int:
        """How many photographs image sets are made of."""
        measured = len(self.activity.prints) - len(self.activity.skipped)
        most = self.config.top if self.config.top is not None else top_count(measured, self.config.image_sets)
        if most // BINS < self.config.image_sets or most > measured:
            raise ObjectiveError(
                f"{self.config.image_sets} image sets need {BINS * self.config.image_sets} photographs at least, and "
                f"are to be made of the {most} most extreme of {measured}"
            )
        return most

    def all(self, named: Sequence[Address], sample: Sample | None, layers: Sequence[str]) -> list[Asked]:
        """Everything that is asked, with the roles; the pictures of units are drawn."""
        count = sample.count if sample else len(named)
        total = count * self.config.image_sets + self.config.extra
        with progress_bar("scans", total, shown=self.progress) as advance:
            main, units = self._main(named, sample, layers, advance)
            extra = self._extra(layers, set(units), advance)
        self._draw(main + extra)
        return main + extra

    def _main(
        self, named: Sequence[Address], sample: Sample | None, layers: Sequence[str], advance: Callable[[int], None]
    ) -> tuple[list[Asked], list[Address]]:
        if sample is None:
            return [
                one for address in named for one in self._questions(address, self.config.image_sets, advance)
            ], list(named)
        main: list[Asked] = []
        units: list[Address] = []
        for number, layer in enumerate(layers):
            candidates = drawn(self.network, layer, self.config.seed * 1000 + number)
            for _ in range(sample.per_layer):
                address, found = self._next(candidates, self.config.image_sets, advance)
                if not found:
                    raise ObjectiveError(f"{layer} has no further unit that responds and obeys the limits of a pair")
                main += found
                units.append(address)
        return main, units

    def _extra(self, layers: Sequence[str], without: set[Address], advance: Callable[[int], None]) -> list[Asked]:
        """Stimuli of further units for catch trials, practice and instructions."""
        wanted = self.config.extra
        if not wanted:
            return []
        most = self.top // BINS
        each = min(most, -(-wanted // self.config.extra_units))
        candidates = drawn_of_all(self.network, layers, without, self.config.seed * 1000 + 500)
        found: list[Asked] = []
        while len(found) < wanted:
            _, some = self._next(candidates, min(each, wanted - len(found)), advance)
            if not some:
                raise ObjectiveError(
                    f"{', '.join(layers)} have not enough further units for {wanted} stimuli of catch trials, practice "
                    "and instructions; ask for fewer of these"
                )
            found += some
        return assign(found, self.config, self.notes)

    def _next(
        self, candidates: Iterator[Address], count: int, advance: Callable[[int], None]
    ) -> tuple[Address, list[Asked]]:
        for address in candidates:
            try:
                return address, self._questions(address, count, advance)
            except ObjectiveError as error:
                self.notes.add(f"{address[0]}:{address[1]} is passed over: {error}")
        return ("", -1), []

    def _questions(self, address: Address, count: int, advance: Callable[[int], None]) -> list[Asked]:
        unit = self._unit(address, count, advance)
        return [unit.ask(number) for number in range(count)]

    def _unit(self, address: Address, count: int, advance: Callable[[int], None]) -> _Unit:
        layer, number = address
        values, prints = self.activity.of(layer, number), self.activity.prints
        seed = int(digest([self.config.seed, layer, number])[:8], 16)
        how: dict[str, Any] = {"seed": seed, "near": self.config.near}
        chosen = extremes(values, prints, self.top, **how)
        if len(chosen) < BINS * count:
            raise ObjectiveError(
                f"{layer}:{number} responds to {len(chosen)} of {int(np.isfinite(values).sum())} photographs (near "
                f"duplicates left out), and {count} image sets take {BINS * count}; choose another unit"
            )
        weak = extremes(values, prints, self.top, largest=False, **how)
        weakest = tuple(index for index in weak if index not in chosen)
        opposite = image_sets(weakest, count, seed=seed + 1) if self.config.with_minimal else ()
        maker = UnitQuestions(
            self.network, layer, number, self.views, self.config, self.folder / "made", self.notes, advance
        )
        return _Unit(maker, image_sets(chosen, count, seed=seed), opposite, weakest[:_FEW])

    @property
    def drawer(self) -> Drawer:
        """What draws the optimized references."""
        return Drawer(self.network, self.config, self.folder / "made")

    def optimized(self, one: Asked, minimal: bool) -> Optimized:
        """What is drawn of a unit."""
        values = self.activity.of(one.maker.layer, one.maker.unit)
        return Optimized(one.maker.layer, one.maker.unit, float(np.nanmax(np.abs(values))), minimal)

    def note_weak(self, one: Asked, most: References) -> None:
        """Tell of optimized pictures that excite a unit less than a photograph does: they show it badly."""
        strongest = float(np.nanmax(self.activity.of(one.maker.layer, one.maker.unit)))
        count = most.weaker("optimized", strongest)
        if count and one.images.number == 0:
            self.notes.add(
                f"{count} of the pictures optimized for {one.maker.layer}:{one.maker.unit} excite it less than its "
                "strongest photograph does; give more steps or less diversity"
            )

    def _draw(self, asked: Sequence[Asked]) -> None:
        signs = (False, True) if self.config.with_minimal else (False,)
        wanted = list(dict.fromkeys(self.optimized(one, minimal) for one in asked for minimal in signs))
        self.drawer.draw(wanted, progress=self.progress)
        for one in wanted:
            silent = self.drawer.silent(one)
            if silent:
                kind = "least" if one.minimal else "most"
                self.notes.add(
                    f"no gradient came to {silent} pictures of what excites {one.layer}:{one.unit} {kind}: they show "
                    "nothing"
                )


def _finished(run: _Run, name: str, asked: Sequence[Asked], config: dict[str, Any]) -> Stimuli:
    pictures = Pictures(run.folder, run.config.seed)
    stimuli = []
    with progress_bar("references", len(asked), shown=run.progress) as advance:
        for one in asked:
            drawn_most = run.drawer.pictures(run.optimized(one, False))
            most = ReferenceMaker(one.maker, pictures).of(one.images.references, drawn_most)
            least = None
            if run.config.with_minimal and one.opposite is not None:
                drawn_least = run.drawer.pictures(run.optimized(one, True))
                least = ReferenceMaker(one.maker, pictures, minimal=True).of(one.opposite.references, drawn_least)
            run.note_weak(one, most)
            stimuli.append(assembled(one, most, least, pictures, run.config, run.views.source))
            advance(1)
    size = run.network.size
    shown = {picture for one in stimuli for c in run.config.conditions for picture in one.pictures(c)}
    about = {
        **config, "asked": digest(config), "versions": versions(), "top": run.top, "bins": BINS,
        "patch": pixels_of(run.config.side, size), "blur_stride": blur_stride(run.config, size),
        "notes": run.notes.lines,
    }  # fmt: skip
    files = pictures.prune(shown)
    return Stimuli(
        name, run.config.task, run.network.name, run.config.conditions, size, tuple(stimuli), files, about,
        run.config.seed,
    )  # fmt: skip


def _images(about: dict[str, Any]) -> dict[str, Any]:
    """What makes a source the same one wherever it lies."""
    return {key: about[key] for key in ("kind", "count", "digest") if key in about}


def _already(folder: Path, asked: str) -> Stimuli | None:
    if not (folder / "stimuli.json").is_file():
        return None
    stimuli = Stimuli.read(folder)
    if stimuli.config.get("asked") != asked:
        raise StudyError(
            f"{folder} holds the stimuli of another configuration; give the experiment another name, or remove that "
            "folder"
        )
    missing = [name for name in stimuli.pictures if not (folder / "pictures" / f"{name}.png").is_file()]
    if missing:
        raise ImagesError(
            f"{folder} has lost {len(missing)} of its pictures; remove its stimuli.json to make them again"
        )
    return stimuli
