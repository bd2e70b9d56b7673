"""Activation atlases: a layer's activations laid out, averaged over a grid, and drawn (Carter et al., Distill 2019)."""

from pellucid.atlas.build import AtlasConfig as AtlasConfig
from pellucid.atlas.build import build as build
from pellucid.atlas.check import check as check
from pellucid.atlas.check import compare_layouts as compare_layouts
from pellucid.atlas.layout import PCA as PCA
from pellucid.atlas.layout import TSNE as TSNE
from pellucid.atlas.layout import UMAP as UMAP
from pellucid.atlas.layout import Layout as Layout
from pellucid.atlas.layout import PaCMAP as PaCMAP
from pellucid.atlas.layout import placed as placed
