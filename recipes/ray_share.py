"""A comparison or a reproduction, shared among the machines of a Ray cluster.

    python recipes/ray_share.py --workers 16 compare --generator runs/generator \
        --recipe pareto --out /shared/pareto
    python recipes/ray_share.py --workers 16 --cores 2 reproduce --out /shared/reproduction

``--out`` has to lie on a disk that all machines see. Each worker is a task of Ray that runs the
command with ``--share``, so it takes what no other is at. A task whose machine is lost is started
again elsewhere. At the end the command runs once more here, does what is missing, and writes the
results. Without a cluster, Ray starts on this machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import ray

MONDEGREEN = [sys.executable, "-m", "mondegreen"]


def work(words: list[str], folder: str, cores: int) -> tuple[int, str]:
    """Run the command in the folder; return its exit code and the end of what it printed."""
    done = subprocess.run(
        [*MONDEGREEN, *words, "--share"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": str(cores)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout[-2000:]


def main(arguments: Sequence[str] | None = None) -> int:
    """Share the command, then finish it; return its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, required=True, help="tasks at once")
    parser.add_argument("--cores", type=int, default=1, help="cores of each")
    parser.add_argument("--gpus", type=float, default=0.0, help="GPUs of each")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="compare or reproduce, ...")
    options = parser.parse_args(arguments)
    words = list(options.command)
    if not words or words[0] not in ("compare", "reproduce"):
        parser.error("name compare or reproduce, and their options")
    ray.init(log_to_driver=False)
    print(f"{ray.cluster_resources().get('CPU', 0):.0f} cores in {len(ray.nodes())} machines")
    task = ray.remote(num_cpus=options.cores, num_gpus=options.gpus, max_retries=3)(work)
    waiting = [task.remote(words, str(Path.cwd()), options.cores) for _ in range(options.workers)]
    while waiting:
        (ready,), waiting = ray.wait(waiting)
        code, said = ray.get(ready)
        print(f"a worker ended with exit code {code}:\n{said}" if code else said.strip())
    ray.shutdown()
    return subprocess.run([*MONDEGREEN, *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
