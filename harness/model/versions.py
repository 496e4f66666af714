"""Which versions are meant: `>=2.0,<3` of the framework, or `keras>=3,<3.15` of a package that is there beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

Packages = Mapping[str, str]
"""Versions that a worker has reported, by package, the framework's first."""

FORM = re.compile(r"(?P<package>[A-Za-z][\w.-]*)?\s*(?P<specifier>.*)", re.DOTALL)


def parsed(text: str) -> tuple[str, SpecifierSet]:
    """The package, "" for the framework, and its versions.

    Raises:
        ValueError: it is neither.
    """
    form = FORM.fullmatch(text.strip())
    try:
        if form is not None and (form["specifier"] or not form["package"]):
            return form["package"] or "", SpecifierSet(form["specifier"], prereleases=True)
    except InvalidSpecifier:
        pass
    raise ValueError(f"{text!r} is no version specifier: write >=2.0,<3, or keras>=3,<3.15")


def meant(text: str, packages: Packages) -> bool:
    """Whether these versions are meant; one that can't be read is, as nothing says otherwise."""
    package, specifier = parsed(text)
    named = {canonicalize_name(name): version for name, version in packages.items()}
    if package and canonicalize_name(package) not in named:
        return False
    try:
        return Version(named[canonicalize_name(package)] if package else framework(packages)).public in specifier
    except InvalidVersion:
        return True


def framework(packages: Packages) -> str:
    """The framework's own version; "" if it wasn't told."""
    return next(iter(packages.values()), "")
