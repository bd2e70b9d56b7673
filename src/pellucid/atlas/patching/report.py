"""What trials of patches say: rates and rises of logits for each patch, size and corner, and over all of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.patching.compositing import CORNERS
from pellucid.atlas.patching.intervals import (
    Floats,
    crossed_bootstrap,
    image_bootstrap,
    mcnemar,
    sign_flips,
    wilson,
)
from pellucid.atlas.patching.trials import Trials
from pellucid.errors import AtlasError

Row = dict[str, Any]
Bools = NDArray[np.bool_]


def report(trials: Trials, *, resamples: int = 2000, seed: int = 0) -> dict[str, Any]:
    """The tables of trials, as the content of a page says them.

    Rows hold, for a picture at a size in a corner: `images`, all that were tried; `correct`, those that were taken for
    what they are without it; of these `changed`, taken for something else with it, and `to_target`, taken for the
    target; `rate`, `to_target` over `correct`, with Wilson's interval `low` and `high`; `control_rate` that of the
    control in the same place and `p` McNemar's exact test of the two; `logit`, the mean rise of the target's logit over
    all images, with its bootstrap interval, and `also` the same for the other watched classes.

    - `table`: each patch, and the control, at each size in each corner
    - `best`: for each, the size and corner that are best for each image (dynamic mode)
    - `consistent`: for each, one size and corner for all images, chosen on one half of them and counted on the other
    - `overall`: all patches, sizes and corners together against the control: intervals of differences draw photographs
      and patches again, p is of a test that exchanges both on whole photographs
    - `controls`: the same of every control; `difference`, from `difference_low` to `difference_high`, is the patches'
      rise less this control's

    Dynamic rates of patch and control both profit from the choice, and are to be compared only with each other.
    Raises `AtlasError` if there is no control.
    """
    if len(trials.names) == trials.patches:
        raise AtlasError("patches are compared with a control; leave one at least")
    found = _Report(trials, resamples, seed)
    return {
        "table": found.table(),
        "best": [found.best(index) for index in range(trials.patches + 1)],
        "consistent": [found.consistent(index) for index in range(trials.patches + 1)],
        "overall": found.overall(),
        "controls": [found.control(index) for index in range(trials.patches, len(trials.names))],
    }


@dataclass(frozen=True)
class _Report:
    trials: Trials
    resamples: int
    seed: int

    @property
    def success(self) -> Bools:
        """Taken for the target, among the images that are counted: (X, S, K, n)."""
        return np.asarray(self.trials.top == self.trials.target)[..., self.trials.correct]

    @property
    def changed(self) -> Bools:
        """Taken for something else than before, among the images that are counted: (X, S, K, n)."""
        return np.asarray(self.trials.top != self.trials.bare_top)[..., self.trials.correct]

    def table(self) -> list[Row]:
        """A row for each patch and the control, at each size in each corner."""
        trials, success, changed = self.trials, self.success, self.changed
        rises = np.moveaxis(trials.rise[: trials.patches + 1], -1, 0)  # (W, X, S, K, N)
        low, high = image_bootstrap(rises, resamples=self.resamples, seed=self.seed)
        rows = []
        for index, size, corner in np.ndindex(success.shape[0], success.shape[1], success.shape[2]):
            if index > trials.patches:
                break
            control = success[trials.patches, size, corner] if index < trials.patches else None
            at = (index, size, corner)
            rows.append(
                {
                    "patch": trials.names[index],
                    "size": trials.sizes[size],
                    "corner": CORNERS[trials.corners[corner]],
                    **self._counted(success[at], changed[at], control),
                    **self._raised(
                        [(float(rises[(w, *at)].mean()), low[(w, *at)], high[(w, *at)]) for w in range(len(rises))]
                    ),
                }
            )
        return rows

    def best(self, index: int) -> Row:
        """The size and corner that suit each image best: for the logits those of the greatest rise."""
        patches = self.trials.patches
        success, changed = (np.asarray(np.any(each, axis=(1, 2))) for each in (self.success, self.changed))
        control = success[patches] if index < patches else None
        rises = self.trials.rise[index].max(axis=(0, 1)).T  # (W, N)
        return {
            "patch": self.trials.names[index],
            "size": None,
            "corner": None,
            **self._counted(success[index], changed[index], control),
            **self._means(rises),
        }

    def consistent(self, index: int) -> Row:
        """One size and corner for all images, chosen on the images of even number for the odd ones and back."""
        patches = self.trials.patches
        chosen = {which: self._choices(which) for which in {index, patches}}
        number = np.arange(len(self.trials.place))
        rises = self._taken(self.trials.rise[index], chosen[index], number).T
        counted = np.flatnonzero(self.trials.correct)
        success = self._taken(self.success[index], chosen[index], counted)
        changed = self._taken(self.changed[index], chosen[index], counted)
        control = self._taken(self.success[patches], chosen[patches], counted) if index < patches else None
        size, corner = np.unravel_index(int(self._score(index, number).argmax()), self.success.shape[1:3])
        return {
            "patch": self.trials.names[index],
            "size": self.trials.sizes[size],
            "corner": CORNERS[self.trials.corners[corner]],
            **self._counted(success, changed, control),
            **self._means(rises),
        }

    def overall(self) -> Row:
        """All patches against the control."""
        trials = self.trials
        patches, control = trials.patches, trials.patches
        said = self._against(control)
        success = self.success.mean(axis=(1, 2))  # (X, n)
        count = int(trials.correct.sum())
        differences = success[:patches] - success[control]
        draws = {"resamples": self.resamples, "seed": self.seed}
        low, high = crossed_bootstrap(differences, **draws) if differences.any() else self._nothing(count)
        return {
            "patch": self._whole(list(range(patches))),
            "control": self._whole([control]),
            **said,
            "rate_difference": _number(differences.mean()) if count else 0.0,
            "rate_low": _number(low),
            "rate_high": _number(high),
            "rate_p": sign_flips(differences.mean(axis=0), **draws) if count else 1.0,
        }

    def control(self, index: int) -> Row:
        """One control over all sizes and corners, and how much more the patches raise the target's logit."""
        against = self._against(index)
        ends = {"difference_low": against.pop("low"), "difference_high": against.pop("high")}
        return {"name": self.trials.names[index], **self._whole([index]), **against, **ends}

    def _nothing(self, count: int) -> tuple[float, float]:
        """How large a difference can be of which none was seen; the bootstrap would say 0."""
        reach = wilson(0.0, count)[1]
        return -reach, reach

    def _against(self, control: int) -> Row:
        """The difference of the patches' rises to a control's, also for the other watched classes."""
        trials = self.trials
        rises = trials.rise.mean(axis=(1, 2))  # (X, N, W)
        draws = {"resamples": self.resamples, "seed": self.seed}
        found = []
        for which in range(len(trials.watched)):
            differences = rises[: trials.patches, :, which] - rises[control, :, which]
            low, high = crossed_bootstrap(differences, **draws)
            p = sign_flips(differences.mean(axis=0), **draws)
            found.append([_number(differences.mean()), _number(low), _number(high), p])
        difference, low, high, p = found[0]
        also = [[label, *rest] for label, rest in zip(trials.watched[1:], found[1:], strict=True)]
        return {"difference": difference, "low": low, "high": high, "p": p, "differences": also}

    def _whole(self, of: list[int]) -> Row:
        """Measures of some pictures over all sizes and corners; intervals take each photograph as one trial."""
        success = self.success[of].mean(axis=(0, 1, 2))
        correct = int(self.trials.correct.sum())
        rate = float(success.mean()) if correct else 0.0
        low, high = wilson(rate, correct)
        trials = self.success[of].size
        counts = {"trials": trials, "changed": int(self.changed[of].sum()), "to_target": int(self.success[of].sum())}
        rises = self.trials.rise[of].mean(axis=(0, 1, 2)).T
        return {
            "images": len(self.trials.place),
            "correct": correct,
            **counts,
            "rate": _number(rate),
            "low": _number(low),
            "high": _number(high),
            **self._means(rises),
        }

    def _counted(self, success: Bools, changed: Bools, control: Bools | None) -> Row:
        correct, hits = len(success), int(success.sum())
        rate = hits / correct if correct else 0.0
        low, high = wilson(rate, correct)
        return {
            "images": len(self.trials.place),
            "correct": correct,
            "changed": int(changed.sum()),
            "to_target": hits,
            "rate": _number(rate),
            "low": _number(low),
            "high": _number(high),
            "control_rate": None if control is None or not correct else _number(control.mean()),
            "p": None if control is None else mcnemar(success, control),
        }

    def _means(self, rises: Floats) -> Row:
        low, high = image_bootstrap(rises, resamples=self.resamples, seed=self.seed)
        return self._raised(list(zip(rises.mean(axis=1), low, high, strict=True)))

    def _raised(self, found: list[tuple[float, float, float]]) -> Row:
        (logit, low, high), *others = found
        also = zip(self.trials.watched[1:], others, strict=True)
        return {
            "logit": _number(logit),
            "logit_low": _number(low),
            "logit_high": _number(high),
            "also": [[label, *map(_number, values)] for label, values in also],
        }

    def _score(self, index: int, some: NDArray[np.intp]) -> Floats:
        """How well each size and corner does on some of the images: by rate, and by the logit's rise among equals."""
        trials = self.trials
        counted = some[trials.correct[some]]
        hits = np.asarray(trials.top[index] == trials.target)[:, :, counted]
        rate = hits.mean(axis=2) if len(counted) else np.zeros(hits.shape[:2])
        rise = trials.rise[index][:, :, some, 0].mean(axis=2)
        return rate + 1e-6 * np.tanh(rise)

    def _choices(self, index: int) -> tuple[int, int]:
        """The flat number of size and corner for images of even and of odd number, each chosen on the others."""
        number = np.arange(len(self.trials.place))
        halves = number[1::2], number[::2]
        even, odd = (int(self._score(index, half if len(half) else number).argmax()) for half in halves)
        return even, odd

    def _taken(self, values: NDArray, choices: tuple[int, int], numbers: NDArray[np.intp]) -> NDArray:
        """Of values (S, K, n, ...) of the images with these numbers those at the chosen sizes and corners."""
        flat = values.reshape(-1, *values.shape[2:])
        return flat[np.array(choices)[numbers % 2], np.arange(len(numbers))]


def _number(value: Any) -> float:
    return round(float(value), 6)
