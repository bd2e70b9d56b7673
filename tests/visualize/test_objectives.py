import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from oracles import direction_value
from pellucid.errors import LayerError, ObjectiveError
from pellucid.visualize import Objective, channel, cosine, direction, neuron, parse
from small import small_network

MAPS = {
    "a": torch.randn(3, 6, 3, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(1)),
    "b": torch.randn(3, 4, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2)),
    "flat": torch.randn(3, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(3)),
}


def test_units() -> None:
    torch.testing.assert_close(channel("a", 4)(MAPS), MAPS["a"][:, 4].mean(dim=(1, 2)))
    torch.testing.assert_close(channel("flat", 8)(MAPS), MAPS["flat"][:, 8])
    torch.testing.assert_close(neuron("a", 4)(MAPS), MAPS["a"][:, 4, 1, 5])  # 3 x 10: not square, no axes swapped
    torch.testing.assert_close(neuron("a", 4, (2, 9))(MAPS), MAPS["a"][:, 4, 2, 9])


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.sampled_from(["a:1", "a:3@2,7", "b:0", "flat:2"])), min_size=1, max_size=6)
)
def test_sums_are_the_weighted_sums(terms: list[tuple[float, str]]) -> None:
    total: Objective | None = None
    truth = torch.zeros(3, dtype=torch.float64)
    for weight, text in terms:
        term = weight * parse(text)
        total = term if total is None else total + term
        truth = truth + weight * parse(text)(MAPS)
    assert total is not None
    torch.testing.assert_close(total(MAPS), truth)


def test_arithmetic() -> None:
    a, b = channel("a", 1), neuron("b", 3, (4, 1))
    x, y = a(MAPS), b(MAPS)
    torch.testing.assert_close((2 * a + 3 * b)(MAPS), 2 * x + 3 * y)
    torch.testing.assert_close((a - b)(MAPS), x - y)
    torch.testing.assert_close((-(a - 2 * b) * 0.5)(MAPS), -0.5 * (x - 2 * y))
    torch.testing.assert_close((a / 4)(MAPS), x / 4)
    torch.testing.assert_close(parse("2*a:1 - 0.5*b:3@4,1")(MAPS), 2 * x - 0.5 * y)
    # Arithmetic makes new objectives and leaves its operands alone.
    assert (str(a), str(b)) == ("a:1", "b:3@4,1")
    assert parse("2*a:1 - b:3@4,1") == 2 * a - b


def test_hundreds_of_terms() -> None:
    total = channel("a", 0)
    for index in range(1, 600):
        total = total + channel("a", index % 6)
    torch.testing.assert_close(total(MAPS), 100 * MAPS["a"].sum(dim=1).mean(dim=(1, 2)))


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 4.0])
def test_direction_is_the_formula(power: float) -> None:
    vector = torch.randn(6, dtype=torch.float64)
    values = direction("a", vector, power=power)(MAPS)
    truth = [direction_value(maps, vector, power) for maps in MAPS["a"]]
    torch.testing.assert_close(values, torch.tensor(truth, dtype=torch.float64))


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_cosine_is_a_true_cosine(scale: float) -> None:
    vector = scale * torch.randn(6, dtype=torch.float64)
    truth = F.cosine_similarity(MAPS["a"], vector[None, :, None, None], dim=1)
    torch.testing.assert_close(cosine("a", vector)(MAPS), truth.mean(dim=(1, 2)))
    torch.testing.assert_close(cosine("a", vector, position=(2, 9))(MAPS), truth[:, 2, 9])
    flat = torch.randn(9, dtype=torch.float64)
    torch.testing.assert_close(cosine("flat", flat)(MAPS), F.cosine_similarity(MAPS["flat"], flat[None], dim=1))


def test_the_cosine_in_a_direction_is_true_at_any_scale() -> None:
    v = torch.randn(6, dtype=torch.float64)
    h = {"a": 3 * v[None, :, None, None].expand(1, 6, 1, 1)}
    for scale in (0.01, 1.0, 100.0):
        torch.testing.assert_close(direction("a", scale * v, power=4)(h), 3 * v.norm()[None])


def test_a_metric_is_applied_to_both_sides() -> None:
    root = torch.randn(6, 6, dtype=torch.float64)
    metric = root @ root.T
    v = torch.randn(6, dtype=torch.float64)
    whitened = {"a": torch.einsum("cd,nd...->nc...", metric, MAPS["a"])}
    torch.testing.assert_close(
        direction("a", v, power=2, metric=metric)(MAPS), direction("a", metric @ v, power=2)(whitened)
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda i: channel("a", i),
        lambda i: direction("a", torch.full((6,), float(i + 1), dtype=torch.float64) + torch.arange(6), power=2),
        lambda i: direction("a", torch.arange(6, dtype=torch.float64) - i, position="center"),
    ],
)
def test_a_batch_of_one_kind_is_the_same_as_each_alone(make) -> None:
    objectives = [make(index) for index in range(3)]
    together = objectives[0].stack(objectives)
    assert together is not None
    alone = [o({name: maps[i : i + 1] for name, maps in MAPS.items()}) for i, o in enumerate(objectives)]
    torch.testing.assert_close(together(MAPS), torch.cat(alone))


def test_other_kinds_are_not_stacked() -> None:
    v = torch.randn(6, dtype=torch.float64)
    assert channel("a", 1).stack([channel("a", 1), channel("b", 1)]) is None
    assert channel("a", 1).stack([channel("a", 1), neuron("a", 1)]) is None
    assert direction("a", v).stack([direction("a", v), direction("a", v, power=1)]) is None


def test_names_are_values() -> None:
    v = torch.arange(6, dtype=torch.float64)
    assert str(direction("a", v, power=4)) == str(direction("a", v.clone(), power=4))
    assert str(direction("a", v)) != str(direction("a", v + 1))
    assert channel("a", 1) == channel("a", 1)
    assert hash(channel("a", 1) + channel("b", 1)) == hash(channel("a", 1) + channel("b", 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the objective is empty"),
        ("mixed3b", "cannot read 'mixed3b'"),
        ("a:1 + ", r"cannot read '\+'"),
        ("a:1 b:2", "cannot read 'b:2'"),
        ("a:1 * b:2", r"cannot read"),
        ("a:x", "cannot read 'a:x'"),
    ],
)
def test_text_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("objective", "error", "message"),
    [
        (channel("conv9", 0), LayerError, "no layer 'conv9'"),
        (channel("conv2", 12), ObjectiveError, "conv2 has 12 units, 0 to 11; there is no unit 12"),
        (neuron("head", 1), LayerError, "'head' of Small has no spatial activations"),
        (direction("conv2", torch.zeros(5)), ObjectiveError, r"a vector of 12 numbers, not of shape \(5,\)"),
        (cosine("head", torch.zeros(7), position="center"), LayerError, "no spatial activations"),
        (channel("conv2", 1) + channel("conv2", 99), ObjectiveError, "there is no unit 99"),
    ],
)
def test_what_a_network_does_not_have_is_refused(objective: Objective, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        objective.check(small_network())


def test_a_position_outside_the_map_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="position 3,0 lies outside the 3x10 map of a"):
        neuron("a", 0, (3, 0))(MAPS)


def test_what_cannot_be_added_is_refused() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = channel("a", 1) + 3  # pyright: ignore[reportOperatorIssue]
