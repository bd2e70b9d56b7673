"""Activation atlases: a layer's activations laid out, averaged over a grid, and drawn (Carter et al., Distill 2019)."""

from pellucid.atlas.build import AtlasConfig as AtlasConfig
from pellucid.atlas.build import build as build
from pellucid.atlas.check import check as check
