from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.casefile import cases_folder
from harness.config import ConfigError, Options
from harness.model.case import Case, Claim, Expectation, Relation, Source, Unit, View
from harness.model.subject import DOCUMENT, Subject
from harness.selection import keyword, of_units, paths, wants

SOURCE = Source("cases/documents/003.yaml", 12)
TEXT = "documents/003:003-a/float32 current:torch.nn.functional.cross_entropy@eager"


@pytest.fixture
def case() -> Callable[..., Case]:
    def made(operation: str = "sigmoid", dtype: str = "float32", name: str = "documents/003:003-a") -> Case:
        inputs = {"logits": np.zeros(1, dtype)}
        return Case(f"{name}/{dtype}", operation, inputs, {}, dtype, Expectation(), SOURCE)

    return made


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("", True),
        ("003-a", True),
        ("TORCH", True),
        ("jax", False),
        ("not jax", True),
        ("not not torch", True),
        ("torch and 003", True),
        ("torch and jax", False),
        ("jax or torch", True),
        ("jax or numpy", False),
        ("jax and jax or torch", True),
        ("torch or jax and jax", True),
        ("(torch or jax) and jax", False),
        ("not (torch and jax)", True),
        ("not torch or torch", True),
        ("not jax and not numpy and torch", True),
        ("not torch and jax", False),
        ("((torch))", True),
        ("(torch)and(003)", True),
        ("  torch   and\t003 ", True),
        ("@eager", True),
        ("android", False),
        ("documents/003:003-a/float32", True),
    ],
)
def test_keywords(expression: str, *, matches: bool) -> None:
    assert keyword(expression)(TEXT) is matches


def test_stock_runs_every_folder_of_cases_but_what_is_nightly() -> None:
    folders = {path for path in cases_folder().iterdir() if path.is_dir()}
    assert folders - set(paths(Options(tier="stock"))) == {cases_folder() / "nightly"}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("torch and", "a word is missing at the end"),
        ("or torch", "a word is missing before 'or'"),
        ("not", "a word is missing at the end"),
        ("torch and or jax", "a word is missing before 'or'"),
        ("()", "a word is missing before ')'"),
        ("(torch", "a parenthesis is not closed"),
        ("(torch or (jax)", "a parenthesis is not closed"),
        ("torch)", "')' is one word too many"),
        ("torch jax", "'jax' is one word too many"),
        ("torch not jax", "'not' is one word too many"),
        ("   ", "a word is missing at the end"),
    ],
)
def test_what_is_no_keyword_expression_is_told(expression: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        keyword(expression)
    assert str(refused.value) == f"-k {expression!r}: {message}"


@pytest.mark.parametrize(
    ("options", "modes"),
    [
        ({"tier": "quick"}, ["eager"]),
        ({"tier": "stock"}, ["eager", "compiled"]),
        ({"tier": "nightly"}, ["eager", "compiled"]),
        ({"subject": ("*@compiled",)}, ["compiled"]),
        ({"subject": ("*@compiled", "current:torch.*@eager")}, ["eager", "compiled"]),
        ({"subject": ("torch*",)}, []),
        ({"keyword": "torch and not compiled"}, ["eager"]),
        ({"keyword": "003-a and torch"}, ["eager", "compiled"]),
        ({"keyword": "003-b"}, []),
        ({"keyword": "compiled", "tier": "quick"}, []),
    ],
)
def test_what_is_run_with_whom(case: Callable[..., Case], options: dict[str, Any], modes: list[str]) -> None:
    wanted = wants(Options(**options))
    subjects = [Subject("current", "torch.sigmoid", mode) for mode in ("eager", "compiled")]
    assert [s.mode for s in subjects if wanted(case(), s)] == modes


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"tier": "quick"}, True),
        ({"subject": ("torch*",)}, True),
        ({"keyword": "document"}, True),
        ({"keyword": "003-a"}, True),
        ({"keyword": "torch"}, False),
    ],
)
def test_a_document_is_judged_with_its_cases(
    case: Callable[..., Case], options: dict[str, Any], *, wanted: bool
) -> None:
    assert wants(Options(**options))(case(), DOCUMENT) is wanted


@pytest.mark.parametrize(
    ("options", "selected"),
    [
        ({}, "case other relation claim"),
        ({"operation": ("sigmoid",)}, "case relation"),
        ({"operation": ("soft*",)}, "other relation"),
        ({"operation": ("*max", "sigmoid")}, "case other relation"),
        ({"dtype": ("float64",)}, "other relation"),
        ({"dtype": ("float?6",)}, ""),
        ({"operation": ("sigmoid",), "dtype": ("float64",)}, ""),
    ],
)
def test_operations_and_dtypes(case: Callable[..., Case], options: dict[str, Any], selected: str) -> None:
    calls = {"a": case(), "b": case("softmax", "float64")}
    units: dict[str, Unit] = {
        "case": case(),
        "other": case("softmax", "float64"),
        "relation": Relation("r", "equal", calls, {"a": View(), "b": View()}, (), SOURCE),
        "claim": Claim("c", SOURCE),
    }
    wanted = of_units(Options(**options))
    assert [name for name, unit in units.items() if wanted(unit)] == selected.split()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"tier": "quick"}, [cases_folder() / "documents", cases_folder() / "operations"]),
        ({"tier": "nightly"}, [cases_folder()]),
        ({"tier": "quick", "paths": ("a.yaml", "b")}, [Path("a.yaml"), Path("b")]),
    ],
)
def test_paths_are_those_asked_for_or_the_tiers(options: dict[str, Any], expected: list[Path]) -> None:
    assert paths(Options(**options)) == expected
    assert cases_folder().name == "cases"
