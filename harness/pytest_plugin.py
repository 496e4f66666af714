"""The pytest plugin: `--harness-cases`, and no more than that until somebody uses it.

The entry point `pytest11` loads this module into every pytest run of a project that has the harness
installed, so it imports nothing else of the harness; `pytest_items` does the work.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flag that adds case files to a run, and the setting that says where case files lie."""
    parser.getgroup("harness", "conformance of cross-entropy losses").addoption(
        "--harness-cases",
        action="append",
        default=[],
        metavar="PATH",
        help="Run the cases of a folder or file too; `stock` is the suite that the harness carries. Repeatable.",
    )
    parser.addini(
        "harness_cases", "Folders and files whose YAML files are cases wherever pytest comes by them.", type="linelist"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start up only where there are cases."""
    asked, known = config.getoption("harness_cases"), config.getini("harness_cases")
    if asked or known:
        from harness import pytest_items  # noqa: PLC0415 - NumPy and pydantic are paid for where they are used

        config.pluginmanager.register(pytest_items.Hooks(config, asked, known))
