# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After an installation that services did not take: what goes back, what stays, and what is said of it.

Pure; the role's filters are made of it. "Changed" are the entries of `gogetssl_certificate` that this run has changed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

Item = t.Mapping[str, t.Any]
Items = t.Iterable[Item]
LONGEST_WORDS = 1000  # characters of a service's own words
JOURNAL_LINES = 5
# timeout --kill-after=... SECONDS, sent along with every command of a service, and what it ends with.
TIMED_OUT = (124, 137)
TIMEOUT_WORDS = 4


def first_ones(changed: Items, wishes: Items, reloading: bool, in_want: t.Collection[str]) -> list[str]:
    """First versions that stay, as a service whose configuration names files that are not there does not start.

    A first version only goes where services took their configuration without it (they are not in want of it) and do not
    take it now: then it is the version that is in their way.
    """
    services = {wish["name"]: wish.get("services", []) for wish in wishes}
    return [
        one["name"]
        for one in changed
        if one["moved"]
        and not one["previous_serial"]
        and (reloading or any(service in in_want for service in services[one["name"]]))
    ]


def way_back(
    changed: Items,
    *,
    staying: t.Collection[str],
    failure: str,
    unserved: Items,
    asked: bool,
    reloaded: bool,
    several: bool,
) -> str:
    """What became of what this run has changed on the disk, one sentence.

    `failure` is why the previous versions could not be put back, empty if they were. `asked` says whether there are
    listeners, `unserved` are those of them that do not serve the previous version. With `several` certificates each
    part names its own.
    """
    changed = list(changed)
    taken = [one for one in changed if one["moved"] and one["name"] not in staying]
    again = [one["name"] for one in taken if one["previous_serial"]]
    removed = [one["name"] for one in taken if not one["previous_serial"]]
    completed = [one["name"] for one in changed if not one["moved"]]
    if failure:
        lost = f"could NOT be put back ({failure.removesuffix('.')}): look at current and previous in its directory now"
        back = [([*again, *removed], f"what was there before {lost}")]
    else:
        served = _served(unserved, asked) if reloaded else ""
        back = [
            (again, f"what was there before is back in place{served}"),
            (removed, "its first version was taken away again, as the services took their configuration without it"),
        ]
    parts = [
        *back,
        (staying, "its first version stays on the disk, as services that name it could not start without it"),
        (completed, "it is the certificate that was there before; files that it lacked were added or mended and stay"),
    ]
    told = [f"{', '.join(names)}: {words}" if several else words for names, words in parts if names]
    untouched = "no service was reloaded, and " if changed and not reloaded else ""
    return f"{untouched}{'; '.join(told) or 'what lies on the disk was there before this run and stays there'}."


def _served(unserved: Items, asked: bool) -> str:
    listeners = _listeners(unserved)
    if listeners:
        return f", but {listeners} does not serve it: look at the service now"
    return " and served" if asked else ""


def unserved_words(unserved: Items) -> str:
    """Which listeners do not serve the new certificate after the reload."""
    unserved = list(unserved)
    silent = _listeners(one for one in unserved if not one["answers"])
    others = _listeners(one for one in unserved if one["answers"])
    sentences = [
        f"{others} did not serve the new certificate after the reload." if others else "",
        f"{silent} served no certificate at all after the reload." if silent else "",
    ]
    return " ".join(filter(None, sentences))


def _listeners(found: Items) -> str:
    return ", ".join(one["listener"] for one in found)


def command_words(result: Item, seconds: int) -> str:
    """What a service's command had to say when it failed, as a sentence."""
    if result.get("rc", 0) in TIMED_OUT:
        command = " ".join(list(result.get("cmd", []))[TIMEOUT_WORDS:])
        return f"{command} had not ended after {seconds} seconds, so it was stopped."
    said = (str(result.get(where, "")).strip() for where in ("stderr", "stdout", "msg"))
    words = _shortened(next(filter(None, said), "it gave no reason"))
    return words if words.endswith(".") else f"{words}."


def journal_words(heard: Items) -> str:
    """The last lines that the services wrote to the system's journal."""
    return " ".join(
        f"The journal of {one['__gogetssl_service']}: {_shortened(' | '.join(one['stdout_lines'][-JOURNAL_LINES:]))}"
        for one in heard
        if one.get("stdout")
    )


def _shortened(words: str) -> str:
    if len(words) <= LONGEST_WORDS:
        return words
    return re.sub(r"\s+\S*$", "", words[: LONGEST_WORDS - 4]) + " ..."
