"""Lists of positions in their order, one for each unit or group: how they are made and joined, compiled."""

import numpy as np

from pellucid.activations.compiled import compiled


@compiled()
def first_of_each_image(columns, images, most, found):
    """Of columns (U, N), the best first, put those that are the first of their image into `found` (U, K).

    `images` (N,) are those of the columns, numbered from 0; `most` (U,) is how many columns of a unit count.
    """
    last = np.full(len(images), -1)
    for unit in range(len(columns)):
        held = 0
        for rank in range(most[unit]):
            if held == found.shape[1]:
                break
            column = columns[unit, rank]
            if last[images[column]] != unit:
                last[images[column]] = unit
                found[unit, held] = column
                held += 1


@compiled(inline="always")
def _before(value, item, place, other_value, other_item, other_place):
    """Whether a position stands before another: by its value, then its item, then its place."""
    if value != other_value:
        return value < other_value
    return item < other_item if item != other_item else place < other_place


@compiled()
def join_rankings(sign, ours, theirs, found):
    """Join two rankings, the least values times `sign` first, into a third, in which an image stands once.

    Each is of values, items and places (U, K), and of the items' images where it is given.
    """
    our_values, our_items, our_places, our_images = ours
    their_values, their_items, their_places, their_images = theirs
    values, items, places = found
    length = values.shape[1]
    images = np.empty(length, np.int64)
    for unit in range(len(values)):
        held = i = j = 0
        while held < length:
            left = i < length and our_items[unit, i] >= 0
            right = j < length and their_items[unit, j] >= 0
            if not (left or right):
                break
            if left and right:
                left = _before(
                    sign * our_values[unit, i], our_items[unit, i], our_places[unit, i],
                    sign * their_values[unit, j], their_items[unit, j], their_places[unit, j],
                )  # fmt: skip
            image = our_images[unit, i] if left else their_images[unit, j]
            again = 0
            for slot in range(held):
                again += images[slot] == image
            if again == 0:
                images[held] = image
                if left:
                    values[unit, held], items[unit, held] = our_values[unit, i], our_items[unit, i]
                    places[unit, held] = our_places[unit, i]
                else:
                    values[unit, held], items[unit, held] = their_values[unit, j], their_items[unit, j]
                    places[unit, held] = their_places[unit, j]
                held += 1
            if left:
                i += 1
            else:
                j += 1


@compiled()
def join_samples(ours, theirs, found):
    """Join two samples, each of values, items, places and priorities (G, R), into a third: the least priorities."""
    our_values, our_items, our_places, our_chances = ours
    their_values, their_items, their_places, their_chances = theirs
    values, items, places, chances = found
    for group in range(len(values)):
        i = j = 0
        for slot in range(values.shape[1]):
            if _before(
                our_chances[group, i], our_items[group, i], our_places[group, i],
                their_chances[group, j], their_items[group, j], their_places[group, j],
            ):  # fmt: skip
                values[group, slot], items[group, slot] = our_values[group, i], our_items[group, i]
                places[group, slot], chances[group, slot] = our_places[group, i], our_chances[group, i]
                i += 1
            else:
                values[group, slot], items[group, slot] = their_values[group, j], their_items[group, j]
                places[group, slot], chances[group, slot] = their_places[group, j], their_chances[group, j]
                j += 1


@compiled()
def sort_samples(values, items, places, chances):
    """Put samples (G, R) in the order of their priorities; those that are nearly in order take least."""
    for group in range(len(values)):
        for end in range(1, values.shape[1]):
            value, item, place, chance = values[group, end], items[group, end], places[group, end], chances[group, end]
            slot = end
            while slot > 0 and _before(
                chance, item, place, chances[group, slot - 1], items[group, slot - 1], places[group, slot - 1]
            ):
                values[group, slot], items[group, slot] = values[group, slot - 1], items[group, slot - 1]
                places[group, slot], chances[group, slot] = places[group, slot - 1], chances[group, slot - 1]
                slot -= 1
            values[group, slot], items[group, slot], places[group, slot], chances[group, slot] = (
                value, item, place, chance
            )  # fmt: skip
