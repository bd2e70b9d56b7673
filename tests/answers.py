"""Made-up answers of people, for tests."""

import numpy as np
import pandas as pd


def answers(
    people: int = 6,
    units: int = 8,
    *,
    conditions: tuple[str, ...] = ("optimized", "none"),
    right: float = 0.7,
    catch: float = 1.0,
    choice: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """So many people in each condition, each with so many main and three catch trials, and a round of practice.

    `choice` is what everybody chooses, if they always choose the same.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for condition in conditions:
        for number in range(people):
            name = f"{condition}-{number}"
            kinds = ["practice"] * 4 + ["main"] * units + ["catch"] * 3
            for trial, kind in enumerate(kinds, start=1):
                at = (trial - 5) % units
                side = str(rng.choice(["left", "right"]))
                well = rng.random() < (right if kind == "main" else catch)
                chosen = choice or (side if well else {"left": "right", "right": "left"}[side])
                rows.append(
                    {
                        "experiment": "made-up",
                        "participant": name,
                        "schedule": name,
                        "condition": condition,
                        "kind": kind,
                        "round": int(kind == "practice"),
                        "trial": trial,
                        "stimulus": f"{kind}-{at if kind == 'main' else trial}",
                        "layer": f"layer{at % 3}",
                        "unit": f"layer{at % 3}:{at}" if kind == "main" else f"layer9:{trial}",
                        "image_set": number % 2,
                        "relative_difference": 0.1 * (1 + at),
                        "side": side,
                        "choice": chosen,
                        "correct": chosen == side,
                        "confidence": int(rng.integers(1, 4)),
                        "rt_s": float(rng.lognormal(1, 0.4)),
                        "server_s": 9.0,
                        "focus_losses": 0,
                        "answered_at": "2026-01-01T00:00:00Z",
                    }
                )
    return pd.DataFrame(rows)


def participants(frame: pd.DataFrame, **columns: object) -> pd.DataFrame:
    """A table of people who took part as one should, but for these columns."""
    names = list(dict.fromkeys(frame["participant"]))
    sound = {
        "state": "done",
        "started_at": [f"2026-01-01T00:{number:02d}:00Z" for number in range(len(names))],
        "total_s": 400.0,
        "instruction_s": 60.0,
        "practice_rounds": 1,
        "focus_losses": 0,
        "duplicate": False,
    }
    return pd.DataFrame({"participant": names, **sound, **columns})
