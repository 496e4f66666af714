"""tox has a factor for each version of the matrix."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from harness import provision

ROOT = Path(__file__).parents[1]
SECTION = re.compile(r"testenv:version-\{(?P<names>.*)\}")


def test_each_version_is_an_environment_that_is_defined_and_measured() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    (match,) = filter(None, map(SECTION.fullmatch, tox.sections()))
    names = match["names"].split(",")
    assert set(names) <= set(provision.known(ROOT))
    assert set(names) == {file.stem for file in (ROOT / "reports" / "baselines" / "quick").glob("*.txt")}
    commands = tox[match[0]]["commands"].split("\n")[1:]
    assert commands == [f"{name}: harness matrix {name} {{posargs}}" for name in names]
    assert tox["tox"]["labels"].strip() == f"matrix = version-{{{match['names']}}}, versions"
