"""The published answers to the two-choice experiment of Borowski et al. (ICLR 2021)."""

from pathlib import Path
from typing import Any

import pandas as pd

from pellucid.causal.responses.files import read_table
from pellucid.causal.responses.table import Responses
from pellucid.errors import PellucidError

_COLUMNS = (
    "subject_id", "trial_nr", "instr_type", "trial_type", "catch_trial", "batch", "layer", "kernel_size", "channel",
    "correct", "RT", "response", "correct_response", "unit_name", "abs_conf_rating", "old_trial_nr",
)  # fmt: skip
_CONDITIONS = {"optimized": "optimized", "natural": "natural", "none_pre": "none", "none_post": "none"}


def published_two_choice(path: Path | str) -> Responses:
    """Read the trials of experiment I, as they were published, as `Responses`.

    `none_pre` and `none_post` are the condition `none`. Catch trials are of that kind, whatever their type. A unit is
    `layer/branch:channel`, where channel_0 is the one sampled at random and channel_1 the hand-picked one; columns
    `branch` and `sampling` ("random" or "hand-picked") say the same. The upper image stands as "left". There are no
    activations, hence no relative differences. Raises `PellucidError` if columns are missing.
    """
    table: Any = read_table(path)
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise PellucidError(f"{path} is not the published table of experiment I: it has no column {missing[0]!r}")
    catch = table["catch_trial"].astype(str).str.lower() == "true"
    kind = table["trial_type"].where(~catch, "catch")
    # "4b, P int." is what a unit's name looks like; those of practice have letters instead.
    parts = table["unit_name"].str.split(",", n=1, expand=True)
    layer = parts[0].str.strip()
    branch = parts[1].str.replace("int.", "", regex=False).str.strip().replace("P", "pool")
    side = {"a": "left", "b": "right"}
    channel = table["channel"]
    frame = pd.DataFrame(
        {
            "experiment": "two_choice_I",
            "participant": "person-" + table["subject_id"].astype(str),
            "schedule": table["subject_id"].astype(str),
            "condition": table["instr_type"].map(_CONDITIONS),
            "kind": kind,
            "round": (kind == "practice").astype(int),
            "trial": table["trial_nr"],
            "stimulus": layer + "/" + branch + ":" + channel + "/" + table["batch"].astype(str),
            "layer": layer,
            "unit": layer + "/" + branch + ":" + channel,
            "image_set": table["batch"],
            "side": table["correct_response"].map(side),
            "choice": table["response"].map(side),
            "correct": table["correct"],
            "confidence": table["abs_conf_rating"],
            "rt_s": table["RT"],
            "branch": branch,
            "sampling": channel.map({"channel_0": "random", "channel_1": "hand-picked"}),
            "repeats": table["old_trial_nr"],
        }
    )
    return Responses.of(frame, source=str(path))
