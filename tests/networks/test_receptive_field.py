import pytest
import torch
from torch import nn

import pellucid
from pellucid.networks import wrap
from small import small_network


def test_the_field_of_a_chain_of_convolutions_follows_the_textbook() -> None:
    fields = small_network(size=(64, 96)).receptive_fields(["conv1", "relu2", "conv3"])
    # size += (kernel - 1) * jump, offset -= padding * jump, jump *= stride
    for axis in (0, 1):
        assert (fields["conv1"].size[axis], fields["conv1"].offset[axis], fields["conv1"].stride[axis]) == (3, -1, 1)
        assert (fields["relu2"].size[axis], fields["relu2"].offset[axis], fields["relu2"].stride[axis]) == (7, -3, 2)
        assert (fields["conv3"].size[axis], fields["conv3"].offset[axis], fields["conv3"].stride[axis]) == (11, -5, 2)
    assert fields["conv3"].whole == (False, False)


def test_axes_are_not_swapped() -> None:
    network = wrap(nn.Sequential(nn.Conv2d(3, 4, (3, 7), stride=(1, 2), padding=(0, 3))), size=(40, 60))
    field = network.receptive_fields(["0"])["0"]
    assert (field.size, field.offset, field.stride) == ((3, 7), (0, -3), (1, 2))
    assert field.box(2, 5) == (7, 2, 14, 5)
    assert field.center(2, 5) == (3.0, 10.0)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(5, 2, 0), (3, 4, 0), (7, 3, 1), (1, 5, 0), (11, 4, 2), (2, 2, 0)]
)
def test_unpadded_and_gapped_convolutions(kernel: int, stride: int, padding: int) -> None:
    convolutions = nn.Conv2d(3, 6, kernel, stride, padding), nn.ReLU(), nn.Conv2d(6, 4, 3, 2)
    network = wrap(nn.Sequential(*convolutions), size=(96, 130))
    fields = network.receptive_fields(["0", "2"])
    assert (fields["0"].size, fields["0"].stride) == ((kernel, kernel), (stride, stride))
    assert fields["0"].offset == (-padding, -padding)
    assert fields["2"].size == (kernel + 2 * stride,) * 2
    assert fields["2"].stride == (2 * stride,) * 2
    assert fields["2"].offset == (-padding, -padding)


def test_a_field_larger_than_the_picture_is_measured_on_a_larger_one() -> None:
    layers = [nn.Conv2d(3 if i == 0 else 4, 4, 9, padding=4) for i in range(4)]
    field = wrap(nn.Sequential(*layers), size=24).receptive_fields(["3"])["3"]
    assert field.size == (33, 33)
    assert field.whole == (False, False)


def test_what_sees_everything_says_so() -> None:
    network = wrap(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.GroupNorm(1, 4), nn.AdaptiveAvgPool2d(1)), size=16)
    fields = network.receptive_fields(["0", "1", "2"])
    assert fields["0"].whole == (False, False)
    assert fields["1"].whole == (True, True)
    assert fields["2"].whole == (True, True)


def test_a_fixed_input_size_is_respected() -> None:
    network = pellucid.load("vit_tiny_patch16_224", weights="random")
    field = network.receptive_fields(["patch_embed.proj"])["patch_embed.proj"]
    assert (field.size, field.stride, field.offset) == ((16, 16), (16, 16), (0, 0))


def test_the_field_is_where_the_gradient_is() -> None:
    network = small_network(size=48)
    field = network.receptive_fields(["conv3"])["conv3"]
    images = torch.rand(1, 3, 48, 48, requires_grad=True)
    maps = network.activations(images, ["conv3"])["conv3"]
    (gradient,) = torch.autograd.grad(maps[0, :, 11, 13].abs().sum(), images)
    rows, columns = gradient[0].abs().sum(dim=0).nonzero().T
    left, top, right, bottom = field.box(11, 13)
    assert (int(columns.min()), int(rows.min())) == (left, top)
    assert (int(columns.max()) + 1, int(rows.max()) + 1) == (right, bottom)


@pytest.mark.parametrize(
    ("layer", "size", "stride"),
    [("blocks.1.1.bn2", 19, 4), ("blocks.3.1.bn2", 115, 16), ("blocks.4.2.bn2", 339, 16)],
)
def test_efficientnet(lite0: pellucid.Network, layer: str, size: int, stride: int) -> None:
    # By the textbook's recurrence over its kernels and strides.
    field = lite0.receptive_fields([layer])[layer]
    assert field.size == (size, size)
    assert field.stride == (stride, stride)
