from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.engine.pool import Limits
from harness.environments.interpreters import environments
from harness.kit.check import Checked, check

Check = Callable[..., Checked]


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Check an adapter in this interpreter: a file, or the text of one."""
    (here,) = environments(()).values()

    def call(adapter: Path | str, timeout: float = 60.0) -> Checked:
        work = tmp_path_factory.mktemp("kit")
        if isinstance(adapter, str):
            (work / "mine.py").write_text(adapter)
            adapter = work / "mine.py"
        return check(adapter, here, Limits(timeout=timeout), work)

    return call
