from __future__ import annotations

from pathlib import Path

import pytest

from harness.reporting import places
from harness.reporting.places import Base, Places


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a case file in it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "my cases").mkdir()
    (tmp_path / "my cases" / "a.yaml").write_text("cases:\n- id: é\n")
    return tmp_path


def test_a_file_is_named_from_the_repositorys_root_wherever_the_run_is_started(repository: Path) -> None:
    for here, name in ((repository, "my cases/a.yaml"), (repository / "my cases", "a.yaml")):
        found = Places(here)[f"{name}:2"]
        assert (found.path, found.base, found.line) == ("my cases/a.yaml", Base.REPOSITORY, 2)
        assert found.uri == "my%20cases/a.yaml"
        assert found.columns == len("- id: é")


def test_without_a_repository_the_folder_counts(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x\n")
    assert Places(tmp_path)["a.yaml:1"].uri == "a.yaml"


def test_a_file_elsewhere_has_a_whole_address(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "b c.yaml"
    other.write_text("x\n")
    found = Places(repository)[f"{other}:1"]
    assert (found.base, found.uri) == (Base.NOTHING, other.as_uri())


def test_a_link_is_named_by_what_it_leads_to(repository: Path) -> None:
    (repository / "link.yaml").symlink_to(repository / "my cases" / "a.yaml")
    assert Places(repository)["link.yaml:1"].path == "my cases/a.yaml"


def test_shipped_cases_of_a_checkout_are_files_of_its_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(places.PACKAGE.parent)
    assert Places()["cases/documents/003.yaml:3"].uri == "cases/documents/003.yaml"


def test_shipped_cases_of_an_installed_package_are_named_from_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = repository / ".venv" / "lib" / "harness"
    (package / "cases").mkdir(parents=True)
    (package / "cases" / "x.yaml").write_text("cases: []\n")
    monkeypatch.setattr(places, "PACKAGE", package)
    found = Places(repository)["cases/x.yaml:1"]
    assert (found.uri, found.base) == ("harness/cases/x.yaml", Base.PACKAGE)


@pytest.mark.parametrize("source", ["", "gone.yaml", "gone.yaml:x", "\x00:1", "\udc80:1", "a.yaml:99", ":0"])
def test_whatever_a_source_is_it_has_a_place(repository: Path, source: str) -> None:
    found = Places(repository)[source]
    assert found.line >= 1
    assert found.columns is None
    assert found.uri.isascii()
