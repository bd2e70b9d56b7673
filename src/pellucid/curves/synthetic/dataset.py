"""What a study says of a layer's activations, and what a picture cannot show of what its units see."""

from pathlib import Path

from pellucid.activations.summary import read_summary
from pellucid.curves.scales import Scale
from pellucid.curves.sight import Sight
from pellucid.errors import StudyError
from pellucid.networks import Network
from pellucid.study import Study


def dataset_scale(study: Study | Path | str, network: Network, layer: str) -> Scale:
    """The scale of a layer's units on the dataset of a study.

    Raises `StudyError` where the study is of other weights, and, with the command that makes one, where it has no
    harvest of the layer.
    """
    if not isinstance(study, Study) and not (Path(study) / "study.json").is_file():
        raise StudyError(
            f"no study in {study}; make one with "
            f"'pellucid harvest {network.name} --images DIR --layer {layer} -o {study}'"
        )
    opened = study if isinstance(study, Study) else Study.open(study)
    opened.refuse_other_weights(network.name, network.digest)
    found = Scale.of(read_summary(opened, layer))
    if len(found.mean) != network.layer(layer).channels:
        raise StudyError(
            f"the study in {opened.path} has {len(found.mean)} units of layer {layer!r}, and {network.name} has "
            f"{network.layer(layer).channels}; harvest the layer again"
        )
    return found


def beyond_the_picture(network: Network, sight: Sight) -> str | None:
    """A warning in words where the layer's middle unit sees more than the picture, None where it sees all of it.

    Stimuli are drawn nevertheless; what lies beyond the edges is the network's padding, not the stimulus.
    """
    if sight.size != network.size:
        return None  # the picture was chosen so that all of the field lies in it
    field = network.receptive_fields([sight.layer])[sight.layer]
    left, top, right, bottom = field.box(*sight.position)
    (height, width), (y, x) = sight.size, sight.centre
    if any(field.whole):
        return (
            f"{sight.layer} of {network.name} sees all of its picture of {height} x {width} px and of any larger one: "
            "what stands at its edges counts as well"
        )
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return None
    return (
        f"{sight.layer} of {network.name} sees {field.size[0]} x {field.size[1]} px about ({y:g}, {x:g}), more than "
        f"its picture of {height} x {width} px: beyond the edges there is padding and no stimulus"
    )
