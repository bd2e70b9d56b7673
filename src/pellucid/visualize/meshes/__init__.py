"""Models in three dimensions: triangles with texture coordinates, seen from somewhere."""

from pellucid.visualize.meshes.mesh import Mesh as Mesh
from pellucid.visualize.meshes.raster import Raster as Raster
from pellucid.visualize.meshes.raster import rasterize as rasterize
from pellucid.visualize.meshes.sampling import sample as sample
from pellucid.visualize.meshes.surfaces import cube as cube
from pellucid.visualize.meshes.surfaces import sphere as sphere
from pellucid.visualize.meshes.surfaces import square as square
from pellucid.visualize.meshes.surfaces import torus as torus
from pellucid.visualize.meshes.view import RandomViews as RandomViews
from pellucid.visualize.meshes.view import View as View
from pellucid.visualize.meshes.view import turntable as turntable
from pellucid.visualize.meshes.wavefront import read_mesh as read_mesh
