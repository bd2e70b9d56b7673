"""Does a harvest of many images take more memory than one of few, and does it get slower?

Random crops of a few photographs stand for many images. Each run is a process of its own.

    python benchmarks/scale.py --images photographs [--passes 2000 100000] [--size 64] [--layer blocks.1.1.bn2]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path


def inside(given: argparse.Namespace) -> None:
    import pellucid
    from pellucid.activations import LocalEngine, SummaryConfig, open_source, read_summary
    from pellucid.activations.parts import Node, Part, PartStore

    network = replace(pellucid.load("efficientnet_lite0"), size=(given.size, given.size))
    source = open_source(given.images)
    views = -(-given.inside // len(source))
    # As many images to a shard as give about 512 views.
    config = SummaryConfig(shard=max(1, 512 // views), batch=32)
    ends: list[float] = []
    write = PartStore.write

    def timed(self: PartStore, node: Node, part: Part) -> None:
        write(self, node, part)
        if node.level == 0:
            ends.append(time.perf_counter())

    PartStore.write = timed
    with tempfile.TemporaryDirectory() as folder:
        study = pellucid.summarize(
            network, source, given.layer, Path(folder) / "study", config=config, crops=(), random_crops=views,
            engine=LocalEngine(given.workers),
        )  # fmt: skip
        summary = read_summary(study, given.layer)
        size = sum(path.stat().st_size for path in study.path.rglob("*") if path.is_file())
    half = len(ends) // 2
    rates = []
    if half > 1:
        rates = [half / (ends[half] - ends[0]), (len(ends) - 1 - half) / (ends[-1] - ends[half])]
    report = {
        "passes": summary.items,
        "positions": int(summary.moments.count[0]),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "readers": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "disk": size / 2**20,
        "rates": [config.shard * views * rate for rate in rates],
    }
    print(json.dumps(report))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--passes", type=int, nargs=2, default=[2000, 100_000])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--layer", default="blocks.1.1.bn2")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        inside(given)
        return
    peaks = []
    for passes in given.passes:
        command = [sys.executable, __file__, "--images", str(given.images), "--inside", str(passes)]
        command += [f"--{name}={getattr(given, name)}" for name in ("size", "layer", "workers")]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        report = json.loads(ended.stdout.splitlines()[-1])
        peaks.append(report["peak"])
        rates = " and ".join(f"{rate:.0f}/s" for rate in report["rates"])
        millions = report["positions"] / 1e6
        print(
            f"{report['passes']} passes: peak {report['peak']:.0f} MiB (a reader {report['readers']:.0f}); first and "
            f"second half at {rates}; study of {report['disk']:.1f} MiB, {report['disk'] / millions:.2f} MiB per "
            "million positions of a unit",
            flush=True,
        )
    print(f"peak of the larger over that of the smaller: {peaks[1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
