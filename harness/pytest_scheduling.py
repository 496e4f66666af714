"""All cases to one pytest-xdist worker: they are one run, which starts a process for each framework itself.

A mark `xdist_group` would say the same, but pytest-xdist 3.8 carries groups in node ids, which pytest 9.2
doesn't let it change (https://github.com/pytest-dev/pytest-xdist/issues/1386).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling, LoadGroupScheduling, LoadScopeScheduling

GROUP = "harness"
SCOPED = {
    "loadscope": LoadScopeScheduling,
    "loadfile": LoadFileScheduling,
    "loadgroup": LoadGroupScheduling,
}
"""How xdist itself divides node ids among workers, by the value of --dist."""


def scheduler(config: pytest.Config, log: Any, ours: Callable[[str], bool]) -> LoadScopeScheduling | None:
    """A scheduler that keeps together what is ours, and treats the rest as --dist says.

    Args:
        ours: whether a node id is a case's.

    Returns:
        None for `each` and `worksteal`, which keep nothing together.
    """
    dist = config.getvalue("dist")
    if dist == "load":
        return CasesTogether(config, log, ours, lambda nodeid: nodeid)
    return CasesTogether(config, log, ours, SCOPED[dist](config, log)._split_scope) if dist in SCOPED else None  # noqa: SLF001 - its one hook


class CasesTogether(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Work units by scope, one of which is all of the cases."""

    def __init__(
        self, config: pytest.Config, log: Any, ours: Callable[[str], bool], others: Callable[[str], str]
    ) -> None:
        super().__init__(config, log)
        self._ours = ours
        self._others = others

    def _split_scope(self, nodeid: str) -> str:
        return GROUP if self._ours(nodeid) else self._others(nodeid)
