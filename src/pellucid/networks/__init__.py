"""Vision networks: loading, wrapping, looking inside, without ever leaving a trace on them."""

from pellucid.networks.capture import capture as capture
from pellucid.networks.ensemble import ensemble as ensemble
from pellucid.networks.fold import folded as folded
from pellucid.networks.frozen import frozen as frozen
from pellucid.networks.labels import Labels as Labels
from pellucid.networks.layers import Layer as Layer
from pellucid.networks.network import Network as Network
from pellucid.networks.network import Normalize as Normalize
from pellucid.networks.parameter_noise import ParameterNoise as ParameterNoise
from pellucid.networks.reading import OUTPUT as OUTPUT
from pellucid.networks.reading import PICTURE as PICTURE
from pellucid.networks.reading import is_output as is_output
from pellucid.networks.reading import layer_of as layer_of
from pellucid.networks.reading import read as read
from pellucid.networks.receptive_field import ReceptiveField as ReceptiveField
from pellucid.networks.receptive_field import receptive_fields as receptive_fields
from pellucid.networks.rectified import rectified_layers as rectified_layers
from pellucid.networks.wrap import wrap as wrap
from pellucid.networks.zoo import load as load
from pellucid.networks.zoo import names as names
