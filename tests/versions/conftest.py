"""Two releases of a framework, each in an environment of its own."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

PLANTED = Path(__file__).parent / "planted"


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of virtual environments with the old and the new release."""
    folder = tmp_path_factory.mktemp("environments")
    return _environment(folder / "before", "old"), _environment(folder / "after", "new")


def _environment(home: Path, release: str) -> Path:
    """A virtual environment that sees this one's packages, and one release of `planted`."""
    packages = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "bin" / "python").symlink_to(sys.executable)
    (home / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).resolve().parent}\n")
    (packages / "theirs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (packages / "planted.py").write_text((PLANTED / f"{release}.py").read_text())
    return home
