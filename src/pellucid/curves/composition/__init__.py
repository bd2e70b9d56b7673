"""Composition: the curves of images as factors of what a family of units answers to them."""

from pellucid.curves.composition.composition import Composition as Composition
from pellucid.curves.composition.composition import compose as compose
from pellucid.curves.composition.directions import family_directions as family_directions
from pellucid.curves.composition.directions import family_tuning as family_tuning
from pellucid.curves.composition.directions import mean_direction as mean_direction
from pellucid.curves.composition.figure import composition_figure as composition_figure
from pellucid.curves.composition.regions import Regions as Regions
from pellucid.curves.composition.regions import Split as Split
from pellucid.curves.composition.regions import factor_regions as factor_regions
from pellucid.curves.composition.regions import split_of as split_of
