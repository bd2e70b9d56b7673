"""Tuning curves: what a unit answers to a stimulus turned about the circle. Without torch."""

from pellucid.curves.tuning_curves.files import read_tuning_curves as read_tuning_curves
from pellucid.curves.tuning_curves.files import tuning_record as tuning_record
from pellucid.curves.tuning_curves.matching import Shift as Shift
from pellucid.curves.tuning_curves.matching import average as average
from pellucid.curves.tuning_curves.matching import best_shift as best_shift
from pellucid.curves.tuning_curves.matching import shape_correlations as shape_correlations
from pellucid.curves.tuning_curves.radial_plot import radial_figure as radial_figure
from pellucid.curves.tuning_curves.spacing import Gap as Gap
from pellucid.curves.tuning_curves.spacing import coverage as coverage
from pellucid.curves.tuning_curves.spacing import envelope as envelope
from pellucid.curves.tuning_curves.spacing import gaps as gaps
from pellucid.curves.tuning_curves.table import csv_text as csv_text
from pellucid.curves.tuning_curves.table import measure_rows as measure_rows
from pellucid.curves.tuning_curves.tuning_curve import TuningCurve as TuningCurve
from pellucid.curves.tuning_curves.von_mises import VonMises as VonMises
from pellucid.curves.tuning_curves.von_mises import fit_von_mises as fit_von_mises
