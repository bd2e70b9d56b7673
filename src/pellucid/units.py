"""Addresses of units, the same in Python, on the command line, in a URL and on disk.

mixed3b:379                   unit (channel) 379 of layer mixed3b
mixed3b:379@4,5               the same unit at one position: row 4, column 5
inception_v1/mixed3b:379      with the network
mixed3b:379 - 0.3*mixed4a:12  an expression: a weighted sum of units
"""

import re
from dataclasses import dataclass

from pellucid.errors import ObjectiveError

_ADDRESS = re.compile(
    r"(?:(?P<network>[^/:@\s*+]+)/)?(?P<layer>[^/:@\s*+]+):(?P<unit>\d+)(?:@(?P<row>\d+),(?P<column>\d+))?"
)
_NUMBER = r"\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?"
_TERM = re.compile(
    rf"\s*(?P<sign>[-+])?\s*(?:(?P<weight>{_NUMBER})\s*\*\s*)?(?P<address>[^\s*+]+:\d+(?:@\d+,\d+)?)\s*(?=$|[-+\s])"
)


@dataclass(frozen=True, order=True)
class Unit:
    """One unit of a network: `layer:index`, optionally at one position (row, column) of its map.

    Units sort by network, layer, index and position.
    """

    network: str
    layer: str
    index: int
    position: tuple[int, ...] = ()

    @classmethod
    def parse(cls, address: str) -> "Unit":
        """Read an address such as `mixed3b:379` or `inception_v1/mixed3b:379@4,5`.

        Raises `ObjectiveError` if the text is not an address.
        """
        match = _ADDRESS.fullmatch(address.strip())
        if match is None:
            raise ObjectiveError(
                f"{address!r} is not the address of a unit; write 'layer:unit', such as 'blocks.3.1.bn2:17', "
                "or 'layer:unit@row,column'"
            )
        position = (int(match["row"]), int(match["column"])) if match["row"] else ()
        return cls(match["network"] or "", match["layer"], int(match["unit"]), position)

    def __str__(self) -> str:
        network = f"{self.network}/" if self.network else ""
        position = f"@{self.position[0]},{self.position[1]}" if self.position else ""
        return f"{network}{self.layer}:{self.index}{position}"


def parse_expression(text: str) -> tuple[tuple[float, Unit], ...]:
    """Read a weighted sum of units, `2*a:1 - 0.5*b:2@3,4`, as pairs (weight, unit).

    Signs between two terms stand free (`a:1 - b:2`), since a layer's name may hold a hyphen.
    Raises `ObjectiveError` with the part that cannot be read.
    """
    terms: list[tuple[float, Unit]] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TERM.match(text, at)
        if match is None or (terms and match["sign"] is None):
            raise ObjectiveError(
                f"cannot read {text[at:].strip()!r} in the objective {text!r}; "
                "write a sum of units such as 'layer:3 - 0.5*layer:7@4,5'"
            )
        weight = float(match["weight"] or 1.0)
        terms.append((-weight if match["sign"] == "-" else weight, Unit.parse(match["address"])))
        at = match.end()
    if not terms:
        raise ObjectiveError("the objective is empty; write 'layer:unit', such as 'blocks.3.1.bn2:17'")
    return tuple(terms)
