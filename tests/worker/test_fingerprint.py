"""The machine's part of what a worker says of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from harness.worker.fingerprint import fingerprint

SETTING = """
import json, os
from harness.worker.fingerprint import fingerprint
os.environ["KERAS_BACKEND"] = "torch"
print(json.dumps(fingerprint(1)["flags"]))
"""


@pytest.mark.parametrize(
    "name",
    ["TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS", "TF_XLA_FLAGS", "OPENBLAS_CORETYPE", "ATEN_CPU_CAPABILITY", "JAX_X64"],
)
def test_variables_that_choose_kernels_or_precision_are_told(name: str) -> None:
    assert fingerprint(1, {name: "1"})["flags"] == {name: "1"}


@pytest.mark.parametrize(
    "name", ["TF_CLI_CONFIG_FILE", "TF_VAR_secret", "OMP_NUM_THREADS", "HOME", "TORCHINDUCTOR_CACHE_DIR"]
)
def test_variables_of_other_tools_pinned_threads_and_places_are_not(name: str) -> None:
    assert fingerprint(1, {name: "1"})["flags"] == {}


def test_what_a_library_sets_as_it_is_imported_is_no_setting_of_the_user() -> None:
    """Each worker has other libraries: the one that answered last would decide which machine it is."""
    environment = {**os.environ, "KMP_AFFINITY": "none"}
    environment.pop("KERAS_BACKEND", None)
    done = subprocess.run([sys.executable, "-c", SETTING], check=True, capture_output=True, env=environment, text=True)
    told = json.loads(done.stdout)
    assert ("KERAS_BACKEND" in told, told["KMP_AFFINITY"]) == (False, "none")


def test_the_machine_is_told() -> None:
    found = fingerprint(2)
    assert found["threads"] == 2
    assert found["machine"]
    assert found["libc"]
