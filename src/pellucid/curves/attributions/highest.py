"""A unit's highest and other examples in a dataset, with their attribution."""

from typing import Any

from pellucid.activations.examples import choose
from pellucid.activations.fingerprints import NEAR
from pellucid.curves.attributions.attributor import Attributor, Watched
from pellucid.curves.attributions.examples import AttributedExamples
from pellucid.errors import ImagesError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.study import Study


def attribution_examples(
    network: Network,
    study: Study,
    layer: str,
    unit: int,
    *,
    count: int = 9,
    row: str = "highest",
    previous: str | None = None,
    tap: str | None = None,
    source: Any = None,
    rendered: bool = False,
    crop: int = 96,
    steps: int = 128,
    seed: int = 0,
    progress: bool = False,
) -> AttributedExamples:
    """A unit's examples in a harvested dataset with their attribution, each at the place where the unit saw it.

    `row` is "highest", "lowest" or a quantile, as of `pellucid.activations.examples`. `rendered` adds the picture of
    each attribution (`attribution_picture`). Raises `StudyError` for a layer that was not harvested, `ImagesError` if
    the photographs are gone.
    """
    attributor = Attributor.of(
        network, study, layer, unit, previous, source, crop=crop, rendered=rendered, steps=steps, seed=seed
    )
    tap = tap or attributor.harvested.tap
    photographs = Watched.of(attributor.harvested, crop)
    summary = attributor.harvested.summary(tap)
    with progress_bar(f"attribution of {layer}:{unit}", count, shown=progress) as advance:
        chosen = choose(summary, photographs, layer, [unit], tap, [row], count, NEAR, lambda _: None)[unit].rows[0]
        spots = [photographs.spot(one) for one in chosen.examples]
        found = attributor.examples(chosen.title, chosen.examples, spots, advance)
    if not found.examples:
        raise ImagesError(f"no photograph of {layer}:{unit} in {study.path} could be opened: {chosen.note}")
    return found
