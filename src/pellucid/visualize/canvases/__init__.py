"""What is optimized: parameters that become a picture."""

from pellucid.visualize.canvases.additive import Additive as Additive
from pellucid.visualize.canvases.alpha import Alpha as Alpha
from pellucid.visualize.canvases.between import Between as Between
from pellucid.visualize.canvases.canvas import Canvas as Canvas
from pellucid.visualize.canvases.cppn import CPPN as CPPN
from pellucid.visualize.canvases.fourier import Fourier as Fourier
from pellucid.visualize.canvases.fourier import spectrum_scale as spectrum_scale
from pellucid.visualize.canvases.latent import Latent as Latent
from pellucid.visualize.canvases.maco import MACO as MACO
from pellucid.visualize.canvases.masked import Masked as Masked
from pellucid.visualize.canvases.pixels import Pixels as Pixels
from pellucid.visualize.canvases.pyramid import Pyramid as Pyramid
from pellucid.visualize.canvases.shared import Shared as Shared
from pellucid.visualize.canvases.statistics import colour_square_root as colour_square_root
from pellucid.visualize.canvases.texture import Texture as Texture
