# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chaos runner: `python -m tests.chaos --seed N --count N [--workers N]`, or `make chaos SEED=N COUNT=N`.

A seed that violates an invariant is printed with its history; repeat it with `--seed N --count 1`.
"""

from __future__ import annotations

import argparse
import atexit
import concurrent.futures
import gc
import multiprocessing
import time
import traceback
from collections.abc import Sequence

from .seeds import DoubleOrder, Figures, run_seed
from .simulated import Vendor

CHUNK = 25  # seeds after which a worker reports its results

_vendor: list[Vendor] = []  # one per process


def work(seeds: Sequence[int]) -> tuple[Figures, list[str]]:
    """Run these seeds with one vendor. Return the figures and the violations."""
    figures, broken = Figures(), []
    if not _vendor:
        _vendor.append(Vendor().start())
        gc.collect()
        gc.freeze()  # modules, which each later collection would visit
        atexit.register(_vendor[0].stop)
    for seed in seeds:
        try:
            figures += run_seed(_vendor[0], seed)
        except Exception as error:
            figures += Figures(seeds=1, duplicates=isinstance(error, DoubleOrder))
            broken.append(f"seed {seed}: {''.join(traceback.format_exception(error))}")
    return figures, broken


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    seeds = range(options.seed, options.seed + options.count)
    started, figures, broken = time.monotonic(), Figures(), 0
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    with concurrent.futures.ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        for number, (share, found) in enumerate(pool.map(work, chunks), 1):
            figures += share
            broken += len(found)
            print(*found, sep="\n", end="\n" if found else "", flush=True)
            if number % 10 == 0:
                print(f"... {figures}", flush=True)
    seconds = time.monotonic() - started
    print(f"chaos: from seed {options.seed}: {figures}, broken {broken}, {seconds:.0f} s")
    return 1 if broken else 0
