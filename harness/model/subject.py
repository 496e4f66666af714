"""Subjects: who computes. An implementation in an environment, executed in a mode on a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.adapters import Implementation


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter with frameworks at known versions.

    Attributes:
        name: the name that subject ids begin with.
        python: path of the interpreter.
        frameworks: what it is asked for; empty for whatever there is.
        complaint: why it is unavailable, "" if it isn't.
    """

    name: str
    python: str
    frameworks: tuple[str, ...] = ()
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter's table, read without importing its framework."""

    framework: str
    file: str
    packages: tuple[str, ...]
    implementations: tuple[Implementation, ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a worker reports of its environment when it starts.

    Attributes:
        python: the interpreter's version.
        packages: versions of the packages that decide results.
        threads: threads that a call may use.
        machine: CPU model.
        features: of the CPU, those that kernels are chosen by.
        libc: the C library and its version, whose mathematical functions are used.
        flags: environment variables that choose kernels or precision.
    """

    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    threads: int = 0
    machine: str = ""
    features: tuple[str, ...] = ()
    libc: str = ""
    flags: Mapping[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, str]:
        """Everything that may decide a result, by name."""
        known = {"python": self.python, "cpu": self.machine, "features": " ".join(self.features), "libc": self.libc}
        packages = {f"package {name}": version for name, version in self.packages.items()}
        flags = {f"flag {name}": value for name, value in self.flags.items()}
        found = {**known, "threads": str(self.threads or ""), **packages, **flags}
        lines = {name: _one_line(value) for name, value in sorted(found.items())}
        return {name: value for name, value in lines.items() if value}


def _one_line(value: str) -> str:
    """What a line of a file can hold: variables of the environment may have line breaks, and bytes that are no text."""
    return " ".join(value.encode("utf-8", "backslashreplace").decode("utf-8").split())


class Parameter(NamedTuple):
    """A parameter of a public call, as its signature has it.

    Attributes:
        kind: name of an `inspect.Parameter.kind`.
        default: as text; None if there is none.
    """

    name: str
    kind: str
    default: str | None


Signatures = Mapping[str, tuple[Parameter, ...]]
"""The parameters of implementations by their paths, of those that have a signature."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Implementation x environment x mode x device."""

    environment: str
    implementation: str
    mode: str
    device: str = "cpu"
    framework: str = ""

    @property
    def id(self) -> str:
        """`ENV:IMPLEMENTATION@MODE`, and the device after a second `@` unless it is cpu; no `@` without a mode."""
        suffix = "" if self.device == "cpu" else f"@{self.device}"
        mode = f"@{self.mode}" if self.mode else ""
        return f"{self.environment}:{self.implementation}{mode}{suffix}"


DOCUMENT = Subject("document", "document", "", framework="document")
"""The subject of printed numbers: a document is judged by the truth like everybody else."""
