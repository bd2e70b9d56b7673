"""Small networks whose every number can be worked out."""

import torch
from torch import Tensor, nn

from pellucid.networks import Network, wrap


class Small(nn.Module):
    """Two convolutions, a strided one, a pooled linear head; rectifiers in place or not."""

    def __init__(self, *, inplace: bool = True, classes: int = 7, channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 8, 3, padding=1)
        self.relu1 = nn.ReLU(inplace=inplace)
        self.conv2 = nn.Conv2d(8, 12, 5, stride=2, padding=2)
        self.relu2 = nn.ReLU(inplace=inplace)
        self.conv3 = nn.Conv2d(12, 16, 3, padding=1)
        self.act3 = nn.SiLU(inplace=inplace)
        self.head = nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.conv1(x))
        x = self.relu2(self.conv2(x))
        x = self.act3(self.conv3(x))
        return self.head(x.mean(dim=(2, 3)))


def small_network(
    *, seed: int = 0, size: int | tuple[int, int] = 32, dtype: torch.dtype = torch.float32, inplace: bool = True
) -> Network:
    """A `Small` with fixed random weights, wrapped."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = Small(inplace=inplace).to(dtype).eval()
    return wrap(module, mean=(0.5,) * 3, std=(0.5,) * 3, size=size, labels=[f"class {i}" for i in range(7)])


class Broken(nn.Module):
    """Fails in its second layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.second = nn.Conv2d(4, 4, 3)
        self.armed = False

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        if self.armed:
            raise RuntimeError("the model's own fault")
        return self.second(x).mean(dim=(2, 3))
