"""Functions compiled for the processor."""

import inspect
from collections.abc import Callable
from typing import Any

import numba


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function when it is first called; the result is kept on disk. `options` are those of `numba.njit`."""
    # Bare: where types are checked at run time, functions come wrapped, which no compiler can see through.
    return lambda function: numba.njit(nogil=True, cache=True, **options)(inspect.unwrap(function))
