"""The exceptions of Pellucid.

    PellucidError
    ├── NetworkError        a network cannot be loaded, wrapped or run as asked
    │   ├── LayerError      no such layer, or the layer does not give what is asked of it
    │   └── WeightsError    a weights file is unreadable or does not fit
    ├── ObjectiveError      an address or objective that cannot be understood or optimized
    ├── ImagesError         images that cannot be found, opened or used
    ├── StudyError          a study is missing, damaged, newer than this version, or in use for something else
    ├── SummaryError        summaries of activations that cannot be made or joined as asked
    └── AtlasError          an atlas cannot be laid out or drawn from what was harvested

Each message says what, which value and which law, and where it can, a remedy. The command line prints it on one line
and exits with code 2.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher


class PellucidError(Exception):
    """Anything that the caller can mend; never raised for a fault of a user's own module."""


class NetworkError(PellucidError):
    """A network cannot be loaded, wrapped or run as asked."""


class LayerError(NetworkError):
    """No such layer, or the layer does not give what is asked of it."""


class WeightsError(NetworkError):
    """A weights file is unreadable or does not fit the architecture."""


class ObjectiveError(PellucidError):
    """An address or objective that cannot be understood or optimized."""


class ImagesError(PellucidError):
    """Images that cannot be found, opened or used."""


class StudyError(PellucidError):
    """A study is missing, damaged, newer than this version, or holds something else."""


class SummaryError(PellucidError):
    """Summaries of activations that cannot be made or joined as asked."""


class AtlasError(PellucidError):
    """An atlas cannot be laid out or drawn from what was harvested."""


def did_you_mean(name: str, known: Iterable[str], *, count: int = 3) -> str:
    """The nearest of the known names as a clause `; did you mean 'a', 'b'?`, empty if none is near."""

    def distance(candidate: str) -> tuple[float, str]:
        return -SequenceMatcher(None, name.casefold(), candidate.casefold()).ratio(), candidate

    ranked = sorted(distance(candidate) for candidate in set(known))
    near = [candidate for ratio, candidate in ranked if -ratio >= 0.5 or candidate.startswith(name)][:count]
    return f"; did you mean {', '.join(repr(candidate) for candidate in near)}?" if near else ""
