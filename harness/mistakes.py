"""The exceptions that mean the user's input is wrong: one clear message, exit code 4."""

from __future__ import annotations

from harness.casefile import ArrayFileError, CaseFileError, CaseFileErrors
from harness.config import ConfigError
from harness.environments.cache import BusyError
from harness.environments.definitions import DefinitionError
from harness.environments.interpreters import EnvironmentUnusableError
from harness.store.folder import RunFolderError


class NothingSelectedError(Exception):
    """The selection leaves nothing to run: exit code 5."""


MISTAKES = (
    ArrayFileError,
    BusyError,
    CaseFileError,
    CaseFileErrors,
    ConfigError,
    DefinitionError,
    EnvironmentUnusableError,
    RunFolderError,
)
