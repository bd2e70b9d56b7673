"""Networks that are made to lie: visualizations show what the units do not do on natural images. Negative controls."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
