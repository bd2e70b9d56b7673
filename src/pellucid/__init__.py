"""Pellucid shows what a vision network sees, and tests whether the picture is true.

The public names load when they are first used: importing pellucid imports no torch.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
