"""The machine's part of what a worker says of itself."""

from __future__ import annotations

import pytest

from harness.worker.fingerprint import fingerprint


@pytest.mark.parametrize(
    "name",
    ["TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS", "TF_XLA_FLAGS", "OPENBLAS_CORETYPE", "ATEN_CPU_CAPABILITY", "JAX_X64"],
)
def test_variables_that_choose_kernels_or_precision_are_told(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    assert fingerprint(1)["flags"][name] == "1"


@pytest.mark.parametrize(
    "name", ["TF_CLI_CONFIG_FILE", "TF_VAR_secret", "OMP_NUM_THREADS", "HOME", "TORCHINDUCTOR_CACHE_DIR"]
)
def test_variables_of_other_tools_pinned_threads_and_places_are_not(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    assert name not in fingerprint(1)["flags"]


def test_the_machine_is_told() -> None:
    found = fingerprint(2)
    assert found["threads"] == 2
    assert found["machine"]
    assert found["libc"]
