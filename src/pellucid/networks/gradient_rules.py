"""A rule of backpropagation that holds inside a `with` for every network, without a change of any."""

import sys
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import maybe_get_level
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode

from pellucid.errors import NetworkError

Rule = Callable[[Tensor, Tensor], Tensor]
"""Takes the true gradient of a function's input and that of its output; gives the input's gradient to go on with."""

# Where torch keeps its functions; those of a tensor (`x.relu()`) have no module.
_HOMES = (None, "torch", "torch.nn.functional", "torch._C._nn", "torch._ops.aten")
_RULE = "pellucid.networks.rule"


class _Compiler:
    """What `torch.compile` has compiled, which runs as it was written while any block lasts.

    Torch has one such setting for the whole process. It is set by the first of all blocks, of whatever thread, and set
    back by the last: each by itself would set back what it found, and those of several threads leave it set.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0
        self._undo = ExitStack()

    @contextmanager
    def as_written(self) -> Iterator[None]:
        """A block in which nothing compiled runs as compiled."""
        # Who has compiled something has loaded the compiler, which takes long to load.
        wanted = "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance")
        if not wanted:
            yield
            return
        with self._lock:
            if self._blocks == 0:
                self._undo.enter_context(torch.compiler.set_stance("force_eager"))
            self._blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._blocks -= 1
                if self._blocks == 0:
                    self._undo.close()


_compiler = _Compiler()


class GradientRule(TorchFunctionMode):
    """A block in which some of torch's functions have another gradient; what they compute stays as it is.

    Functions are met by name as the forward pass calls them: modules, functionals, methods, in-place forms and
    operators of `torch.ops.aten` alike. The rule is fixed by the forward pass, so a backward pass may follow outside.
    Blocks of different rules act together; of two that change the same function, the inner one holds. Everything is
    undone at the end of the block, and the same block may be entered again. `met` counts the calls that got the rule:
    nought tells of a network whose functions are out of sight, as they are in a TorchScript module and in an
    `autograd.Function` of its own. What `torch.compile` has compiled runs as it was written (torch 2.6 and newer), in
    the whole process while any block lasts: torch has no such setting for one thread.

    Raises `NetworkError` where derivatives would be wrong in silence: for forward-mode products and `torch.func`, which
    pass over a rule, and for `create_graph`, since a second derivative would go through the rule once more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.met = 0
        self._entered: list[ExitStack] = []

    def __enter__(self) -> "GradientRule":
        """Enter the block; compiled networks run as they were written in it, for the compiler sees no rule."""
        with ExitStack() as undo:
            undo.enter_context(_compiler.as_written())
            super().__enter__()
            self._entered.append(undo.pop_all())
        return self

    def __exit__(self, *fault: Any) -> None:
        """Leave the block."""
        with self._entered.pop():
            super().__exit__(*fault)

    @abstractmethod
    def rule(self, name: str, x: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Rule | None:
        """The rule for a call of the function `name` (without the underscores of in-place and private forms).

        `x` is the input, without history, as it is before the call; `args` and `kwargs` are the other arguments. None
        leaves the call alone.
        """

    def __torch_function__(
        self, func: Any, types: Iterable[Any], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function, and hang the rule, if there is one, into the graph."""
        given = dict(kwargs or {})
        if getattr(func, "__module__", None) not in _HOMES or not (args or "input" in given):
            return func(*args, **given)
        x, rest = (args[0], args[1:]) if args else (given.pop("input"), ())
        if not isinstance(x, Tensor) or not (x.is_floating_point() and x.ndim and x.numel()):
            return func(x, *rest, **given)
        rule = self._wanted(func.__name__.partition(".")[0].strip("_"), x, rest, given)
        if rule is None:
            return func(x, *rest, **given)
        self.met += 1
        if not x._is_view():
            output = func(x, *rest, **given)
            self._hang(rule, output)
            return output
        # A function that works in place on a view has no node of its own in the graph: it works on a copy.
        copy = x.clone()
        output = func(copy, *rest, **given)
        self._hang(rule, output)
        return x.copy_(output) if output is copy else output

    def _wanted(self, name: str, x: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Rule | None:
        """The rule if there is one and a gradient will flow."""
        forward = forward_ad.unpack_dual(x).tangent is not None
        functional = maybe_get_level(x) > 0  # inside of torch.func, where x does not tell of all gradients
        if not forward and not (torch.is_grad_enabled() and (functional or x.requires_grad)):
            return None
        with torch.no_grad():
            rule = self.rule(name, x.detach(), args, kwargs)
        if rule is not None and (forward or functional):
            raise NetworkError(
                f"{self!r} changes plain backward passes, not forward-mode products and torch.func; "
                "differentiate by torch.autograd.grad or leave the block"
            )
        return rule

    def _hang(self, rule: Rule, output: Any) -> None:
        """Let the rule write the gradient of the first input of the function that gave `output`."""
        node = (output[0] if isinstance(output, tuple) else output).grad_fn
        name = repr(self)

        def hook(
            inputs: tuple[Tensor | None, ...], outputs: tuple[Tensor | None, ...]
        ) -> tuple[Tensor | None, ...] | None:
            true, above = inputs[0], outputs[0]
            if true is None or above is None:
                return None
            if torch.is_grad_enabled():
                raise NetworkError(f"{name} has no second derivatives; take create_graph=True out or leave the block")
            return rule(true, above), *inputs[1:]

        # An outer block has hung its own rule by now.
        outer = node.metadata.pop(_RULE, None)
        if outer is not None:
            outer.remove()
        node.metadata[_RULE] = node.register_hook(hook)
