"""The distribution of a unit's activations over positions, in numbers and figures, with intervals. Without torch."""

from pellucid.activations.distribution.description import Description as Description
from pellucid.activations.distribution.description import describe as describe
from pellucid.activations.distribution.distribution import CentralSums as CentralSums
from pellucid.activations.distribution.distribution import Distribution as Distribution
from pellucid.activations.distribution.excess import mean_excess as mean_excess
from pellucid.activations.distribution.exponential import exponential_scale as exponential_scale
from pellucid.activations.distribution.figure import figure as figure
from pellucid.activations.distribution.figure import save_figure as save_figure
from pellucid.activations.distribution.numbers import Number as Number
from pellucid.activations.distribution.numbers import Numbers as Numbers
from pellucid.activations.distribution.numbers import numbers as numbers
from pellucid.activations.distribution.pages import describe_units as describe_units
from pellucid.activations.distribution.pages import write_distributions as write_distributions
from pellucid.activations.distribution.published import read_histogram as read_histogram
from pellucid.activations.distribution.record import record as record
from pellucid.activations.distribution.sparsity import gini as gini
from pellucid.activations.distribution.sparsity import sparseness as sparseness
from pellucid.activations.distribution.table import csv_text as csv_text
from pellucid.activations.distribution.table import rich_table as rich_table
from pellucid.activations.distribution.table import rows as rows
from pellucid.activations.distribution.tail import TailFit as TailFit
from pellucid.activations.distribution.tail import fit_tail as fit_tail
