"""`[tool.harness.gate]`: rules, settings, and mistakes at their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import ConfigError, Options, resolve

GOOD = """\
[tool.harness]
tier = "quick"

[tool.harness.gate]
fail-on = "regression"
max_failures = 50
time-budget = 300

[[tool.harness.gate.rules]]
changes = ["worse", "semantics changed"]
operations = ["softmax*"]
dtypes = ["float32"]
modes = ["eager"]
fail = false
reason = "measured by hand"

# the second one
[[tool.harness.gate.rules]]
changes = ["failure"]
fail = true
reason = "always"
"""
RULE = '[[tool.harness.gate.rules]]\nchanges = ["worse"]\nfail = true\nreason = "r"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "pyproject.toml"


def settled(project: Path, text: str) -> Options:
    project.write_text(text)
    return resolve({}, {}, project.parent)


def test_settings_and_rules_are_read(project: Path) -> None:
    options = settled(project, GOOD)
    assert (options.tier, options.fail_on, options.max_failures, options.time_budget) == (
        "quick",
        "regression",
        50,
        300,
    )
    first, second = options.rules
    assert (first.changes, first.operations, first.fail) == (("worse", "semantics changed"), ("softmax*",), False)
    assert str(first) == "the rule at pyproject.toml:9 (measured by hand)"
    assert str(second) == "the rule at pyproject.toml:18 (always)"


def test_flags_come_before_variables_before_the_table(project: Path) -> None:
    project.write_text(GOOD)
    variables = {"HARNESS_FAIL_ON": "any", "HARNESS_TIME_BUDGET": "7"}
    found = resolve({"fail_on": "new"}, variables, project.parent)
    assert (found.fail_on, found.time_budget, found.max_failures) == ("new", 7.0, 50)
    assert len(found.rules) == 2
    assert resolve({"time_budget": 0}, variables, project.parent).time_budget == 0


def test_rules_survive_being_stored(project: Path) -> None:
    options = settled(project, GOOD)
    assert Options(**options.model_dump(mode="json")) == options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fail_onn = 1", ":3: [tool.harness.gate] fail_onn: unknown setting, did you mean 'fail_on'?"),
        ("fail-on = 'some'", ":3: [tool.harness.gate] fail_on: Input should be 'any'"),
        ("time-budget = -1", ":3: [tool.harness.gate] time_budget: Input should be greater"),
        ("tier = 'quick'", ":3: [tool.harness.gate] tier: unknown setting: known are fail_on,"),
        ("rules = 3", ":3: [tool.harness.gate] rules: a list of tables is needed"),
    ],
)
def test_a_mistake_in_a_setting_is_told_at_its_line(project: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        settled(project, f"[tool.harness.gate]\n\n{text}\n")
    assert f"{project}{message}" in str(refused.value)


def test_a_setting_stands_in_one_place(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"pyproject.toml:4: \[tool.harness.gate\] fail-on: stands in") as refused:
        settled(project, "[tool.harness]\nfail_on = 'any'\n[tool.harness.gate]\nfail-on = 'new'\n")
    assert str(refused.value).endswith("stands in [tool.harness] too")


def test_the_gate_must_be_a_table_and_rules_stand_in_it(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[tool.harness.gate\] is no table"):
        settled(project, "[tool.harness]\ngate = 3\n")
    with pytest.raises(ConfigError, match=r"\[tool.harness\] rules: unknown setting"):
        settled(project, "[tool.harness]\nrules = [1]\n")


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        (RULE.replace('"worse"', '"wrose"'), [":2 changes: unknown change 'wrose', did you mean 'worse'?"]),
        (RULE.replace('["worse"]', "[]"), [":2 changes: "]),
        (RULE.replace("true", '"no"'), [":3 fail: Input should be a valid boolean"]),
        (RULE.replace('"r"', '""'), [":4 reason: "]),
        (RULE + 'dtype = ["float32"]\n', [":5 dtype: unknown key 'dtype', did you mean 'dtypes'?"]),
        (RULE + 'operations = ["sofmax"]\n', [":5 operations: unknown operation 'sofmax', did you mean 'softmax'?"]),
        (RULE + 'dtypes = ["float31"]\n', [":5 dtypes: unknown dtype 'float31', did you mean"]),
        (
            RULE + RULE.replace("fail", "fial") + 'modes = "eager"\n',
            [
                ":7 fial: unknown key 'fial', did you mean 'fail'?",
                ":5 fail: is missing",
                ":9 modes: Input should be a valid list, not 'eager'",
            ],
        ),
        ('[tool]\nharness.gate.rules = [{changes = ["worse"], fail = true}]\n', [" reason: is missing"]),
    ],
)
def test_every_mistake_in_rules_is_told_at_its_line(project: Path, text: str, mistakes: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        settled(project, text)
    said = str(refused.value)
    for line, _, message in (mistake.partition(" ") for mistake in mistakes):
        assert f"{project}{line}: [[tool.harness.gate.rules]] {message}" in said
    assert len(said.splitlines()) == len(mistakes)
