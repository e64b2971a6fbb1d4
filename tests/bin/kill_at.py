# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command and kill it with SIGKILL once it prints a given text:  python -m tests.bin.kill_at TEXT COMMAND...

Prints `killed`, or `finished` if the text does not appear. If the command itself fails, its exit status is returned.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def main(text: str, command: list[str]) -> int:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="")
        if text in line:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            print("killed")
            return 0
    if process.wait() == 0:
        print("finished")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
