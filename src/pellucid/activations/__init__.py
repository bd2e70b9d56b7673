"""What a dataset does to a network: activations of many photographs, on disk.

The names load when they are first used: those that only read a study import no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
