# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One action for several orders, of which some fail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core import apart
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import host_error


@pytest.mark.parametrize(
    ("keys", "bad", "calls"),
    [
        ([], [], []),
        ([1, 2, 3], [], [[1, 2, 3]]),
        ([1], [1], [[1]]),
        ([1, 2, 3], [2], [[1, 2, 3], [1], [2], [3]]),
        ([1, 2], [1, 2], [[1, 2], [1], [2]]),
    ],
)
def test_each_is_tried_by_itself_only_if_all_fail_together(
    keys: list[int], bad: list[int], calls: list[list[int]]
) -> None:
    seen: list[list[int]] = []

    def act(some: Sequence[int]) -> None:
        seen.append(list(some))
        if set(some) & set(bad):
            raise host_error(f"{min(set(some) & set(bad))} failed.")

    assert apart.failures(keys, act) == {key: f"{key} failed." for key in bad}
    assert seen == calls


def test_a_programming_error_is_not_a_failure_of_an_order() -> None:
    def act(_some: Sequence[int]) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        apart.failures([1, 2], act)
