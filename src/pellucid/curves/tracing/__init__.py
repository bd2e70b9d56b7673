"""Curve tracing: splines that a network's layer takes for the curves of an image."""

from pellucid.curves.tracing.accuracy import TraceError as TraceError
from pellucid.curves.tracing.accuracy import trace_error as trace_error
from pellucid.curves.tracing.figure import trace_figure as trace_figure
from pellucid.curves.tracing.spline import catmull_rom as catmull_rom
from pellucid.curves.tracing.spline import evenly as evenly
from pellucid.curves.tracing.starts import longest_way as longest_way
from pellucid.curves.tracing.starts import way_along_edges as way_along_edges
from pellucid.curves.tracing.starts import way_along_peaks as way_along_peaks
from pellucid.curves.tracing.stroke import stroke_distance as stroke_distance
from pellucid.curves.tracing.stroke import stroke_ink as stroke_ink
from pellucid.curves.tracing.trace import Trace as Trace
from pellucid.curves.tracing.trace import trace_curve as trace_curve
