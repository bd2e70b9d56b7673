import pytest

from pellucid.atlas.class_names import find_class
from pellucid.errors import AtlasError

CLASSES = (
    "great white shark, white shark, man-eater",
    "tiger shark",
    "baseball",
    "ballplayer, baseball player",
    "crane",
    "crane",
    "fire engine",
)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("3", 3),
        ("baseball", 2),
        ("Baseball  Player", 3),
        ("white shark", 0),
        ("man-eater", 0),
        ("tiger", 1),
        ("fire_engine", 6),
        (" GREAT white shark, white shark, man-eater ", 0),
    ],
)
def test_a_class_is_found_by_index_name_and_part_of_a_name(text: str, index: int) -> None:
    assert find_class(CLASSES, text) == index


def test_what_is_no_class_or_several_is_refused() -> None:
    with pytest.raises(
        AtlasError, match=r"'shark' is in the names of 2 classes: 0 \(great .*\), 1 \(tiger shark\); say"
    ):
        find_class(CLASSES, "shark")
    with pytest.raises(AtlasError, match=r"'crane' is in the names of 2 classes: 4 \(crane\), 5 \(crane\)"):
        find_class(CLASSES, "crane")
    with pytest.raises(AtlasError, match="there is no class 'basebal1'; did you mean 'baseball'"):
        find_class(CLASSES, "basebal1")
    with pytest.raises(AtlasError, match="there is no class 7: there are classes 0 to 6"):
        find_class(CLASSES, "7")
    with pytest.raises(AtlasError, match="a class is given by its index or its name, not '  '"):
        find_class(CLASSES, "  ")
    with pytest.raises(AtlasError, match="the classes have no names, so there is no 'cat': give an index from 0 to 9"):
        find_class((), "cat", count=10)
    assert find_class((), "9", count=10) == 9
    with pytest.raises(AtlasError, match="there are no classes"):
        find_class((), "0")
