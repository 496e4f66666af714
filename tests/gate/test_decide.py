"""The gate as a function: what fails, by which rule, and what is let pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.gate.decide import gate
from harness.gate.lines import lines
from harness.gate.policy import Policy, Rule
from harness.model.change import Change
from harness.model.decision import Decision
from harness.model.run import LeftOut
from harness.model.verdict import ExitCode, Kind

Make = Callable[..., Any]


def rule(*changes: str, fail: bool = False, **more: Any) -> Rule:
    given = {key: tuple(value) for key, value in more.items()}
    return Rule(changes, fail, "as we agreed", source="pyproject.toml:7", **given)


def ruled(decision: Decision) -> list[tuple[str, bool]]:
    return [(ruling.change, ruling.fails) for ruling in decision.rulings]


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        ("any", {Change.NEW_FAILURE}),
        ("new", {Change.NEW_FAILURE}),
        (
            "regression",
            {Change.NEW_FAILURE, Change.SEMANTICS, Change.WORSE, Change.NOT_MEASURED, Change.REMOVED},
        ),
    ],
)
@pytest.mark.parametrize("change", list(Change))
def test_what_fails_by_each_word(
    change: Change, fail_on: str, failing: set[Change], make: Make, differ: Make, diff: Make
) -> None:
    now = make(kind=Kind.FAIL if change is Change.NEW_FAILURE else Kind.PASS)
    gone = change in (Change.NOT_MEASURED, Change.REMOVED)
    decision = gate(Policy(fail_on), [] if gone else [now], diff(differ(change, now, gone=gone)))
    assert decision.exit_code is (ExitCode.FAILED if change in failing else ExitCode.OK)
    assert [r.rule for r in decision.failing] == [f"--fail-on {fail_on}"] * (change in failing)


@pytest.mark.parametrize(("fail_on", "code"), [("any", 1), ("new", 0), ("regression", 0)])
def test_a_failure_that_was_there_before_is_no_change(fail_on: str, code: int, make: Make, diff: Make) -> None:
    assert gate(Policy(fail_on), [make(kind=Kind.CRASH)], diff()).exit_code == code


@pytest.mark.parametrize("fail_on", ["any", "new", "regression"])
def test_without_a_baseline_every_failure_is_new(fail_on: str, make: Make) -> None:
    decision = gate(Policy(fail_on), [make(), make("b:b", Kind.STALE), make("c:c", Kind.DEVIATION)], None)
    assert [(r.case, r.fails) for r in decision.rulings] == [("b:b", True)]
    assert gate(Policy(fail_on), [make()], None).exit_code is ExitCode.OK


@pytest.mark.parametrize(
    ("speaks", "matches"),
    [
        ({}, True),
        ({"operations": ["softmax*"]}, True),
        ({"operations": ["sigmoid"]}, False),
        ({"dtypes": ["float16", "float32"]}, True),
        ({"dtypes": ["float64"]}, False),
        ({"modes": ["eager"]}, True),
        ({"modes": ["xla"]}, False),
        ({"subjects": ["*:torch.*"]}, True),
        ({"subjects": ["*:tf.*"]}, False),
        ({"cases": ["operations/*"]}, True),
        ({"cases": ["found/*"]}, False),
        ({"operations": ["softmax"], "modes": ["xla"]}, False),
    ],
)
def test_a_rule_lets_pass_what_it_names_and_says_so(
    speaks: Any, *, matches: bool, make: Make, differ: Make, diff: Make
) -> None:
    now = make()
    policy = Policy("regression", (rule(Change.WORSE, **speaks),))
    decision = gate(policy, [now], diff(differ(Change.WORSE, now)))
    assert decision.exit_code is (ExitCode.OK if matches else ExitCode.FAILED)
    said = "let pass by the rule at pyproject.toml:7 (as we agreed): 1 worse"
    assert [str(ground) for ground in decision.grounds()] == [
        said if matches else "failed by --fail-on regression: 1 worse"
    ]


def test_a_rule_may_fail_what_would_pass(make: Make, differ: Make, diff: Make) -> None:
    now = make()
    decision = gate(Policy("new", (rule(Change.BITS, fail=True),)), [now], diff(differ(Change.BITS, now)))
    assert ruled(decision) == [("bits changed", True)]


def test_the_first_rule_that_matches_decides(make: Make, differ: Make, diff: Make) -> None:
    now = make()
    rules = (rule(Change.WORSE, operations=["softmax"]), rule(Change.WORSE, fail=True))
    worse = diff(differ(Change.WORSE, now))
    assert gate(Policy("any", rules), [now], worse).exit_code is ExitCode.OK
    assert gate(Policy("any", rules[::-1]), [now], worse).exit_code is ExitCode.FAILED


def test_a_rule_about_failures_speaks_of_old_and_new_ones(make: Make, differ: Make, diff: Make) -> None:
    old, new = make("a:old", Kind.FAIL), make("a:new", Kind.FAIL)
    policy = Policy("any", (rule("failure", cases=["a:*"]),))
    decision = gate(policy, [old, new], diff(differ(Change.NEW_FAILURE, new)))
    assert ruled(decision) == [("failure", False), ("failure", False)]


def test_other_bits_on_another_machine_never_fail(make: Make, differ: Make, diff: Make) -> None:
    now = make()
    policy = Policy("regression", (rule(Change.BITS, fail=True),))
    assert gate(policy, [now], diff(differ(Change.BITS, now, elsewhere=True))).exit_code is ExitCode.OK
    assert gate(policy, [now], diff(differ(Change.BITS, now))).exit_code is ExitCode.FAILED


def test_of_a_case_that_is_gone_its_ids_are_known_and_its_operation_is_not(
    make: Make, differ: Make, diff: Make
) -> None:
    gone = diff(differ(Change.NOT_MEASURED, make(), gone=True))

    def code(**speaks: Any) -> int:
        return gate(Policy("regression", (rule(Change.NOT_MEASURED, **speaks),)), [], gone).exit_code

    assert code(dtypes=["float32"], modes=["eager"]) == 0
    assert code(dtypes=["float64"]) == 1
    assert code(operations=["softmax"]) == 1
    assert code(operations=["*"]) == 0


def left_out(about: Any, *, failed: bool = False) -> LeftOut:
    outputs = frozenset({(about.case, about.subject)})
    return LeftOut("the time budget of 5 s", failed, {"softmax": 1}, 10, outputs)


def test_what_the_time_left_out_fails_only_by_a_rule(make: Make, differ: Make, diff: Make) -> None:
    gone = make()
    found = diff(differ(Change.NOT_MEASURED, gone, gone=True))
    assert gate(Policy("regression"), [], found, left_out(gone)).exit_code is ExitCode.OK
    assert gate(Policy("regression"), [], found, left_out(make("another:case"))).exit_code is ExitCode.FAILED
    for word in ("left out", Change.NOT_MEASURED):
        policy = Policy("new", (rule(word, fail=True),))
        assert ruled(gate(policy, [], found, left_out(gone))) == [(word, True)]


def test_a_run_that_failures_stopped_fails(make: Make, diff: Make) -> None:
    decision = gate(Policy("new"), [make()], diff(), left_out(make("b:b"), failed=True))
    assert (decision.exit_code, decision.failing) == (ExitCode.FAILED, [])
    assert lines(decision, diff())[1] == "gate: failed, as the run was stopped by the time budget of 5 s"


def test_the_terminal_is_told_what_differs_by_which_rule_and_what_fails_first(
    make: Make, differ: Make, diff: Make
) -> None:
    verdicts = [make(f"operations/softmax:{n}/float32") for n in range(30)]
    better = [differ(Change.BETTER, each) for each in verdicts[1:]]
    worse = differ(Change.WORSE, verdicts[0])
    found = diff(*better, worse)
    said = lines(gate(Policy("regression"), verdicts, found), found)
    assert said[:3] == [
        "baseline: 1 worse, 29 better",
        "gate: failed by --fail-on regression: 1 worse",
        (
            "worse: operations/softmax:0/float32 current:torch.softmax@eager value: "
            "pass (+0.25 ulp, 0.0312 B) -> pass (+9 ulp, 1.12 B)"
        ),
    ]
    assert said[-1] == "and 10 more"
    assert len(said) == 2 + 20 + 1


def test_what_a_rule_or_a_framework_says_stays_on_its_line(make: Make, diff: Make) -> None:
    said = "\x1b[2J\n::error::planted\r\u2028\tend"
    policy = Policy("any", (Rule(("failure",), fail=True, reason=said, source="pyproject.toml:7"),))
    verdicts = [make(kind=Kind.FAIL, reason=said)]
    shown = r"\x1b[2J ::error::planted\r\u2028 end"
    *_, ground, output = lines(gate(policy, verdicts, diff()), diff())
    assert ground == f"gate: failed by the rule at pyproject.toml:7 ({shown}): 1 failure"
    assert output.endswith(shown)
    assert ground in lines(gate(policy, verdicts, None), None)


def test_what_was_left_out_is_counted_and_not_listed(make: Make, differ: Make, diff: Make) -> None:
    gone = make()
    found = diff(differ(Change.NOT_MEASURED, gone, gone=True))
    decision = gate(Policy("regression"), [], found, left_out(gone))
    assert lines(decision, found, left_out(gone)) == ["baseline: 1 not measured"]


def test_a_run_that_passes_without_a_baseline_says_nothing(make: Make) -> None:
    assert lines(gate(Policy(), [make()], None), None) == []
