"""Optimizing a picture for what a network computes: one loop, and the nouns that go into it."""

from pellucid.visualize.canvases import Canvas as Canvas
from pellucid.visualize.canvases import Fourier as Fourier
from pellucid.visualize.objectives import Objective as Objective
from pellucid.visualize.objectives import channel as channel
from pellucid.visualize.objectives import cosine as cosine
from pellucid.visualize.objectives import direction as direction
from pellucid.visualize.objectives import neuron as neuron
from pellucid.visualize.objectives import parse as parse
from pellucid.visualize.render import Rendering as Rendering
from pellucid.visualize.render import render as render
from pellucid.visualize.transforms import Jitter as Jitter
from pellucid.visualize.transforms import Pad as Pad
from pellucid.visualize.transforms import Rotate as Rotate
from pellucid.visualize.transforms import Scale as Scale
from pellucid.visualize.transforms import Transform as Transform
