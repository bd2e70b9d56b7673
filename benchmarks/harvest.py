"""Images per second of a full harvest over those of bare reading and passing, in the same run.

The bare rate reads the same images by the same processes and passes them through the same truncated network, and keeps
nothing. The harvest does so too, and writes all summaries of all layers, before and after their rectifiers. The first
look at the images, the receptive fields and the writing of the study take a few seconds of a harvest, however large it
is: with `--repeat 1` they weigh more. The rounds alternate, since a machine's speed changes. Then one harvest, which
reads its images itself, shows the steps that its processor time goes to.

    python benchmarks/harvest.py --images photographs
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import pellucid
from pellucid.activations import batches, parts, shards, summarizing, tally
from pellucid.activations.batches import Decoder, Geometry, decoded
from pellucid.activations.engines import LocalEngine
from pellucid.activations.sources import open_source
from pellucid.activations.summarizing import SummaryConfig, summarize
from pellucid.activations.views import ViewPlan

LAYERS = ("blocks.1.1.bn2", "blocks.3.1.bn2", "blocks.5.2.bn2")
STEPS: dict[str, tuple[Any, str]] = {  # what a step is called, and the function that does it
    "read images": (batches.Decoder, "__getitem__"),
    "pass through the network": (shards._Lane, "count"),
    "count activations": (tally.Tally, "add"),
    "products of units": (shards._Products, "add"),
    "rank and sort": (tally.Tally, "finish"),
    "write parts": (parts.PartStore, "write"),
    "join parts": (parts, "join"),
    "first look": (summarizing, "_first_look"),
    "write the study, measure receptive fields": (summarizing, "_write"),
}


def timed(function: Callable[..., Any], spent: dict[str, float], step: str) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        begun = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent[step] += time.thread_time() - begun

    return run


def shares(network: pellucid.Network, source: object, given: argparse.Namespace) -> dict[str, float]:
    """The share of a harvest's processor time that each step takes."""
    spent = dict.fromkeys(STEPS, 0.0)
    before = {step: getattr(owner, name) for step, (owner, name) in STEPS.items()}
    for step, (owner, name) in STEPS.items():
        setattr(owner, name, timed(before[step], spent, step))
    begun = time.process_time()
    try:
        full(network, source, argparse.Namespace(**{**vars(given), "workers": 0}))
    finally:
        for step, (owner, name) in STEPS.items():
            setattr(owner, name, before[step])
    total = time.process_time() - begun
    # What is counted while a layer is at hand is no part of the pass.
    spent["pass through the network"] -= spent["count activations"] + spent["products of units"]
    return {step: seconds / total for step, seconds in spent.items()}


def bare(network: pellucid.Network, decoder: Decoder, given: argparse.Namespace) -> float:
    """Images per second of reading and passing alone."""
    begun = time.perf_counter()
    pending = []
    with torch.no_grad():
        for image in decoded(decoder, range(len(decoder)), workers=given.workers):
            if image.views is not None:
                pending.extend(image.views)
            while len(pending) >= given.batch:
                network.activations(torch.stack(pending[: given.batch]).to(network.dtype) / 255, given.layers)
                del pending[: given.batch]
        if pending:
            network.activations(torch.stack(pending).to(network.dtype) / 255, given.layers)
    return len(decoder) / (time.perf_counter() - begun)


def full(network: pellucid.Network, source: object, given: argparse.Namespace) -> float:
    """Images per second of a harvest, from nothing to the finished study."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        config = SummaryConfig(batch=given.batch, precision=given.precision)
        summarize(
            network, source, given.layers, Path(folder) / "study", config=config, engine=LocalEngine(given.workers)
        )
        return given.count / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--network", default="efficientnet_lite0")
    parser.add_argument("--layers", nargs="+", default=list(LAYERS))
    parser.add_argument("--limit", type=int, default=900, help="images")
    parser.add_argument("--repeat", type=int, default=4, help="how often each stands in the source")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    network = pellucid.load(given.network)
    folder = open_source(given.images)
    names = [given.images / folder.name(index) for index in range(min(given.limit, len(folder)))]
    links = tempfile.TemporaryDirectory()
    for turn in range(given.repeat):
        for name in names:
            (Path(links.name) / f"{turn}-{name.name}").symlink_to(name.resolve())
    source = open_source(links.name)
    given.count = len(source)
    decoder = Decoder(source, ViewPlan(center=network.crop), Geometry.of(network))
    print(f"{given.network}, {len(given.layers)} layers, {given.count} images, batches of {given.batch}, "
          f"{given.workers} reading processes, {torch.get_num_threads()} threads")  # fmt: skip
    summarize(  # compiled and warm
        network, open_source(names[:8]), given.layers, Path(tempfile.mkdtemp()) / "study", config=SummaryConfig(batch=4)
    )
    ratios = []
    for number in range(given.rounds):
        rates = bare(network, decoder, given), full(network, source, given)
        ratios.append(rates[1] / rates[0])
        print(f"round {number + 1}: bare {rates[0]:.1f}/s, harvest {rates[1]:.1f}/s, ratio {ratios[-1]:.2f}")
    print(f"harvest over bare: {statistics.median(ratios):.2f} (median)")
    for step, share in sorted(shares(network, source, given).items(), key=lambda pair: -pair[1]):
        print(f"{share:6.1%}  {step}")


if __name__ == "__main__":
    main()
