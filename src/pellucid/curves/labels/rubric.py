"""Label sets: which labels people may give, and the rubric that says when."""

from collections.abc import Sequence
from pathlib import Path

from pellucid.errors import PellucidError
from pellucid.study.files import read_json
from pellucid.study.label_record import Label

CURVE_RUBRIC = (
    Label("curve", "A curve that bends the way of the reference and runs across most of the picture."),
    Label(
        "imperfect",
        "Such a curve with one fault: it is almost straight, has a corner in it, is short, or is turned a little.",
    ),
    Label("unrelated", "No curve: a texture, straight lines, a corner, a plain area, or nothing one could name."),
    Label("opposing", "A curve, but turned by more than 45 degrees away from the reference, as far as its opposite."),
)
"""The labels of the Curve Detectors article (`LABELS`), with what they mean."""
CURVE_POSITIVE = ("curve", "imperfect")
"""Those of them that speak for the unit."""


def read_rubric(given: Sequence[str]) -> tuple[Label, ...]:
    """Read labels with their rubric: texts `name=rubric`, or the name of one JSON file of an object of them.

    Raises `PellucidError` if they cannot be read.
    """
    if len(given) == 1 and "=" not in given[0]:
        content = read_json(Path(given[0]))
        if not isinstance(content, dict) or not all(isinstance(text, str) for text in content.values()):
            raise PellucidError(f"{given[0]} holds no labels: it must be an object of texts, {{name: rubric, ...}}")
        return tuple(Label(name.strip(), text.strip()) for name, text in content.items())
    parts = [text.partition("=") for text in given]
    wrong = [text for text, sign, _ in parts if not sign]
    if wrong:
        raise PellucidError(f"{wrong[0]!r} is no label with its rubric; write 'name=when to give it', or name one file")
    return tuple(Label(name.strip(), text.strip()) for name, _, text in parts)
