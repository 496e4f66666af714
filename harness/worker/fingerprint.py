"""What decides results besides the framework's version: the processor, its features, the C library, flags."""

from __future__ import annotations

import os
import platform
from typing import Any, Mapping

FEATURES = (
    *("sse4_1", "sse4_2", "avx", "avx2", "f16c", "fma", "avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni"),
    *("avx512_bf16", "avx512_fp16", "avx_vnni", "amx_tile", "amx_bf16", "asimd", "asimdhp", "sve", "sve2", "bf16"),
)
"""Processor features that kernels are chosen by, as Linux names them."""

PREFIXES = (
    *("ATEN_", "DNNL_", "JAX_", "KERAS_", "KMP_", "MKL_", "NPY_", "OMP_", "ONEDNN_", "OPENBLAS_", "TORCH", "XLA_"),
    *("TF_CPU_", "TF_DETERMINISTIC", "TF_DISABLE_", "TF_ENABLE_", "TF_USE_", "TF_XLA_", "GLIBC_TUNABLES", "LD_PRELOAD"),
)
"""Beginnings of names of environment variables that choose kernels or precision: other tools have TF_ variables too."""
NO_FACTS = ("_NUM_THREADS", "_CACHE_DIR")
"""Ends of the names of variables that tell nothing: threads are a fact of their own, and where a cache lies is none."""

STARTED_WITH = dict(os.environ)
"""Before a library is imported: some set variables of their own, and workers of one environment would differ."""


def fingerprint(threads: int, environment: Mapping[str, str] = STARTED_WITH) -> dict[str, Any]:
    """The machine's part of a worker's first frame."""
    information = _processor()
    known = set(information.get("flags", information.get("Features", "")).split())
    return {
        "python": platform.python_version(),
        "threads": threads,
        "machine": information.get("model name") or platform.processor() or platform.machine(),
        "features": [name for name in FEATURES if name in known],
        "libc": _libc(),
        "flags": {
            name: value
            for name, value in sorted(environment.items())
            if name.startswith(PREFIXES) and not name.endswith(NO_FACTS)
        },
    }


def _libc() -> str:
    """The C library that runs: what `libc_ver` finds in Python 3.7's executable is what that was linked for."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or platform.platform()
    except (AttributeError, ValueError, OSError):
        return " ".join(platform.libc_ver()).strip() or platform.platform()


def _processor() -> dict[str, str]:
    """The first processor's lines of /proc/cpuinfo; nothing elsewhere than on Linux."""
    found: dict[str, str] = {}
    try:
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                found.setdefault(name.strip(), value.strip())
    except OSError:
        pass
    return found
