from __future__ import annotations

import pytest

from harness.model.versions import framework, meant, parsed

KERAS = {"tensorflow": "2.18.1", "keras": "3.9.2", "scikit-learn": "1.5.2", "numpy": "unknown"}


@pytest.mark.parametrize(
    ("text", "matters"),
    [
        ("", True),
        (">=2.0,<2.16", False),
        (">2.16", True),
        ("keras>=3,<3.15", True),
        ("keras <3.5", False),
        ("Scikit_Learn<1.7", True),
        ("jax<1", False),  # isn't there
        ("numpy<1", True),  # can't be read: nothing says otherwise
    ],
)
def test_versions_are_the_frameworks_or_a_named_packages(text: str, *, matters: bool) -> None:
    assert meant(text, KERAS) == matters


def test_an_environment_that_told_nothing_is_meant() -> None:
    assert framework({}) == ""
    assert meant("<2", {})
    assert not meant("keras<2", {})


@pytest.mark.parametrize("text", ["2.0", "keras", "keras 3", "<2; python_version > '3'", "~~1"])
def test_what_is_no_specifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no version specifier: write >=2\.0"):
        parsed(text)
