"""Synthetic tuning: what units answer to drawn curves, angles and lines, by orientation, curvature and looks."""

from pellucid.curves.synthetic.angles import AngleSeries as AngleSeries
from pellucid.curves.synthetic.angles import angle_series as angle_series
from pellucid.curves.synthetic.dataset import beyond_the_picture as beyond_the_picture
from pellucid.curves.synthetic.dataset import dataset_scale as dataset_scale
from pellucid.curves.synthetic.heatmap import Heatmap as Heatmap
from pellucid.curves.synthetic.panels import heatmap_figure as heatmap_figure
from pellucid.curves.synthetic.sweeps import AngleSweep as AngleSweep
from pellucid.curves.synthetic.sweeps import CurveSweep as CurveSweep
from pellucid.curves.synthetic.sweeps import LineSweep as LineSweep
from pellucid.curves.synthetic.sweeps import Sweep as Sweep
from pellucid.curves.synthetic.tuning import curve_heatmap as curve_heatmap
from pellucid.curves.synthetic.tuning import line_heatmap as line_heatmap
from pellucid.curves.synthetic.tuning import line_tuning_of as line_tuning_of
from pellucid.curves.synthetic.tuning import tuning_of as tuning_of
from pellucid.curves.synthetic.variants import Variant as Variant
from pellucid.curves.synthetic.variants import compare_variants as compare_variants
from pellucid.curves.synthetic.variants import cosmetic_heatmaps as cosmetic_heatmaps
