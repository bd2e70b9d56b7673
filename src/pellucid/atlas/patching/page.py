"""A test of patches as a page of a study."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from pellucid.atlas.class_names import short_name
from pellucid.atlas.page_files import PageFiles
from pellucid.atlas.page_names import page_name
from pellucid.atlas.patching.compositing import CORNERS
from pellucid.atlas.patching.controls import drawn_control
from pellucid.atlas.patching.examples import choose_examples, show_example, taken_for
from pellucid.atlas.patching.photographs import Photographs
from pellucid.atlas.patching.report import report
from pellucid.atlas.patching.running import run_trials, stamp_of_trials
from pellucid.atlas.patching.trials import PatchConfig, Trials
from pellucid.networks import Network
from pellucid.study import PageRecord, Study, digest, page_folder, writing

_SHOWN = 256  # pixels of a patch's longer side on the page


def patch_page(
    network: Network,
    study: Study,
    photographs: Photographs,
    patches: Mapping[str, Image.Image],
    target: int,
    *,
    of: int | None = None,
    also: Sequence[int] = (),
    control: tuple[str, Image.Image] | None = None,
    config: PatchConfig | None = None,
    name: str | None = None,
    examples: int = 6,
    resamples: int = 2000,
    progress: bool = False,
) -> PageRecord:
    """Try patches on photographs and write what came of it to `pages/patch/NAME` of a study.

    `patches` are pictures by name, `target` the class that they are to lead to, `of` the photographs' class where all
    are of one, `also` further classes whose logits are reported. `control` is a picture to compare with, by name,
    instead of drawn noise. The page has the tables of `report`, `examples` photographs without and with a patch, and
    what each patch alone is taken for; `trials.parquet` beside it has every single trial.

    Carter et al., Activation Atlas (Distill 2019), "Using Atlases to Find Adversarial Patches" and its table of
    patches. Raises `AtlasError` for patches, sizes, corners or classes that cannot be tried, `ImagesError` if no
    photograph opens.
    """
    config = config or PatchConfig()
    titles = [short_name(network.class_names, label) for label in (of, target) if label is not None]
    folder = page_folder(study, "patch", name or page_name(*titles))
    watched = (target, *(label for label in dict.fromkeys(also) if label != target))
    trial_stamp = stamp_of_trials(network, photographs, patches, watched, control, config)
    stamp = digest([trial_stamp, of, resamples, examples])
    kept = PageRecord.kept(folder, stamp)
    if kept is not None:
        return kept
    parts = folder / f".trials-{trial_stamp[:16]}"
    trials = run_trials(
        network, photographs, patches, watched, control=control, config=config, parts=parts, progress=progress
    )
    pictures = dict(patches)
    main = trials.names[trials.patches]
    if control is not None:
        pictures[control[0]] = control[1]
    elif main in ("noise", "grey"):
        pictures[main] = drawn_control(main, network.size, network.channels, config.seed)
    page = _Page(folder)
    content = {
        "network": network.name,
        "source": of,
        "target": target,
        "also": list(watched[1:]),
        "classes": list(network.class_names),
        "images": len(trials.place),
        "sizes": list(config.sizes),
        "corners": [CORNERS[corner] for corner in config.corners],
        "patches": [
            {"name": each, "file": page.small(f"patch-{index:02d}.webp", patches[each]), "alone": alone}
            for index, (each, alone) in enumerate((each, taken_for(network, patches[each], 3)) for each in patches)
        ],
        "control": {"name": main, "file": page.small("control.webp", pictures[main]) if main in pictures else ""},
        **report(trials, resamples=resamples, seed=config.seed),
        "examples": page.examples(network, photographs, trials, patches, examples),
    }
    page.trials(photographs, trials)
    title = f"{' → '.join(titles)}: {len(patches)} patches on {len(trials.place)} photographs"
    about = {**_plain(asdict(config)), "resamples": resamples, "squash": photographs.squash, "stamp": stamp}
    record = PageRecord("patch", title, tuple(page.files), content, about)
    record.write(folder)
    shutil.rmtree(parts, ignore_errors=True)
    return record


class _Page(PageFiles):
    def small(self, file: str, picture: Image.Image) -> str:
        """Write a picture, at most `_SHOWN` pixels a side."""
        picture = picture.convert("RGB")
        picture.thumbnail((_SHOWN, _SHOWN), Image.Resampling.LANCZOS)
        return self.picture(file, picture)

    def examples(
        self,
        network: Network,
        photographs: Photographs,
        trials: Trials,
        patches: Mapping[str, Image.Image],
        count: int,
    ) -> list[dict[str, Any]]:
        """Photographs without and with a patch."""
        shown = []
        for index, at in enumerate(choose_examples(trials, count)):
            said, pixels = show_example(network, photographs, trials, patches[trials.names[at[0]]], at)
            files = (f"example-{index}.webp", f"example-{index}-patched.webp")
            bare, patched = (
                self.picture(file, Image.fromarray(each)) for file, each in zip(files, pixels, strict=True)
            )
            shown.append({"image": bare, "patched": patched, **said})
        return shown

    def trials(self, photographs: Photographs, trials: Trials) -> None:
        """Write every trial as a row of a table."""
        index, size, corner, image = (axis.ravel() for axis in np.indices(trials.top.shape))
        names = [photographs.name(int(place)) for place in trials.place]
        columns = {
            "patch": pa.array(trials.names).take(pa.array(index)),
            "size": np.array(trials.sizes)[size],
            "corner": pa.array(CORNERS).take(pa.array(np.array(trials.corners)[corner])),
            "image": pa.array(names).take(pa.array(image)),
            "class": trials.of[image],
            "before": trials.bare_top[image],
            "after": trials.top.ravel(),
            "probability_before": trials.bare_probability[image],
            "probability": trials.probability.ravel(),
        }
        for which, label in enumerate(trials.watched):
            columns[f"logit_{label}_before"] = trials.bare_logits[image, which]
            columns[f"logit_{label}"] = trials.logits[..., which].ravel()
        with writing(self.folder / "trials.parquet") as temporary:
            pq.write_table(pa.table(columns), temporary, compression="zstd")
        self.files.append("trials.parquet")


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
