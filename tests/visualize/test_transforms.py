import torch

from pellucid.visualize import Jitter, Pad, Rotate, Scale, Transform
from pellucid.visualize.transforms import draw, standard, view

PICTURE = torch.rand(1, 3, 9, 14, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def seen(images: torch.Tensor, *transforms: Transform, seed: int = 0) -> torch.Tensor:
    return view(images, draw(transforms, generators(*range(seed, seed + len(images)))), transforms)


def test_jitter_shifts_by_whole_pixels() -> None:
    shifts = set()
    for seed in range(60):
        moved = seen(PICTURE, Jitter(4), seed=seed)
        matches = [
            (dy, dx)
            for dy in range(-2, 3)
            for dx in range(-2, 3)
            if torch.allclose(moved[..., 2:-2, 2:-2], PICTURE[..., 2 + dy : 7 + dy, 2 + dx : 12 + dx], atol=1e-9)
        ]
        assert len(matches) == 1
        shifts.add(matches[0])
    assert {dy for dy, _ in shifts} == {dx for _, dx in shifts} == {-2, -1, 0, 1, 2}


def test_what_comes_into_view_is_the_border() -> None:
    white = torch.ones(1, 3, 8, 8, dtype=torch.float64)
    small = seen(white, Scale([0.5]))
    torch.testing.assert_close(small[..., 3:5, 3:5], white[..., :2, :2])
    torch.testing.assert_close(small[..., 0, :], torch.full_like(small[..., 0, :], 0.5))


def test_pad_widens_the_view() -> None:
    wide = seen(PICTURE, Pad(3, value=0.25))
    assert wide.shape == (1, 3, 15, 20)
    torch.testing.assert_close(wide[..., 3:-3, 3:-3], PICTURE)
    torch.testing.assert_close(wide[..., :3, :], torch.full_like(wide[..., :3, :], 0.25))


def test_a_quarter_turn_is_exact_and_clockwise_positive_or_not_is_fixed() -> None:
    square = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    turned = seen(square, Rotate([90.0]))
    torch.testing.assert_close(turned, torch.rot90(square, 1, (2, 3)), atol=1e-9, rtol=0)


def test_rotation_keeps_shapes_on_pictures_that_are_not_square() -> None:
    wide = torch.zeros(1, 1, 21, 41, dtype=torch.float64)
    wide[..., 10, 15:26] = 1.0
    turned = seen(wide, Rotate([90.0]))
    assert float(turned[..., 5:16, 20].min()) > 0.99  # an upright bar of the same length
    assert float(turned[..., 4, 20]) < 0.01 > float(turned[..., 16, 20])


def test_scale_enlarges_about_the_centre() -> None:
    dot = torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    dot[..., 4, 6] = 1.0
    enlarged = seen(dot, Scale([2.0]))
    assert divmod(int(enlarged[0, 0].argmax()), 9) == (4, 8)


def test_transforms_apply_in_order() -> None:
    square = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    maps = draw([Scale([2.0]), Rotate([90.0])], generators(0))
    one = view(square, maps, [])
    two = torch.rot90(view(square, draw([Scale([2.0])], generators(0)), []), 1, (2, 3))
    torch.testing.assert_close(one, two, atol=1e-9, rtol=0)


def test_each_item_moves_by_itself_whatever_its_batch() -> None:
    transforms = standard((64, 64))
    together = draw(transforms, generators(3, 4, 5))
    for item, seed in enumerate((3, 4, 5)):
        assert torch.equal(draw(transforms, generators(seed))[0], together[item])
    assert not torch.equal(together[0], together[1])


def test_movements_are_differentiable() -> None:
    picture = PICTURE.clone().requires_grad_()
    transforms = (Pad(2), Jitter(2), Scale([0.9]), Rotate([7.0]))
    maps = draw(transforms, generators(1))
    assert torch.autograd.gradcheck(lambda x: view(x, maps, transforms).sum(dim=(2, 3)), (picture,))
