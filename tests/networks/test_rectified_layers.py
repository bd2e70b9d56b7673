import pytest
from torch import nn

from pellucid.errors import LayerError
from pellucid.networks import rectified_layers, wrap


def test_of_layers_that_give_the_same_the_outer_one_stands_for_both() -> None:
    block = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Sequential(nn.BatchNorm2d(4), nn.ReLU()))
    network = wrap(
        nn.Sequential(block, nn.Conv2d(4, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()), size=(40, 40)
    )
    assert rectified_layers(network) == rectified_layers(network, maps=True) == ["0", "2"]
    linear = wrap(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()), size=(40, 40))
    with pytest.raises(LayerError, match="no layer of Sequential gives what a rectifier gives; name layers instead"):
        rectified_layers(linear)


def test_a_rectified_vector_counts_where_maps_are_not_asked_for() -> None:
    flat = wrap(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 6 * 6, 5), nn.ReLU()), size=(8, 8))
    assert rectified_layers(flat) == ["3"]
    with pytest.raises(LayerError, match="no layer with a map of Sequential"):
        rectified_layers(flat, maps=True)
