import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pellucid.errors import ObjectiveError, PellucidError
from pellucid.visualize.callbacks import Callback, Step
from pellucid.visualize.movies import Movie
from pellucid.visualize.render import Rendering, render
from pellucid.visualize.watching import Best, EarlyStop, PrintLosses, Record, StopAt
from small import small_network


def a_step(
    number: int,
    values: Sequence[float],
    *,
    first: int = 0,
    steps: int = 10,
    terms: Mapping[str, Sequence[float]] | None = None,
    grey: Sequence[float] | None = None,
    channels: int = 3,
    indices: tuple[int, ...] = (),
) -> Step:
    """A step whose pictures are of one grey each, by default their values."""
    count = len(values)
    shades = torch.tensor(values if grey is None else grey)[:, None, None, None]
    named = {name: torch.tensor(parts) for name, parts in (terms or {}).items()}
    gradient = torch.full((count, channels, 6, 8), 2.0)
    names = tuple(f"unit {first + index}" for index in range(count))
    return Step(
        number, steps, first, names, torch.tensor(values), named, gradient,
        lambda: shades.expand(count, channels, 6, 8).clone(), indices,
    )  # fmt: skip


def told(callback: Callback, curve: Sequence[Sequence[float]], *, first: int = 0) -> int:
    """How many steps of a batch are made before the callback ends it."""
    for number, values in enumerate(curve):
        if callback.step(a_step(number, values, first=first)):
            return number + 1
    return len(curve)


def rendering(images: Tensor) -> Rendering:
    return Rendering(images, torch.zeros(len(images)), torch.zeros(0, len(images)), ("unit",) * len(images))


def test_losses_are_printed_with_their_names() -> None:
    lines: list[str] = []
    printer = PrintLosses(every=2, write=lines.append)
    for number in range(3):
        printer.step(a_step(number, [3.5], terms={"conv:1": [4.0], "-10*tv": [-0.5], "other": [math.nan]}))
    assert lines == [
        "step 1/10: value = 3.5; conv:1 = 4; -10*tv = -0.5",
        "step 3/10: value = 3.5; conv:1 = 4; -10*tv = -0.5",
    ]


def test_losses_of_several_pictures_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    PrintLosses().step(a_step(0, [1.0, 2.0], first=4, terms={"a": [1.0, math.nan], "b": [math.nan, 2.0]}))
    assert capsys.readouterr().out.splitlines() == [
        "step 1/10 picture 4: value = 1; a = 1",
        "step 1/10 picture 5: value = 2; b = 2",
    ]


def test_a_batch_ends_when_no_picture_has_become_better() -> None:
    rising = [[float(number), 0.0] for number in range(20)]
    assert told(EarlyStop(patience=3), rising) == 20
    flat = [*rising[:5], *[[4.0, -1.0]] * 20]
    assert told(EarlyStop(patience=3), flat) == 8
    falling = [[-float(number)] for number in range(20)]
    assert told(EarlyStop(patience=6), falling) == 7


def test_small_gains_do_not_count_below_the_tolerance() -> None:
    # Each gain is one hundredth of the size, whatever its sign.
    up = [[100.0 * 1.01**number] for number in range(40)]
    from_below = [[-100.0 * 0.99**number] for number in range(40)]
    for curve in (up, from_below):
        assert told(EarlyStop(patience=3, tolerance=0.005), curve) == 40
        # Small gains count together once they are more than the tolerance: the best is that of the last real gain.
        assert told(EarlyStop(patience=3, tolerance=0.015), curve) == 40
        assert told(EarlyStop(patience=3, tolerance=0.1), curve) == 4


def test_every_batch_is_stopped_for_itself() -> None:
    stop = EarlyStop(patience=2)
    assert told(stop, [[5.0]] * 10) == 3
    assert told(stop, [[1.0], [2.0], [2.0], [2.0], [2.0]], first=1) == 4


def test_a_batch_ends_when_all_pictures_have_reached_a_value() -> None:
    assert told(StopAt(2.0), [[0.0, 3.0], [1.9, 3.0], [2.0, 2.5], [9.0, 9.0]]) == 3


def test_the_best_picture_of_each_is_kept() -> None:
    best = Best()
    best.begin({})
    told(best, [[1.0, 5.0], [3.0, 4.0], [2.0, 6.0]], first=2)
    told(best, [[9.0], [8.0]], first=0)
    assert best.values is not None
    assert best.images is not None
    assert best.values.tolist() == [9.0, 3.0, 6.0]
    torch.testing.assert_close(best.images, best.values[:, None, None, None].expand(3, 3, 6, 8))
    best.begin({})
    assert best.values is None
    assert best.images is None


def test_a_batch_that_begins_anew_in_halves_is_kept_once() -> None:
    best = Best()
    told(best, [[1.0, 2.0, 3.0, 4.0]])
    told(best, [[5.0, 6.0]])
    told(best, [[7.0, 0.0]], first=2)
    assert best.values is not None
    assert best.values.tolist() == [5.0, 6.0, 7.0, 0.0]


def test_pictures_that_start_again_are_kept_from_their_last_start() -> None:
    best = Best()
    told(best, [[1.0, 9.0, 3.0, 9.0], [2.0, 8.0, 4.0, 8.0]])
    for number, values in enumerate([[5.0, 6.0], [4.0, 7.0]]):
        best.step(a_step(number, values, indices=(1, 3)))
    assert best.values is not None
    assert best.values.tolist() == [2.0, 5.0, 4.0, 7.0]


def test_a_record_keeps_what_happened() -> None:
    record = Record(every=2, pictures=True)
    record.begin({})
    for number in range(5):
        record.step(a_step(number, [float(number)], terms={"a": [1.0], "b": [number - 1.0]}))
    assert [moment.number for moment in record.moments] == [0, 2, 4]
    last = record.moments[-1]
    assert {name: term.tolist() for name, term in last.terms.items()} == {"a": [1.0], "b": [3.0]}
    assert last.gradient_norms.tolist() == [2.0]
    assert last.pictures is not None
    assert float(last.pictures.mean()) == 4.0
    assert Record().moments == []


def frames(path: Path) -> list[Any]:
    with Image.open(path) as image:
        found = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(np.asarray(image.convert("RGB")))
    return found


def test_a_movie_has_a_sheet_for_every_so_many_steps_and_the_end(tmp_path: Path) -> None:
    movie = Movie(tmp_path / "growth.gif", every=2, fps=10)
    movie.begin({})
    for number in range(6):
        movie.step(a_step(number, [0, 0], grey=[0.1 * number, 0.5]))
    for number in range(3):  # a second batch, which ends early
        movie.step(a_step(number, [0], first=2, grey=[0.2 + 0.1 * number]))
    movie.end(rendering(torch.tensor([0.9, 0.5, 0.4])[:, None, None, None].expand(3, 3, 6, 8)))
    shown = frames(tmp_path / "growth.gif")
    assert [frame.shape for frame in shown] == [(16, 20, 3)] * 4  # two by two, 4 pixels between
    corners = [[int(frame[y, x, 0]) for y, x in ((1, 1), (1, 15), (12, 1), (12, 15))] for frame in shown]
    grey = [[0.0, 0.5, 0.2], [0.2, 0.5, 0.4], [0.4, 0.5, 0.4], [0.9, 0.5, 0.4]]
    for seen, wanted in zip(corners, grey, strict=True):
        assert np.abs(np.array(seen) - [*(255 * np.array(wanted)), 255]).max() <= 3


def test_a_movie_forgets_a_batch_that_was_given_up(tmp_path: Path) -> None:
    movie = Movie(tmp_path / "growth.gif", every=1)
    for number in range(3):
        movie.step(a_step(number, [0, 0, 0], grey=[0.9, 0.9, 0.9]))
    movie.step(a_step(0, [0], grey=[0.1]))  # memory ran out: again in smaller batches, which end at once
    movie.step(a_step(0, [0, 0], first=1, grey=[0.2, 0.3]))
    movie.end(rendering(torch.tensor([0.4, 0.5, 0.6])[:, None, None, None].expand(3, 3, 6, 8)))
    shown = frames(tmp_path / "growth.gif")
    assert [frame[1, 1, 0] // 10 for frame in shown] == [2, 10]


def test_transparent_pictures_are_filmed_on_white(tmp_path: Path) -> None:
    movie = Movie(tmp_path / "growth.gif")
    movie.step(a_step(0, [0.5], channels=4))
    movie.end(rendering(torch.tensor([1.0, 0.0, 0.0, 0.25])[None, :, None, None].expand(1, 4, 6, 8)))
    first, last = frames(tmp_path / "growth.gif")
    assert np.abs(first[3, 3].astype(int) - 191).max() <= 2
    assert np.abs(last[3, 3].astype(int) - [255, 191, 191]).max() <= 2


def test_what_cannot_be_is_refused_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=r"as .gif or .mp4, not '.png'"):
        Movie(tmp_path / "growth.png")
    with pytest.raises(ObjectiveError, match="every = 0 must be a positive number of steps"):
        PrintLosses(every=0)
    with pytest.raises(ObjectiveError, match="patience = 0 must be"):
        EarlyStop(patience=0)
    with pytest.raises(ObjectiveError, match="tolerance = -1 must not be negative"):
        EarlyStop(tolerance=-1)


def test_callbacks_watch_the_loop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, best = Record(), Best()
    film = Movie(tmp_path / "growth.gif", every=2)
    objectives = ["conv3:1", "conv3:2 - 0.5*conv2:3", "head:1"]
    made = render(small_network(), objectives, steps=6, batch=2, callbacks=[record, best, film, PrintLosses(every=5)])
    assert [(moment.places, moment.number) for moment in record.moments] == [
        (places, number) for places in ((0, 1), (2,)) for number in range(6)
    ]
    for moment in record.moments:
        torch.testing.assert_close(moment.values, made.trace[moment.number, list(moment.places)], atol=1e-5, rtol=1e-4)
        total = torch.stack(list(moment.terms.values())).nansum(dim=0)
        torch.testing.assert_close(total, moment.values, atol=1e-5, rtol=1e-4)
    assert best.values is not None
    torch.testing.assert_close(best.values, made.trace.max(dim=0).values)
    assert len(frames(tmp_path / "growth.gif")) == 4
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert "step 6/6 picture 1: value = " in lines[3]
    assert "conv3:2 = " in lines[3]
    assert "0.5*conv2:3 = " in lines[3]


def test_a_callback_stops_the_loop() -> None:
    whole = render(small_network(), "head:1", steps=30)
    goal = float(whole.trace[20, 0])
    record = Record()
    made = render(small_network(), "head:1", steps=30, callbacks=[StopAt(goal), record])
    values = [float(moment.values[0]) for moment in record.moments]
    assert 1 < len(values) <= 21
    assert values[-1] >= goal > max(values[:-1])
    assert made.trace.isnan().sum() == 30 - len(values)


def test_a_users_own_callback_sees_begin_and_end() -> None:
    class Diary(Callback):
        def __init__(self) -> None:
            self.lines: list[str] = []

        def begin(self, about: Mapping[str, Any]) -> None:
            self.lines.append(f"begin {about['steps']}")

        def step(self, step: Step) -> None:
            self.lines.append(f"{step.number} {step.objectives[0]}")

        def end(self, rendering: Rendering) -> None:
            self.lines.append(f"end {len(rendering.images)}")

    diary = Diary()
    render(small_network(), "conv3:1", steps=2, callbacks=[diary])
    assert diary.lines == ["begin 2", "0 conv3:1", "1 conv3:1", "end 1"]


def test_the_pictures_are_those_at_which_a_callback_stopped() -> None:
    seen: list[Tensor] = []

    class Stops(Callback):
        def step(self, step: Step) -> bool:
            seen.append(step.pictures())
            return step.number == 3

    rendering = render(small_network(), "conv3:1", steps=10, callbacks=[Stops()], transforms=())
    assert len(seen) == 4
    assert torch.equal(rendering.images, seen[-1])
    assert not torch.equal(seen[-1], seen[-2])
    torch.testing.assert_close(rendering.values, rendering.trace[3])
    assert bool(rendering.trace[4:].isnan().all())
