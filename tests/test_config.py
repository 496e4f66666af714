from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.config import ConfigError, Options, resolve

Resolve = Callable[..., Options]


@pytest.fixture
def settled(tmp_path: Path) -> Resolve:
    """Settle flags, HARNESS_* and the text of a pyproject.toml."""

    def options(text: str | None = None, environ: dict[str, str] | None = None, /, **flags: Any) -> Options:
        if text is not None:
            (tmp_path / "pyproject.toml").write_text(text)
        return resolve(flags, environ or {}, tmp_path)

    return options


TABLE = "[tool.harness]\n"


def test_without_anything_there_are_defaults(settled: Resolve) -> None:
    assert settled() == Options()
    assert settled("[tool.other]\nkey = 1\n") == Options()
    assert (Options().tier, Options().seed, Options().rtol, Options().fail_on) == ("stock", 0, None, "any")


@pytest.mark.parametrize(
    ("text", "environ", "flags", "timeout"),
    [
        (None, {}, {}, 60.0),
        (TABLE + "timeout = 1\n", {}, {}, 1.0),
        (TABLE + "timeout = 1\n", {"HARNESS_TIMEOUT": "2"}, {}, 2.0),
        (TABLE + "timeout = 1\n", {"HARNESS_TIMEOUT": "2"}, {"timeout": 3.0}, 3.0),
        (TABLE + "timeout = 1\n", {}, {"timeout": 3.0}, 3.0),
        (TABLE + "timeout = 1\n", {"HARNESS_TIMEOUT": ""}, {"timeout": None}, 1.0),
    ],
)
def test_precedence(settled: Resolve, text: str | None, environ: Any, flags: Any, timeout: float) -> None:
    assert settled(text, environ, **flags).timeout == timeout


@pytest.mark.parametrize("name", ["seed", "jobs", "rtol", "atol", "max_failures"])
def test_0_is_a_value(settled: Resolve, name: str) -> None:
    text = f"{TABLE}{name} = 7\n"
    assert getattr(settled(text), name) == 7
    assert getattr(settled(text, {f"HARNESS_{name.upper()}": "0"}), name) == 0
    assert getattr(settled(text, **{name: 0}), name) == 0
    assert getattr(settled(text, **{name: None}), name) == 7


def test_flags_that_are_left_out_hide_nothing(settled: Resolve) -> None:
    text = TABLE + 'resume = true\nsubject = ["a*"]\nkeyword = "x"\n'
    found = settled(text, resume=False, subject=[], keyword="", out=None)
    assert (found.resume, found.subject, found.keyword) == (True, ("a*",), "x")


def test_lists_are_replaced_not_joined(settled: Resolve) -> None:
    text = TABLE + 'dtype = ["float16", "float32"]\n'
    assert settled(text).dtype == ("float16", "float32")
    assert settled(text, {"HARNESS_DTYPE": "float64,bfloat16"}).dtype == ("float64", "bfloat16")
    assert settled(text, dtype=["float64"]).dtype == ("float64",)


def test_flags_for_one_of_several_settings_that_are_one_thing_replace_all(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TABLE + 'env = ["current"]\n')
    variables = {"HARNESS_PYTHON": "a,b"}
    sides = ("env", "python")
    flags = resolve({"python": ["c", "d"]}, variables, tmp_path, together=sides)
    assert (flags.env, flags.python) == ((), ("c", "d"))
    settings = resolve({"seed": 1}, variables, tmp_path, together=sides)
    assert (settings.env, settings.python) == (("current",), ("a", "b"))


def test_only_flags_ask_a_resumed_run_to_measure_otherwise(settled: Resolve) -> None:
    found = settled(TABLE + 'tier = "quick"\nreport = ["csv"]\n', {"HARNESS_SEED": "3"}, dtype=["float32"])
    assert found.model_fields_set == {"report", "dtype"}


def test_hyphens_and_underscores_are_one_in_the_file(settled: Resolve) -> None:
    assert settled(TABLE + 'fail-on = "new"\nmax_failures = 3\n') == Options(fail_on="new", max_failures=3)


def test_the_nearest_pyproject_counts(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(TABLE + "seed = 1\n")
    assert resolve({}, {}, inner).seed == 1
    (tmp_path / "a" / "pyproject.toml").write_text(TABLE + "seed = 2\n")
    assert resolve({}, {}, inner).seed == 2
    (inner / "pyproject.toml").write_text("[project]\n")
    assert resolve({}, {}, inner).seed == 0


def test_other_variables_are_none_of_its_business(settled: Resolve) -> None:
    assert settled(None, {"HOME": "/", "MY_HARNESS_SEED": "1"}) == Options()


@pytest.mark.parametrize(
    ("text", "environ", "flags", "message"),
    [
        (TABLE + "sed = 1\n", {}, {}, "pyproject.toml: [tool.harness] sed: unknown setting, did you mean 'seed'?"),
        (None, {"HARNESS_TIERS": "x"}, {}, "HARNESS_TIERS: unknown setting, did you mean 'tier'?"),
        (None, {}, {"max_failure": 1}, "--max-failure: unknown setting, did you mean 'max_failures'?"),
        (None, {"HARNESS_QQ": "x"}, {}, "HARNESS_QQ: unknown setting: known are paths, keyword,"),
        (TABLE + "timeout = 0\n", {}, {}, "[tool.harness] timeout: Input should be greater than 0, not 0"),
        (None, {}, {"timeout": float("inf")}, "--timeout: Input should be less than or equal to 86400, not inf"),
        (
            None,
            {"HARNESS_TIMEOUT": "1e9"},
            {},
            "HARNESS_TIMEOUT: Input should be less than or equal to 86400, not '1e9'",
        ),
        (None, {"HARNESS_JOBS": "two"}, {}, "HARNESS_JOBS: Input should be a valid integer"),
        (None, {}, {"tier": "slow"}, "--tier: Input should be 'quick', 'stock' or 'nightly', not 'slow'"),
        (None, {}, {"rtol": float("nan")}, "--rtol: Input should be greater than or equal to 0, not nan"),
        (None, {}, {"fail_on": "some"}, "--fail-on: Input should be 'any', 'new' or 'regression', not 'some'"),
        (TABLE + 'subject = "torch*"\n', {}, {}, "[tool.harness] subject: Input should be a valid tuple, not 'torch*'"),
        ("[tool]\nharness = 3\n", {}, {}, "pyproject.toml: [tool.harness] is no table"),
        ("tool = 3\n", {}, {}, "pyproject.toml: [tool.harness] is no table"),
        ("[tool.harness\n", {}, {}, "pyproject.toml: Expected ']'"),
    ],
)
def test_mistakes_are_told_with_their_place(
    settled: Resolve, text: str | None, environ: Any, flags: Any, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        settled(text, environ, **flags)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_mistake_is_told_even_where_a_flag_overrides_it(settled: Resolve) -> None:
    with pytest.raises(ConfigError, match=r"\[tool\.harness\] threads"):
        settled(TABLE + "threads = 0\n", threads=2)


def test_environments_that_are_defined_are_no_setting(settled: Resolve) -> None:
    text = TABLE + "timeout = 2\n[tool.harness.env.prod]\nrequirements = ['torch']\n"
    assert settled(text).timeout == 2.0
    assert settled(text).env == ()
    assert settled(TABLE + "env = ['tf1.15']\n").env == ("tf1.15",)


@pytest.mark.parametrize(("ci", "require"), [("true", ("tf1.15",)), ("1", ("tf1.15",)), ("", ()), ("false", ())])
def test_in_continuous_integration_an_environment_that_is_named_is_required(
    settled: Resolve, ci: str, require: tuple[str, ...]
) -> None:
    assert settled(None, {"CI": ci}, env=("current", "tf1.15")).require == require
    assert settled(None, {"CI": ci, "HARNESS_REQUIRE": "torch"}, env=("tf1.15",)).require == ("torch", *require)
