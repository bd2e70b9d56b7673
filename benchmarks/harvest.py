"""Images per second of a full harvest over those of bare reading and passing, in the same run.

The bare rate reads the same images by the same processes and passes them through the same truncated network, and keeps
nothing. The harvest does so too, and writes all summaries of all layers, before and after their rectifiers. The rounds
alternate, since a machine's speed changes. Then a profile of one harvest names the steps that its time goes to.

    python benchmarks/harvest.py --images photographs
"""

import argparse
import cProfile
import os
import pstats
import statistics
import tempfile
import time
from pathlib import Path

import torch

import pellucid
from pellucid.activations.batches import Decoder, Geometry, decoded
from pellucid.activations.engines import LocalEngine
from pellucid.activations.sources import open_source
from pellucid.activations.summarizing import SummaryConfig, summarize
from pellucid.activations.views import ViewPlan

LAYERS = ("blocks.1.1.bn2", "blocks.3.1.bn2", "blocks.5.2.bn2")
STEPS = {  # a step by the function that does it, and the file that it stands in
    "wait for images": ("__next__", "dataloader.py"),
    "pass through the network, both sides of the rectifiers": ("tap", "taps.py"),
    "count activations": ("add", "tally.py"),
    "products of units": ("add", "shards.py"),
    "rank and sort": ("finish", "tally.py"),
    "write parts": ("write", "parts.py"),
    "join parts": ("join", "parts.py"),
    "write the study": ("_write", "summarizing.py"),
    "first look": ("_first_look", "summarizing.py"),
}


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
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    network = pellucid.load(given.network)
    folder = open_source(given.images)
    names = [given.images / folder.name(index) for index in range(min(given.limit, len(folder)))]
    source = open_source(names)
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
    with cProfile.Profile() as profile:
        begun = time.perf_counter()
        full(network, source, given)
        total = time.perf_counter() - begun
    shares = {}
    for (file, _, name), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        for step, (function, where) in STEPS.items():
            if name == function and Path(file).name == where:
                shares[step] = cumulative / total
    for step, share in sorted(shares.items(), key=lambda pair: -pair[1]):
        print(f"{share:6.1%}  {step}")


if __name__ == "__main__":
    main()
