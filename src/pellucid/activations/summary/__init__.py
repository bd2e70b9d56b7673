"""Summaries of activations, which need no torch: what an entire dataset did to every unit of a layer."""

from pellucid.activations.summary.bins import Bins as Bins
from pellucid.activations.summary.classes import ClassSums as ClassSums
from pellucid.activations.summary.covariance import Covariance as Covariance
from pellucid.activations.summary.histogram import Histogram as Histogram
from pellucid.activations.summary.moments import Moments as Moments
from pellucid.activations.summary.ranking import Ranking as Ranking
from pellucid.activations.summary.samples import BinSamples as BinSamples
from pellucid.activations.summary.samples import Draw as Draw
from pellucid.activations.summary.samples import priorities as priorities
from pellucid.activations.summary.store import LayerRecord as LayerRecord
from pellucid.activations.summary.store import layer_record as layer_record
from pellucid.activations.summary.store import read_summary as read_summary
from pellucid.activations.summary.store import summarized as summarized
from pellucid.activations.summary.store import taps as taps
from pellucid.activations.summary.summary import Summary as Summary
from pellucid.activations.summary.summary import joined as joined
