"""Which point of a texture stands at each pixel, against rays that are cast one by one; and models from files."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from oracles_meshes import ball_depth, box_depth, cast, in_unit_ball, rays, texel
from painters import generators
from pellucid.errors import ObjectiveError
from pellucid.visualize.meshes import (
    Mesh,
    RandomViews,
    View,
    cube,
    rasterize,
    read_mesh,
    sample,
    sphere,
    square,
    torus,
    turntable,
)

VIEWS = [
    View(),
    View(35, 20, distance=2.2, field=55),
    View(-140, -65, 30, 1.6, 70),
    View(90, 0, -90, 5.0, 20),
    View(17, 90, 0, 3.0, 40),
]
MESHES = {"sphere": sphere(5, 8), "torus": torus(6, 7), "cube": cube(), "square": square()}


def cast_view(mesh: Mesh, view: View, size: tuple[int, int]):
    """Depths, triangles and texture coordinates of a view, ray by ray."""
    eye, directions = rays(view.azimuth, view.elevation, view.roll, view.distance, view.field, size)
    triangles = in_unit_ball(mesh.positions.numpy(), mesh.faces.numpy())
    depth, coordinates = np.full(size, np.inf), np.zeros((*size, 2))
    for row in range(size[0]):
        for column in range(size[1]):
            depth[row, column], face, b, c = cast(eye, directions[row, column], triangles)
            if face >= 0:
                coordinates[row, column] = np.array([1 - b - c, b, c]) @ mesh.coordinates[face].numpy()
    return depth, coordinates


@pytest.mark.parametrize("name", list(MESHES))
@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_every_pixel_shows_what_its_ray_meets_first(name: str, view: View) -> None:
    mesh, size = MESHES[name], (13, 18)
    depth, coordinates = cast_view(mesh, view, size)
    found = rasterize(mesh, view, size)
    # On the very edge of the model rounding decides.
    agree = found.mask.numpy() == np.isfinite(depth)
    assert agree.mean() > 0.99
    both = found.mask.numpy() & np.isfinite(depth)
    if name == "square" and (abs(view.azimuth) == 90 or view.elevation == 90):
        assert not both.any()  # it is seen from its edge
        return
    np.testing.assert_allclose(found.depth.numpy()[both], depth[both], rtol=1e-9)
    # Across a seam of the texture two triangles meet at one point with coordinates of their own.
    apart = np.abs(found.coordinates.numpy() - coordinates).max(axis=2)[both]
    assert (apart < 1e-7).mean() > 0.97
    assert (found.faces.numpy()[both] >= 0).all()


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_a_cube_is_where_its_planes_are(view: View) -> None:
    size = (24, 17)
    eye, directions = rays(view.azimuth, view.elevation, view.roll, view.distance, view.field, size)
    half = 1 / math.sqrt(3)
    truth = np.array([[box_depth(eye, direction, half) for direction in line] for line in directions])
    found = rasterize(cube(), view, size).depth.numpy()
    # Rays along an edge of the cube may be rounded to either side.
    sure = np.isfinite(truth) & np.isfinite(found)
    assert (np.isfinite(truth) == np.isfinite(found)).mean() > 0.99
    np.testing.assert_allclose(found[sure], truth[sure], rtol=1e-9)


def test_a_fine_sphere_is_nearly_the_ball() -> None:
    view, size = View(50, -35, 10, 2.5, 50), (40, 40)
    eye, directions = rays(view.azimuth, view.elevation, view.roll, view.distance, view.field, size)
    truth = np.array([[ball_depth(eye, direction) for direction in line] for line in directions])
    found = rasterize(sphere(48, 96), view, size)
    inside = np.isfinite(truth) & found.mask.numpy()
    assert (np.isfinite(truth) == found.mask.numpy()).mean() > 0.98
    middle = inside & (truth < np.quantile(truth[inside], 0.8))
    assert np.abs(found.depth.numpy()[middle] - truth[middle]).max() < 0.01
    # Its coordinates are longitude and latitude of the point that is met.
    points = eye + truth[middle][:, None] * directions[middle]
    v = np.arcsin(np.clip(points[:, 1], -1, 1)) / np.pi + 0.5
    assert np.abs(found.coordinates.numpy()[middle][:, 1] - v).max() < 0.01


def test_nothing_shines_through_between_two_triangles() -> None:
    for seed in range(6):
        view = RandomViews().draw(torch.Generator().manual_seed(seed))
        for mesh in (sphere(), cube()):
            for line in rasterize(mesh, view, (64, 48)).mask:
                shown = line.nonzero()[:, 0]
                assert len(shown) == 0 or len(shown) == int(shown[-1] - shown[0]) + 1


def test_the_order_of_triangles_counts_for_nothing() -> None:
    mesh, view = torus(8, 12), View(40, 25, distance=2.0)
    order = torch.randperm(len(mesh.faces), generator=torch.Generator().manual_seed(0))
    turned = Mesh(mesh.positions, mesh.faces[order], mesh.coordinates[order])
    first, second = rasterize(mesh, view, (50, 50)), rasterize(turned, view, (50, 50))
    assert torch.equal(first.mask, second.mask)
    torch.testing.assert_close(first.depth, second.depth, rtol=1e-12, atol=0)
    torch.testing.assert_close(first.coordinates, second.coordinates, rtol=0, atol=1e-9)


def test_perspective_is_that_of_the_surface_and_not_of_its_picture() -> None:
    # A square that recedes: what lies half-way across its picture is more than half-way on it.
    middle = rasterize(square(), View(60, 0, distance=1.5, field=80), (41, 41))
    row = middle.coordinates[20, middle.mask[20], 0]
    steps = row.diff()
    assert bool((steps.diff() > 0).all()) or bool((steps.diff() < 0).all())
    assert float(steps.max() / steps.min()) > 1.5


def test_size_and_place_of_a_model_do_not_matter() -> None:
    mesh = torus(6, 9)
    moved = Mesh(7.5 * mesh.positions + torch.tensor([1.0, -20.0, 3.0]), mesh.faces, mesh.coordinates)
    first, second = (rasterize(one, VIEWS[1], (20, 20)) for one in (mesh, moved))
    torch.testing.assert_close(first.depth, second.depth)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "tile"),
    [(0, 0, (0, 1)), (90, 0, (1, 1)), (180, 0, (2, 1)), (-90, 0, (0, 0)), (0, 90, (1, 0)), (0, -90, (2, 0))],
)
def test_the_sides_of_a_cube_have_their_part_of_the_texture(azimuth: int, elevation: int, tile) -> None:
    u, v = rasterize(cube(), View(azimuth, elevation), (21, 21)).coordinates[10, 10].tolist()
    assert (u * 3, v * 2) == pytest.approx((tile[0] + 0.5, tile[1] + 0.5))
    # Upright, and not mirrored: to the right in the picture is to the right on the side.
    coordinates = rasterize(cube(), View(azimuth, elevation), (21, 21)).coordinates
    assert coordinates[10, 12, 0] > coordinates[10, 8, 0]
    assert coordinates[8, 10, 1] > coordinates[12, 10, 1]


def test_views_are_drawn_evenly_and_by_their_generator() -> None:
    views = RandomViews(distances=(2.0, 3.0))
    drawn = [views.draw(generator) for generator in generators(*range(400))]
    assert drawn == [views.draw(generator) for generator in generators(*range(400))]
    assert all(2 <= view.distance <= 3 for view in drawn)
    eyes = torch.stack([view.rotation[2] for view in drawn])  # the direction from the model to the eye
    assert float(eyes.mean(dim=0).abs().max()) < 0.12
    torch.testing.assert_close(eyes.square().mean(dim=0), torch.full((3,), 1 / 3).double(), atol=0.05, rtol=0)
    ranged = RandomViews((-10, 10), (0, 30), (5, 5), (4.0, 4.0))
    for generator in generators(*range(30)):
        view = ranged.draw(generator)
        assert -10 <= view.azimuth <= 10
        assert 0 <= view.elevation <= 30
        assert (view.roll, view.distance) == (5, 4)


def test_a_turntable_goes_around() -> None:
    views = turntable(4, elevation=10)
    assert [view.azimuth for view in views] == [0, 90, 180, 270]
    torch.testing.assert_close(views[1].rotation @ views[1].rotation.T, torch.eye(3).double())
    with pytest.raises(ObjectiveError, match="frames = 0 must be at least 1"):
        turntable(0)


def test_textures_are_read_between_their_pixels_and_go_on_periodically() -> None:
    texture = torch.rand(2, 3, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    places = 4 * torch.rand(2, 3, 7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) - 2
    found = sample(texture, places)
    for item in range(2):
        for row in range(3):
            for column in range(7):
                u, v = places[item, row, column].tolist()
                np.testing.assert_allclose(
                    found[item, :, row, column].numpy(), texel(texture[item].numpy(), u % 1, v % 1), atol=1e-12
                )
    torch.testing.assert_close(sample(texture, places + 3), found)


def test_gradients_go_to_the_texture_alone() -> None:
    texture = torch.rand(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    places = torch.rand(1, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    texture_gradient, place_gradient = torch.autograd.grad(
        sample(texture, places).sum(), (texture, places), allow_unused=True
    )
    assert place_gradient is None
    assert float(texture_gradient.sum()) == pytest.approx(4.0)


WAVEFRONT = """# a roof
mtllib roof.mtl
v 0 0 0
v 2 0 0 1.0
v 2 1 0
v 0 1 0
vt 0 0
vt 1 0 0
vt 1 1
vt 0 1
vn 0 0 1
o roof
usemtl red
f 1/1/1 2/2/1 3/3/1 4/4/1
v 1 2 0
f -2/4 -3/3 \\
  -1/2
"""


def test_a_wavefront_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "roof.obj"
    path.write_text(WAVEFRONT)
    mesh = read_mesh(path)
    assert mesh.positions.shape == (5, 3)
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [3, 2, 4]]
    assert mesh.coordinates[1].tolist() == [[0, 0], [1, 1], [0, 1]]
    assert mesh.coordinates[2].tolist() == [[0, 1], [1, 1], [1, 0]]


@pytest.mark.parametrize("name", list(MESHES))
def test_a_model_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    mesh = MESHES[name]
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in mesh.positions.tolist()]
    lines += [f"vt {u!r} {v!r}" for u, v in mesh.coordinates.flatten(0, 1).tolist()]
    for number, face in enumerate(mesh.faces.tolist()):
        lines.append("f " + " ".join(f"{point + 1}/{3 * number + corner + 1}" for corner, point in enumerate(face)))
    (tmp_path / "model.obj").write_text("\n".join(lines))
    back = read_mesh(tmp_path / "model.obj")
    assert repr(back) == repr(mesh)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n",
            r"line 4: the corner '1' has no texture coordinates; unwrap the model",
        ),
        ("v 0 0 0\nvt 0 0\nf 1//1 1//1 1//1\n", r"line 3: the corner '1//1' has no texture coordinates"),
        ("v 0 0\n", r"line 1: 3 numbers are wanted, not '0 0'"),
        ("v 0 0 zero\n", r"line 1: 3 numbers are wanted, not '0 0 zero'"),
        ("v 0 0 0\nvt 0 0\nf 1/1 2/1 1/1\n", r"line 3: there is no number 2 among the 1 points before it"),
        ("v 0 0 0\nvt 0 0\nf 1/1 1/0 1/1\n", r"line 3: there is no number 0 among the 1 texture coordinates"),
        ("v 0 0 0\nvt 0 0\nf a/1 1/1 1/1\n", r"line 3: 'a' is no number of one of the points"),
        ("v 0 0 0\nvt 0 0\nf 1/1 1/1\n", r"line 3: a face of 2 corners encloses nothing"),
        ("v 0 0 0\nvt 0 0\nf 1/1 1/1 1/1\n", r"all points of the mesh's triangles are one and the same"),
        ("hello\n", r"has no faces: it is no Wavefront model"),
    ],
)
def test_what_is_no_textured_model_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "model.obj").write_text(text)
    with pytest.raises(ObjectiveError, match=message):
        read_mesh(tmp_path / "model.obj")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ObjectiveError, match=r"the model .*missing.obj cannot be read: No such file"):
        read_mesh(tmp_path / "missing.obj")


def test_what_cannot_be_seen_is_refused() -> None:
    with pytest.raises(ObjectiveError, match=r"distance = 1.0 must be above 1, the radius of the model"):
        View(distance=1.0)
    with pytest.raises(ObjectiveError, match="field = 180 must be between 0 and 180 degrees"):
        View(field=180)
    with pytest.raises(ObjectiveError, match="an angle that is no finite number"):
        View(math.nan)
    with pytest.raises(ObjectiveError, match=r"distances = \(3, 2\) must be two finite numbers, the lower one first"):
        RandomViews(distances=(3, 2))
    with pytest.raises(ObjectiveError, match=r"elevations = \(-91, 0\) must be between -90 and 90 degrees"):
        RandomViews(elevations=(-91, 0))
    with pytest.raises(ObjectiveError, match="a view of 0x4 pixels shows nothing"):
        rasterize(cube(), View(), (0, 4))
    with pytest.raises(ObjectiveError, match="1 rows and 8 columns enclose nothing"):
        sphere(1, 8)
    with pytest.raises(ObjectiveError, match="thickness = 1 must be between 0 and 1"):
        torus(thickness=1)


def test_what_is_no_mesh_is_refused() -> None:
    points, faces, places = torch.eye(3), torch.tensor([[0, 1, 2]]), torch.zeros(1, 3, 2)
    assert repr(Mesh(points, faces, places)).startswith("Mesh(1 triangles, ")
    with pytest.raises(ObjectiveError, match=r"positions \(V, 3\) and faces \(F, 3\), not \(3, 2\)"):
        Mesh(points[:, :2], faces, places)
    with pytest.raises(ObjectiveError, match=r"1 triangles have texture coordinates \(1, 3, 2\), not \(2, 3, 2\)"):
        Mesh(points, faces, torch.zeros(2, 3, 2))
    with pytest.raises(ObjectiveError, match="a triangle has the point 3; there are 3, from 0"):
        Mesh(points, torch.tensor([[0, 1, 3]]), places)
    with pytest.raises(ObjectiveError, match="a mesh without a triangle"):
        Mesh(points, faces[:0], places[:0])
    with pytest.raises(ObjectiveError, match="must be finite numbers"):
        Mesh(points / 0, faces, places)
