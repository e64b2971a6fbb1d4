# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chaos runner: `python -m tests.chaos --seed N --count N [--workers N]`, or `make chaos SEED=N COUNT=N`.

A seed that breaks an invariant is printed with its story; run it again with `--seed N --count 1`.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import time
import traceback
from collections.abc import Sequence

from .seeds import DoubleOrder, Figures, live
from .simulated import Vendor


def work(seeds: Sequence[int]) -> tuple[Figures, list[str]]:
    """All these seeds with one vendor, and what was broken."""
    figures, broken = Figures(), []
    with Vendor() as vendor:
        for seed in seeds:
            try:
                figures += live(vendor, seed)
            except Exception as error:
                figures += Figures(seeds=1, duplicates=isinstance(error, DoubleOrder))
                broken.append(f"seed {seed}: {''.join(traceback.format_exception(error))}")
    return figures, broken


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    seeds = range(options.seed, options.seed + options.count)
    started, figures, broken = time.monotonic(), Figures(), []
    shares = [seeds[number :: options.workers] for number in range(options.workers)]
    with concurrent.futures.ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        for share, found in pool.map(work, shares):
            figures += share
            broken += found
    for story in broken:
        print(story)
    seconds = time.monotonic() - started
    print(f"chaos: from seed {options.seed}: {figures}, broken {len(broken)}, {seconds:.0f} s")
    return 1 if broken else 0
