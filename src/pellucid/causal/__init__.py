"""Does a picture of a unit let people predict it? The experiment, from stimuli through people to what they say.

The names load when they are first used: design, answers and their analysis import no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
