"""What a dataset does to a network: activations of many photographs, on disk."""

from pellucid.activations.harvest import HarvestConfig as HarvestConfig
from pellucid.activations.harvest import harvest as harvest
from pellucid.activations.images import Box as Box
from pellucid.activations.images import load_view as load_view
from pellucid.activations.store import Samples as Samples
from pellucid.activations.store import read_samples as read_samples
