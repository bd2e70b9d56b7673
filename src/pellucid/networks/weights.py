"""Reading weights from a file, safely, and fitting them to an architecture."""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from pellucid.errors import WeightsError

_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")  # keys under which trainers keep the state
_PREFIXES = ("module.", "_orig_mod.", "model.")  # left by DataParallel, torch.compile and Lightning


def read_weights(file: Path | str) -> dict[str, Tensor]:
    """Read a state dict from a safetensors or a PyTorch file, without running any code that the file holds.

    Raises `WeightsError` if the file is missing, truncated, or holds something else.
    """
    file = Path(file)
    if not file.is_file():
        raise WeightsError(f"no weights file {file}")
    try:
        if file.suffix == ".safetensors":
            content = safetensors.torch.load_file(file)
        else:
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise WeightsError(f"{file} cannot be read as weights: it is damaged or of another kind ({reason})") from error
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise WeightsError(f"{file} holds no state dict: a mapping from parameter names to tensors is wanted")
    return dict(content)


def fit_weights(module: nn.Module, weights: Mapping[str, Tensor], *, source: str, by_order: bool = False) -> None:
    """Load weights into a module, strictly.

    `by_order` accepts other names where number, order and shapes of the tensors agree, as between two ports of one
    network. Raises `WeightsError` that lists missing, unexpected and misshapen parameters.
    """
    wanted = module.state_dict()
    for prefix in _PREFIXES:
        if not set(wanted) & set(weights) and all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    if by_order and not set(wanted) & set(weights) and len(wanted) == len(weights):
        pairs = list(zip(wanted, weights.values(), strict=True))
        if all(wanted[name].shape == value.shape for name, value in pairs):
            weights = dict(pairs)
    missing = [name for name in wanted if name not in weights and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in weights if name not in wanted]
    misshapen = [
        f"{name} ({_shape(value)} in the file, {_shape(wanted[name])} in the network)"
        for name, value in weights.items()
        if name in wanted and value.shape != wanted[name].shape
    ]
    if missing or unexpected or misshapen:
        parts = [("missing", missing), ("unexpected", unexpected), ("misshapen", misshapen)]
        listed = "; ".join(f"{len(names)} {what}: {_few(names)}" for what, names in parts if names)
        raise WeightsError(f"the weights in {source} do not fit: {listed}")
    module.load_state_dict(dict(weights), strict=False)


def _shape(value: Tensor) -> str:
    return "x".join(map(str, value.shape)) or "scalar"


def _few(names: list[str], count: int = 10) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
