"""What the loop does beyond climbing: silent units, memory that runs out, and the parts that can be given to it."""

import warnings

import pytest
import torch
from torch import Tensor, nn

from pellucid.errors import LayerError, ObjectiveError
from pellucid.networks import wrap
from pellucid.networks.rectifiers import guided
from pellucid.visualize import (
    Alpha,
    Callback,
    Crop,
    Fourier,
    Jitter,
    Noise,
    Pixels,
    Rotate,
    Shared,
    Step,
    channel,
    diversity,
    inversion,
    logit,
    render,
    total_variation,
)
from pellucid.visualize.filters import BlurPicture
from pellucid.visualize.gradients import negate
from small import Small, small_network


class Silent(nn.Module):
    """Unit 0 never fires at a start but can, unit 1 never can, unit 2 always does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.act = nn.ReLU()
        with torch.no_grad():
            self.conv.weight.copy_(torch.randn(self.conv.weight.shape, generator=torch.Generator().manual_seed(0)))
            self.conv.weight[1] = 0.0
            self.conv.bias.copy_(torch.tensor([-9.0, -1.0, 20.0]))  # pyright: ignore[reportOptionalMemberAccess]

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x)).mean(dim=(2, 3))


def silent_network(dtype: torch.dtype = torch.float32):
    return wrap(Silent().to(dtype).eval(), mean=(0.5,) * 3, std=(0.25,) * 3, size=16)


def test_a_unit_that_is_silent_at_the_start_is_brought_to_life() -> None:
    network = silent_network()
    assert float(render(network, "act:0", steps=0).values) == 0.0
    rendering = render(network, "act:0", steps=60, transforms=())
    assert rendering.silent == ()
    assert float(rendering.values) > 0.1
    with pytest.warns(UserWarning, match="no gradient came to the picture of act:0"):
        never = render(network, "act:0", steps=60, transforms=(), redirect=False)
    assert never.silent == (0,)
    assert float(never.values) == 0.0


def test_a_unit_that_nothing_can_excite_is_named_and_the_others_are_drawn() -> None:
    network = silent_network()
    with pytest.warns(UserWarning, match="no gradient came to the picture of act:1") as caught:
        rendering = render(network, ["act:2", "act:1", "act:0"], steps=40, transforms=())
    assert len(caught) == 1
    assert rendering.silent == (1,)
    assert (rendering.values[[0, 2]] > 0.1).all()


def test_a_unit_at_its_ceiling_is_not_called_silent() -> None:
    class Clipped(Silent):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.relu6(self.act(self.conv(x)) - 19.5).mean(dim=(2, 3))

    module = Clipped().eval()
    network = wrap(module, mean=(0.5,) * 3, std=(0.25,) * 3, size=16)
    rendering = render(network, channel("act", 2), steps=0)
    rendering = render(network, "logit:2", steps=150, transforms=(), canvas=Pixels())
    assert float(rendering.values) > 5.5
    assert rendering.silent == ()


class Capped(nn.Module):
    """Unit 0 starts above the ceiling of its rectifier, unit 1 below its floor for good."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.act = nn.ReLU6()
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([1.0, 0.0])[:, None, None, None].expand(-1, 3, 1, 1))
            self.conv.bias.copy_(torch.tensor([8.0, -1.0]))  # pyright: ignore[reportOptionalMemberAccess]

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x)).mean(dim=(2, 3))


def test_a_unit_at_its_ceiling_from_the_start_is_told_from_one_that_nothing_excites() -> None:
    network = wrap(Capped().eval(), mean=(0.5,) * 3, std=(0.25,) * 3, size=8)
    with pytest.warns(
        UserWarning, match="no gradient came to the picture of act:0: it is at its ceiling from the start"
    ):
        rendering = render(network, "act:0", steps=12)
    assert (rendering.silent, rendering.ceiling) == ((), (0,))
    assert float(rendering.values) == 6.0
    with pytest.warns(UserWarning, match="the picture of act:1: it shows nothing"):
        dead = render(network, "act:1", steps=12)
    assert (dead.silent, dead.ceiling) == ((0,), ())
    # A unit at its floor is where one that drives it down wants it.
    with pytest.warns(UserWarning, match="no gradient came to the picture of act:") as caught:
        both = render(network, [-channel("act", 0), "act:1", channel("act", 0)], steps=60, transforms=())
    assert (both.silent, both.ceiling) == ((1,), (2,))
    assert len(caught) == 2
    assert float(both.values[0]) > -5.9
    with pytest.warns(UserWarning, match="at its ceiling"):
        floor = render(silent_network(), -channel("act", 0), steps=12)
    assert (floor.silent, floor.ceiling) == ((), (0,))


def test_what_cannot_move_does_not_take_all_the_steps() -> None:
    numbers: list[int] = []

    class Counts(Callback):
        def step(self, step: Step) -> None:
            numbers.append(step.number)

    with pytest.warns(UserWarning, match="no gradient came"):
        rendering = render(silent_network(), "act:1", steps=500, callbacks=[Counts()])
    assert len(numbers) < 60
    assert rendering.trace.shape == (500, 1)
    assert render(silent_network(), total_variation() * -1.0, steps=12).trace.isfinite().all()


def test_redirecting_one_picture_leaves_the_others_alone() -> None:
    network = silent_network(torch.float64)
    alone = render(network, "act:2", steps=12).images
    with pytest.warns(UserWarning, match="the picture of act:0"):  # twelve steps do not suffice for it
        together = render(network, ["act:2", "act:0"], steps=12).images
    torch.testing.assert_close(together[0], alone[0], atol=1e-9, rtol=0)


def test_penalties_do_not_hide_that_a_unit_is_silent() -> None:
    rendering = render(silent_network(), "act:0", steps=60, transforms=(), regularizers=[0.001 * total_variation()])
    assert float(rendering.values) > 0.1


def test_a_silent_picture_starts_again_from_another_start() -> None:
    class Picky(nn.Module):
        """Sees nothing unless the picture's mean is above gray."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)
            nn.init.ones_(self.conv.weight)

        def forward(self, x: Tensor) -> Tensor:
            gate = (x.mean(dim=(1, 2, 3), keepdim=True) > 0.5).to(x)
            return (self.conv(x) * gate).mean(dim=(2, 3))

    module = Picky()
    network = wrap(module, mean=(0.0,) * 3, std=(1.0,) * 3, size=8)
    goals, seeds = [logit(1)] * 20, range(20)
    starts = render(network, goals, steps=0, seed=seeds).images.mean(dim=(1, 2, 3))
    dark = int((starts < 0.5).sum())
    assert dark > 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rendering = render(network, goals, steps=3, seed=seeds, transforms=())
    assert len(rendering.silent) <= dark - 3  # each has had three starts
    drawn = [index for index in range(20) if index not in rendering.silent]
    assert (rendering.images[drawn].mean(dim=(1, 2, 3)) > 0.5).all()


class Hungry(Small):
    """Runs out of memory on more than four pictures."""

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return super().forward(x)


def test_where_memory_runs_out_batches_are_halved() -> None:
    torch.manual_seed(0)
    module = Hungry().double().eval()
    network = wrap(module, size=16)
    units = [f"conv3:{unit}" for unit in range(11)]
    counted: list[int] = []

    class Counts(Callback):
        def step(self, step: Step) -> None:
            if step.number == 0:
                counted.append(len(step.values))
                assert step.places == tuple(range(sum(counted) - len(step.values), sum(counted)))

    rendering = render(network, units, steps=3, batch=16, callbacks=[Counts()])
    truth = render(network, units, steps=3, batch=4)
    torch.testing.assert_close(rendering.images, truth.images)
    assert max(counted) <= 4
    assert sum(counted) == 11


def test_memory_that_one_picture_has_not_is_the_user_s_to_know() -> None:
    class Starving(Small):
        def forward(self, x: Tensor) -> Tensor:
            if torch.is_grad_enabled():
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(x)

    with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
        render(wrap(Starving(), size=16), ["conv3:1", "conv3:2"], steps=1)


def test_regularizers_are_subtracted() -> None:
    network = small_network(dtype=torch.float64)
    given = render(network, "conv3:1", steps=12, regularizers=[2 * total_variation()])
    summed = render(network, channel("conv3", 1), steps=12)
    written = channel("conv3", 1) - 2 * total_variation()
    torch.testing.assert_close(
        given.trace[0], render(network, "conv3:1", steps=1, regularizers=[2 * total_variation()]).trace[0]
    )
    assert float(total_variation()({"<picture>": given.images})) < float(
        total_variation()({"<picture>": summed.images})
    )
    # The same total, though a picture's start comes from what it is for.
    flat = {"canvas": Pixels(deviation=0.0), "transforms": (), "steps": 12}
    torch.testing.assert_close(
        render(network, written, **flat).images,
        render(network, "conv3:1", regularizers=[2 * total_variation()], **flat).images,
    )


def test_gradients_can_be_changed_on_their_way() -> None:
    network = small_network()
    down = render(network, "conv3:1", steps=20, transforms=(), gradients=[negate])
    assert down.trace[-1] < down.trace[0]


def test_a_block_is_entered_at_every_step() -> None:
    network = small_network()
    one, other = (render(network, "conv3:1", steps=5, within=w).images for w in ([], [guided]))
    assert not torch.allclose(one, other, atol=1e-4)


def test_a_picture_starts_from_an_image() -> None:
    network = small_network()
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    for canvas in (Fourier(), Pixels(), Pixels(bounded="clip")):
        start = render(network, ["conv3:1", "conv3:2"], steps=0, init=image, canvas=canvas).images
        torch.testing.assert_close(start, image.expand(2, -1, -1, -1), atol=1e-3, rtol=0)
    with pytest.raises(ObjectiveError, match="3 images to start from are given for 2 pictures"):
        render(network, ["conv3:1", "conv3:2"], steps=0, init=image.expand(3, -1, -1, -1))
    with pytest.raises(ObjectiveError, match="the image to start from has 32x32 pixels"):
        render(network, "conv3:1", steps=0, init=image, size=20)


def test_filters_change_the_picture_after_a_step() -> None:
    network = small_network()
    rough = render(network, "conv3:1", steps=10, transforms=(), canvas=Pixels())
    smooth = render(network, "conv3:1", steps=10, transforms=(), canvas=Pixels(), filters=[BlurPicture(1.0)])
    roughness = [float(r.images.diff(dim=3).abs().mean()) for r in (rough, smooth)]
    assert roughness[1] < roughness[0]


def test_views_are_averaged_and_cost_no_determinism() -> None:
    network = small_network(dtype=torch.float64)
    one = render(network, ["conv3:1", "conv3:2"], steps=6, views=3)
    alone = render(network, "conv3:2", steps=6, views=3)
    torch.testing.assert_close(one.images[1], alone.images[0], atol=1e-9, rtol=0)
    assert not torch.allclose(alone.images, render(network, "conv3:2", steps=6).images, atol=1e-3)


def test_views_need_no_movements() -> None:
    network = small_network(dtype=torch.float64)
    one, three = (render(network, "conv3:1", steps=4, transforms=(), views=views) for views in (1, 3))
    torch.testing.assert_close(three.images, one.images)
    behind = render(network, "conv3:1", steps=2, transforms=(), views=3, canvas=Alpha(Fourier()))
    assert not torch.allclose(
        behind.trace[0], render(network, "conv3:1", steps=2, transforms=(), canvas=Alpha(Fourier())).trace[0]
    )


def test_a_large_picture_is_seen_through_crops() -> None:
    seen: set[tuple[int, ...]] = set()

    class Looks(Small):
        def forward(self, x: Tensor) -> Tensor:
            seen.add(tuple(x.shape))
            return super().forward(x)

    network = wrap(Looks().eval(), size=16)
    network.layers()
    seen.clear()
    rendering = render(
        network, "conv3:1", steps=2, size=(40, 64), views=3, transforms=[Crop(16, 0.3, 0.5), Noise(0.05)], fold=False
    )
    assert rendering.images.shape == (1, 3, 40, 64)
    assert seen == {(3, 3, 16, 16), (1, 3, 16, 16)}


def test_folding_changes_nothing_but_rounding() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3)).double().eval()
    network = wrap(module, size=16)
    one, other = (render(network, "3:1", steps=24, fold=fold).images for fold in (True, False))
    torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_half_precision_gives_nearly_the_same_values() -> None:
    network = small_network()
    full = render(network, "conv3:1", steps=20)
    half = render(network, "conv3:1", steps=20, precision=torch.bfloat16)
    assert half.images.dtype == torch.float32
    assert float(half.values) == pytest.approx(float(full.values), rel=0.1)


def test_a_group_is_drawn_together_and_the_same_in_any_batch() -> None:
    network = small_network(dtype=torch.float64)
    group = channel("conv3", 1).copies(3) + 0.1 * diversity("conv2", 3)
    together = render(network, ["conv3:2", group, "conv3:4"], steps=8, batch=2)
    alone = render(network, group, steps=8)
    assert together.images.shape[0] == 5
    torch.testing.assert_close(together.images[1:4], alone.images, atol=1e-6, rtol=0)
    assert together.objectives == ("conv3:2", *[str(group)] * 3, "conv3:4")


def test_what_pictures_share_needs_pictures_that_belong_together() -> None:
    network = small_network()
    canvas = Shared(Fourier(), pictures=2)
    assert render(network, channel("conv3", 1).copies(2), steps=2, canvas=canvas).images.shape[0] == 2
    with pytest.raises(ObjectiveError, match=r"shared by 2 pictures, and conv3:1 is of 1; write objective.copies\(2\)"):
        render(network, "conv3:1", steps=2, canvas=canvas)


def test_opacity_is_a_channel_of_the_picture(tmp_path) -> None:
    rendering = render(small_network(), "conv3:1", steps=4, canvas=Alpha(Fourier()))
    assert rendering.images.shape == (1, 4, 32, 32)
    rendering.save(tmp_path / "picture.png")


def test_strength_is_where_gradient_went() -> None:
    network = small_network()
    rendering = render(network, "conv1:1@4,20", steps=6, transforms=())
    assert rendering.strength.shape == (1, 32, 32)
    top = int(rendering.strength[0].argmax())
    assert abs(top // 32 - 4) <= 1
    assert abs(top % 32 - 20) <= 1
    assert float(rendering.opacity().min()) == 0.0
    assert float(rendering.opacity().max()) == 1.0


def test_classes_are_read_at_the_output() -> None:
    network = small_network()
    rendering = render(network, ["logit:3", 'logit:"class 2"'], steps=30)
    logits = network(rendering.images)
    torch.testing.assert_close(rendering.values, logits[[0, 1], [3, 2]])
    start = render(network, ["logit:3", "logit:2"], steps=0).values
    assert (rendering.values > start).all()


@pytest.mark.parametrize("channels", [1, 5])
def test_networks_of_other_channels(channels: int, tmp_path) -> None:
    network = wrap(Small(channels=channels).eval(), mean=(0.5,) * channels, std=(0.5,) * channels, size=(17, 23))
    rendering = render(network, "conv3:1", steps=4)
    assert rendering.images.shape == (1, channels, 17, 23)
    rendering.save(tmp_path / ("picture.png" if channels == 1 else "picture.npy"))


def test_maps_of_one_position() -> None:
    class Pools(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.pool = nn.AdaptiveAvgPool2d(1)

        def forward(self, x: Tensor) -> Tensor:
            return self.pool(self.conv(x)).flatten(1)

    network = wrap(Pools(), size=9)
    values = render(network, ["pool:1", "pool:1@0,0"], steps=0, seed=[0, 0]).values
    assert values.shape == (2,)
    with pytest.raises(ObjectiveError, match="outside the 1x1 map"):
        render(network, "pool:1@1,0", steps=1)


def test_a_layer_that_is_never_reached_is_named() -> None:
    class Unused(Small):
        def __init__(self) -> None:
            super().__init__()
            self.spare = nn.Conv2d(3, 3, 1)

    with pytest.raises(LayerError, match="no layer 'spare'"):
        render(wrap(Unused(), size=16), "spare:1", steps=1)


def test_nothing_warns_in_an_ordinary_run() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(small_network(), ["conv3:1", "conv2:3"], steps=3)


def test_what_a_picture_is_compared_with_moves_with_it() -> None:
    network = small_network(dtype=torch.float64)
    images = torch.rand(2, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1
    goals = [inversion(network, image, "conv2") for image in images]
    moves = [Jitter(6), Rotate([20.0])]
    # The image itself is the best there is under every movement, if what it is compared with moves as well.
    still = render(network, goals, steps=2, init=images, canvas=Pixels(bounded="clip"), transforms=moves)
    torch.testing.assert_close(still.trace[0], torch.zeros(2, dtype=torch.float64), atol=1e-6, rtol=0)
    alone = render(network, goals[1], steps=8, transforms=moves)
    both = render(network, [*goals, channel("conv3", 1)], steps=8, transforms=moves)
    torch.testing.assert_close(alone.images[0], both.images[1], atol=1e-9, rtol=0)
