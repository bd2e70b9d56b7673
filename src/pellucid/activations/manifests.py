"""What a study says of the images that it is of."""

from importlib.metadata import PackageNotFoundError, version

from pellucid.activations.sources import Source
from pellucid.activations.views import ViewPlan
from pellucid.networks import Network
from pellucid.study import Manifest

_PACKAGES = ("pellucid", "torch", "torchvision", "timm", "numpy", "pillow", "umap-learn")


def describe_run(network: Network, source: Source, plan: ViewPlan, command: str) -> Manifest:
    """What a study's manifest says of a network that is shown the views of a source."""
    images = {**source.describe(), **plan.describe()}
    return Manifest(network.describe(), images, {name: _version(name) for name in _PACKAGES}, command)


def unusable(source: Source) -> list[dict[str, str]]:
    """What a source found unusable before any image was opened, as the lists of skipped images say it."""
    return [{"image": name, "reason": reason} for name, reason in source.skipped]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a source tree that was never installed
        return "unknown"
