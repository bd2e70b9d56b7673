"""Curve detectors: stimuli, tuning, families, and what shows that a unit detects curves.

The names load when they are first used: those that only read numbers import no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
