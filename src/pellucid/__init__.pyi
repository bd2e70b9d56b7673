from .activations import harvest as harvest
from .activations import summarize as summarize
from .networks import Network as Network
from .networks import load as load
from .networks import wrap as wrap
from .study import Study as Study
from .units import Unit as Unit
from .visualize import render as render

__version__: str
