"""How stimuli are made."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from pellucid.activations.fingerprints import NEAR
from pellucid.causal.stimuli.activity import Summary
from pellucid.causal.stimuli.image_sets import BINS
from pellucid.causal.stimuli.pairs import check_limits
from pellucid.causal.stimuli.patches import FILLS, Fill
from pellucid.causal.stimuli.scan import BATCH
from pellucid.errors import ObjectiveError
from pellucid.study.experiments import CONDITIONS

REFERENCES = BINS - 1  # pictures in a grid
MIXED = 4  # of these are optimized in the condition "mixed"


@dataclass(frozen=True)
class StimuliConfig:
    """All choices but the network, the units and the photographs; the defaults are those of Zimmermann et al. 2021.

    `side` of the patch as a share of the picture's shorter side or in pixels, `stride` in pixels, `fill` what covers
    it; `min_difference` and `max_overlap` are what a pair of queries must obey (published: any pair). `top` photographs
    make the image sets, by default `image_sets.top_count`. `blur_stride` is that of the search for the patch that stays
    sharp in "natural_blur", by default the larger of `stride` and a quarter of the patch. Pictures are optimized for
    `steps`, `diversity` weighing their difference in shares of the unit's largest natural activation (published: 2,560
    steps, and another scale). `minimal` adds references that excite the unit least, which a two-choice task always has.
    `catch`, `practice`, `obvious` and `instruction` are numbers of stimuli of each role, made from `extra_units` units.
    """

    task: str = "counterfactual"
    conditions: tuple[str, ...] = CONDITIONS
    image_sets: int = 10
    side: float = 0.4
    stride: int = 2
    fill: Fill = "mean"
    summary: Summary = "mean"
    min_difference: float = 0.0
    max_overlap: float = 1.0
    top: int | None = None
    near: int | None = NEAR
    blur_stride: int | None = None
    steps: int = 512
    diversity: float = 1.0
    minimal: bool = False
    catch: int = 3
    practice: int = 7
    obvious: int = 3
    instruction: int = 2
    extra_units: int = 4
    batch: int = BATCH
    seed: int = 0

    def __post_init__(self) -> None:
        check_limits(self.min_difference, self.max_overlap)
        if self.fill not in FILLS:
            raise ObjectiveError(f"a patch is filled with {', '.join(FILLS)}, not {self.fill!r}")
        if self.task not in ("counterfactual", "two_choice"):
            raise ObjectiveError(f"a task is 'counterfactual' or 'two_choice', not {self.task!r}")
        strange = [name for name in self.conditions if name not in CONDITIONS]
        if strange or not self.conditions or len({*self.conditions}) < len(self.conditions):
            raise ObjectiveError(
                f"conditions {', '.join(self.conditions) or 'none'}: give some of {', '.join(CONDITIONS)}, each once"
            )
        counts = (self.catch, self.practice, self.obvious, self.instruction, self.steps, self.diversity)
        if min(counts) < 0 or min(self.image_sets, self.extra_units, self.batch) < 1:
            raise ObjectiveError(
                "image_sets, extra_units and batch must be positive; steps, diversity, catch, practice, obvious and "
                "instruction must not be negative"
            )

    @property
    def extra(self) -> int:
        """The number of stimuli that are no main trials."""
        return self.catch + self.practice + self.obvious + self.instruction

    @property
    def with_minimal(self) -> bool:
        """Whether there are references that excite the unit least."""
        return self.minimal or self.task == "two_choice"


def versions() -> dict[str, str]:
    """The versions of what decides over pictures and activations."""
    found = {}
    for name in ("pellucid", "torch", "timm", "numpy", "pillow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a source tree that was never installed
            found[name] = "unknown"
    return found
