"""How much an activation adds to each class."""

from pellucid.attribution.logits import logit_attributions as logit_attributions
