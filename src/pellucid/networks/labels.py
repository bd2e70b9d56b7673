"""Names of a network's classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Labels:
    """Class names in the order of the logits, with their WordNet ids (`wnids`) where the classes have them."""

    names: tuple[str, ...]
    wnids: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> str:
        return self.names[index]

    @classmethod
    def of(cls, labels: "Labels | Sequence[str] | None") -> "Labels | None":
        """Labels from a sequence of names."""
        return labels if labels is None or isinstance(labels, Labels) else cls(tuple(labels))


@cache
def imagenet() -> Labels:
    """The 1,000 classes of ILSVRC 2012 in the usual order, from timm's `ImageNetInfo`."""
    from timm.data.imagenet_info import ImageNetInfo

    info = ImageNetInfo()
    count = range(info.num_classes())
    return Labels(
        tuple(info.index_to_description(index) for index in count),
        tuple(info.index_to_label_name(index) for index in count),
    )
