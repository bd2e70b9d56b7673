"""Where a unit looks."""

from pellucid.errors import LayerError
from pellucid.networks import Network, ReceptiveField


def centre_of(network: Network, layer: str, position: tuple[int, int] | None = None) -> tuple[float, float]:
    """The middle (y, x), in pixels of the network's input, of what a unit of a spatial layer sees.

    `position` is its row and column in the layer's map, by default the middle one, (rows // 2, columns // 2). The
    receptive field is measured. Along an axis where units see the whole picture, as tokens do, it is the middle of the
    part of the picture that belongs to the row or column.

    Raises `LayerError` for a layer without a map, a position outside of it, and a middle outside of the picture.
    """
    return centre_in(network, layer, network.receptive_fields([layer])[layer], position)


def centre_in(
    network: Network, layer: str, field: ReceptiveField, position: tuple[int, int] | None = None
) -> tuple[float, float]:
    """The same for a receptive field that has been measured."""
    row, column = middle_of(network, layer) if position is None else position
    found = network.spatial_layer(layer)
    assert found.size is not None
    rows, columns = found.size
    if not (0 <= row < rows and 0 <= column < columns):
        raise LayerError(f"layer {layer!r} of {network.name} has {rows}x{columns} positions, none at ({row}, {column})")
    centre = list(field.center(row, column))
    for axis, (at, count) in enumerate(((row, rows), (column, columns))):
        if field.whole[axis]:
            centre[axis] = (at + 0.5) * network.size[axis] / count - 0.5
    if not all(-0.5 <= place <= length - 0.5 for place, length in zip(centre, network.size, strict=True)):
        raise LayerError(
            f"the unit at ({row}, {column}) of layer {layer!r} looks at ({centre[0]:g}, {centre[1]:g}), outside of a "
            f"picture of {network.size[0]}x{network.size[1]} pixels; choose a position nearer to the middle"
        )
    return centre[0], centre[1]


def middle_of(network: Network, layer: str) -> tuple[int, int]:
    """The middle position (row, column) of a spatial layer's map, (rows // 2, columns // 2)."""
    size = network.spatial_layer(layer).size
    assert size is not None
    return size[0] // 2, size[1] // 2
