"""Where a harvest is done: on this machine, or on a cluster."""

from pellucid.activations.engines.engine import Engine as Engine
from pellucid.activations.engines.engine import Job as Job
from pellucid.activations.engines.local import LocalEngine as LocalEngine
from pellucid.activations.engines.ray import RayEngine as RayEngine
