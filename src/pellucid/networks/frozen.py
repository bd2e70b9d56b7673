"""The only way in which Pellucid changes a module's state: inside a `with`, undone at its end."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Hold a module in evaluation mode with parameters that take no gradient; restore every flag at the end.

    The flags are kept per submodule and per parameter, so that a module in mixed modes comes back as it was, also after
    an exception.
    """
    modes = [(part, part.training) for part in module.modules()]
    wants_gradient = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    try:
        for part, _ in modes:
            part.training = False
        for parameter, _ in wants_gradient:
            parameter.requires_grad_(False)
        yield
    finally:
        for part, training in modes:
            part.training = training
        for parameter, wants in wants_gradient:
            parameter.requires_grad_(wants)
