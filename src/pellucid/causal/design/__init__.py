"""Who is shown what, when, and on which side: schedules that are balanced, from a seed."""

from pellucid.causal.design.making import make_design as make_design
from pellucid.causal.design.shuffling import Shuffle as Shuffle
