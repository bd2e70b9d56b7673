"""Combing: whether small ticks on a curve excite what detects curves."""

from pellucid.curves.combing.combing import Combing as Combing
from pellucid.curves.combing.combing import Interval as Interval
from pellucid.curves.combing.combing import measure_combing as measure_combing
from pellucid.curves.combing.figure import combing_figure as combing_figure
from pellucid.curves.combing.ticks import SIDES as SIDES
from pellucid.curves.combing.ticks import TILTS as TILTS
from pellucid.curves.combing.ticks import TickedCurve as TickedCurve
