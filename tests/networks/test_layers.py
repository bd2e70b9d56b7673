import pytest
import torch
from torch import Tensor, nn

import pellucid
from pellucid.errors import LayerError, NetworkError
from pellucid.networks import wrap
from small import Small, small_network


def test_layers_are_listed_in_the_order_of_the_pass() -> None:
    layers = small_network(size=(32, 48)).layers()
    assert [layer.name for layer in layers] == ["conv1", "relu1", "conv2", "relu2", "conv3", "act3", "head"]
    assert [layer.channels for layer in layers] == [8, 8, 12, 12, 16, 16, 7]
    assert [layer.size for layer in layers[:3]] == [(32, 48), (32, 48), (16, 24)]
    assert layers[-1].size is None
    assert not layers[-1].spatial


def test_an_unknown_layer_names_the_nearest() -> None:
    with pytest.raises(LayerError, match=r"no layer 'conv4' in Small; did you mean 'conv1', 'conv2', 'conv3'\?"):
        small_network().layer("conv4")


def test_a_layer_without_maps_says_what_it_gives() -> None:
    with pytest.raises(LayerError, match=r"layer 'head' of Small has no spatial activations: it gives \(7,\)"):
        small_network().spatial_layer("head")


def test_channels_last_maps_are_found_and_turned() -> None:
    class ChannelsLast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 12, 4, stride=4)
            self.mix = nn.Linear(12, 20)

        def forward(self, x: Tensor) -> Tensor:
            return self.mix(self.conv(x).permute(0, 2, 3, 1)).mean(dim=(1, 2))

    network = wrap(ChannelsLast(), size=(16, 32))
    layer = network.layer("mix")
    assert (layer.layout, layer.channels, layer.size) == ("NHWC", 20, (4, 8))
    out = network.activations(torch.rand(2, 3, 16, 32), ["mix"])["mix"]
    assert layer.maps(out).shape == (2, 20, 4, 8)


def test_tokens_are_not_taken_for_maps() -> None:
    network = pellucid.load("vit_tiny_patch16_224", weights="random")
    assert network.layer("blocks.3").layout == "NLC"
    with pytest.raises(LayerError, match="no spatial activations"):
        network.spatial_layer("blocks.3")


def test_a_network_gives_logits_of_images_in_its_own_way() -> None:
    network = small_network()
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(network(images), network.module((images - 0.5) / 0.5))
    with pytest.raises(NetworkError, match=r"takes images \(N, 3, H, W\).*not \(2, 1, 32, 32\)"):
        network(images[:, :1])


def test_calling_a_network_in_training_leaves_it_in_training_and_its_statistics_alone() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 2)).train()
    norm = module[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    before = norm.running_mean.clone()
    wrap(module, size=8)(torch.rand(2, 3, 8, 8))
    assert module.training
    assert torch.equal(norm.running_mean, before)


def test_other_numbers_of_channels() -> None:
    network = wrap(Small(channels=5), mean=(0.0,) * 5, std=(1.0,) * 5, size=16)
    assert network(torch.rand(1, 5, 16, 16)).shape == (1, 7)
    with pytest.raises(NetworkError, match="mean has 2 channels and std has 3"):
        wrap(Small(), mean=(0.0, 0.0), std=(1.0, 1.0, 1.0))
