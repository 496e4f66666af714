"""Runs of the whole pipeline on small suites of the tests' own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import pipeline
from harness.config import Options
from harness.model.run import Results
from harness.session import results
from harness.store.database import reading

Run = Callable[..., Results]


@pytest.fixture
def here() -> Path:
    return Path(__file__).parent


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run with the given options in a folder of the test's; its results."""

    def go(**settings: object) -> Results:
        options = Options.model_validate({"out": tmp_path / "run", **settings})
        pipeline.run(options)
        assert options.out is not None
        with reading(options.out) as store:
            return results(store, options.out)

    return go
