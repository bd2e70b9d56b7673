"""Linear attribution: what each neuron of an earlier layer gives to a unit, exactly, and what that looks like."""

from pellucid.curves.attributions.examples import AttributedExample as AttributedExample
from pellucid.curves.attributions.examples import AttributedExamples as AttributedExamples
from pellucid.curves.attributions.families import FamilyAttribution as FamilyAttribution
from pellucid.curves.attributions.families import family_attribution as family_attribution
from pellucid.curves.attributions.families import family_attribution_figure as family_attribution_figure
from pellucid.curves.attributions.gray_alpha import GrayAlpha as GrayAlpha
from pellucid.curves.attributions.heatmaps import Fields as Fields
from pellucid.curves.attributions.heatmaps import drawn_over as drawn_over
from pellucid.curves.attributions.heatmaps import heat as heat
from pellucid.curves.attributions.highest import attribution_examples as attribution_examples
from pellucid.curves.attributions.linear import LinearAttribution as LinearAttribution
from pellucid.curves.attributions.passes import previous_layer as previous_layer
from pellucid.curves.attributions.pictures import AttributionPicture as AttributionPicture
from pellucid.curves.attributions.pictures import attribution_picture as attribution_picture
from pellucid.curves.attributions.quilts import AttributionQuilt as AttributionQuilt
from pellucid.curves.attributions.quilts import attribution_quilt as attribution_quilt
from pellucid.curves.attributions.removal import remove as remove
from pellucid.curves.attributions.sheets import attribution_sheet as attribution_sheet
from pellucid.curves.attributions.splitting import linear_attribution as linear_attribution
from pellucid.curves.attributions.unrelated import false_positives as false_positives
