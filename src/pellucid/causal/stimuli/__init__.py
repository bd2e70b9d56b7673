"""Stimuli: photographs with a patch covered, what people are shown of a unit beside them, and the key.

The method is that of Zimmermann et al., How Well do Feature Visualizations Support Causal Understanding of CNN
Activations? (NeurIPS 2021); the two-choice task is that of Borowski et al., Exemplary Natural Images Explain CNN
Activations Better than State-of-the-Art Feature Visualization (ICLR 2021).
"""

from pellucid.causal.stimuli.activity import Activity as Activity
from pellucid.causal.stimuli.activity import UnitActivity as UnitActivity
from pellucid.causal.stimuli.config import StimuliConfig as StimuliConfig
from pellucid.causal.stimuli.image_sets import ImageSet as ImageSet
from pellucid.causal.stimuli.image_sets import extremes as extremes
from pellucid.causal.stimuli.image_sets import image_sets as image_sets
from pellucid.causal.stimuli.make import make_stimuli as make_stimuli
from pellucid.causal.stimuli.pairs import Pair as Pair
from pellucid.causal.stimuli.pairs import pairs as pairs
from pellucid.causal.stimuli.patches import Patch as Patch
from pellucid.causal.stimuli.patches import filled as filled
from pellucid.causal.stimuli.patches import reference_blur as reference_blur
from pellucid.causal.stimuli.photograph_activity import PhotographActivity as PhotographActivity
from pellucid.causal.stimuli.photograph_activity import photograph_activity as photograph_activity
from pellucid.causal.stimuli.scan import Scan as Scan
from pellucid.causal.stimuli.scan import reveal as reveal
from pellucid.causal.stimuli.scan import scan as scan
from pellucid.causal.stimuli.sheet import stimuli_sheet as stimuli_sheet
from pellucid.causal.stimuli.units import Sample as Sample
