"""Workers that crash, hang, print, die while importing: the run goes on and every fault has a name."""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.engine.connection import NICENESS
from harness.engine.pool import Limits, Pool
from harness.model.observation import Observation, Outcome
from harness.model.plan import Plan
from harness.model.subject import Environment

MakePlan = Callable[..., Plan]

LIMITS = Limits(timeout=20, start=60)
LOWEST = 19
UNIMPORTABLE = """
from harness.adapters import Implementation

FRAMEWORK = "broken"
PACKAGES = ("numpy",)
IMPLEMENTATIONS = (Implementation("broken.loss", "sigmoid_cross_entropy", None),)


def start(_threads):
    import os, signal, sys, time
    {body}


def call(implementation, mode, inputs, parameters, wanted):
    raise AssertionError
"""

PRIORITY = """
import os
import numpy
from harness.adapters import Implementation, Tensor

FRAMEWORK = {name!r}
PACKAGES = ("numpy",)
IMPLEMENTATIONS = (Implementation({name!r} + ".loss", "sigmoid_cross_entropy", None),)


def start(_threads):
    pass


def call(implementation, mode, inputs, parameters, wanted):
    found = [os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0)]
    return {{"value": Tensor.of(numpy.array(found, numpy.float32))}}
"""

MORTAL = 20
LENGTHY = f"""
import os, time
import numpy
from harness.adapters import Implementation, Tensor

FRAMEWORK = "lengthy"
PACKAGES = ("numpy",)
IMPLEMENTATIONS = (Implementation("lengthy.loss", "sigmoid_cross_entropy", None),)


def start(_threads):
    pass


def call(implementation, mode, inputs, parameters, wanted):
    time.sleep(0.02)
    if inputs["logits"].data[0] == {MORTAL}:
        os.kill(os.getpid(), 9)
    return {{"value": Tensor.of(numpy.full(2, os.getpid(), numpy.float32))}}
"""


def observe(plan: Plan, folder: Path, limits: Limits = LIMITS) -> dict[str, Observation]:
    """Observations by case id."""
    pool = Pool(plan.environments, limits, folder)
    return {item.call.id: observation for item, observation in pool.observe(plan.items)}


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("killed", Outcome.CRASH, "killed by SIGKILL"),
        ("segmentation_fault", Outcome.CRASH, "killed by SIGSEGV: about to touch memory that is not ours"),
        ("exiting", Outcome.CRASH, "ended with exit code 7"),
        ("out_of_memory", Outcome.OUT_OF_MEMORY, ""),
        ("no_array", Outcome.ERROR, "an array of dtype object can't be sent"),
    ],
)
def test_fault_is_named_and_costs_no_other_result(
    name: str, outcome: Outcome, reason: str, unruly: Path, make_plan: MakePlan, tmp_path: Path
) -> None:
    plan = make_plan(unruly, ["unruly.good", f"unruly.{name}", "unruly.chatty"])
    seen = observe(plan, tmp_path)
    assert seen[f"made:unruly.{name}/float32/0"].outcome is outcome
    assert seen[f"made:unruly.{name}/float32/0"].reason == reason
    assert seen["made:unruly.good/float32/0"].outcome is Outcome.VALUE
    assert seen["made:unruly.chatty/float32/0"].outcome is Outcome.VALUE


def test_an_environment_that_can_not_be_had_starts_no_worker(unruly: Path, make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(unruly, ["unruly.good"], count=2)
    broken = replace(plan, environments={"current": Environment("current", "", complaint="no Python 3.7 here")})
    seen = observe(broken, tmp_path / "logs")
    assert {(s.outcome, s.reason) for s in seen.values()} == {(Outcome.UNAVAILABLE, "no Python 3.7 here")}
    assert len(seen) == 2
    assert list((tmp_path / "logs").iterdir()) == []


def test_hanging_call_is_timed_out_alone(unruly: Path, make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(unruly, ["unruly.hanging", "unruly.good"])
    seen = observe(plan, tmp_path, Limits(timeout=0.5, start=60))
    assert seen["made:unruly.hanging/float32/0"].outcome is Outcome.TIMEOUT
    assert seen["made:unruly.hanging/float32/0"].reason == "no answer within 0.5 s"
    assert seen["made:unruly.good/float32/0"].outcome is Outcome.VALUE


def test_every_crash_of_many_is_attributed_to_its_own_case(unruly: Path, make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(unruly, ["unruly.killed", "unruly.good"], 4)
    seen = observe(plan, tmp_path)
    assert [o.outcome for o in seen.values()] == [Outcome.CRASH] * 4 + [Outcome.VALUE] * 4


def test_what_a_framework_prints_is_kept_as_evidence_and_is_no_answer(
    unruly: Path, make_plan: MakePlan, tmp_path: Path
) -> None:
    observe(make_plan(unruly, ["unruly.chatty"]), tmp_path)
    assert "raw bytes on standard output" in (tmp_path / "current-unruly-0.txt").read_text()


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGABRT)", Outcome.CRASH, "while importing broken: killed by SIGABRT"),
        ("sys.exit('the licence has expired')", Outcome.UNAVAILABLE, "the licence has expired"),
        ("raise OSError('libmissing.so.1: no such file')", Outcome.UNAVAILABLE, "OSError: libmissing.so.1"),
        ("import absent_framework", Outcome.UNAVAILABLE, "No module named 'absent_framework'"),
        ("time.sleep(3600)", Outcome.TIMEOUT, "importing broken took longer than 2 s"),
    ],
)
def test_framework_that_cannot_be_imported(
    body: str, outcome: Outcome, reason: str, make_plan: MakePlan, tmp_path: Path
) -> None:
    adapter = tmp_path / "broken.py"
    adapter.write_text(UNIMPORTABLE.format(body=body))
    seen = observe(make_plan(adapter, ["broken.loss"], 3), tmp_path, Limits(start=2 if "sleep" in body else 60))
    assert {o.outcome for o in seen.values()} == {outcome}
    assert all(reason in o.reason for o in seen.values())
    assert len(seen) == 3


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_every_item_is_observed_once_whatever_the_number_of_jobs(
    jobs: int, unruly: Path, make_plan: MakePlan, tmp_path: Path
) -> None:
    plan = make_plan(unruly, ["unruly.good"], 7)
    pool = Pool(plan.environments, Limits(jobs=jobs), tmp_path)
    ranks: Sequence[int] = sorted(item.rank for item, _ in pool.observe(plan.items))
    assert ranks == [item.rank for item in plan.items]


def test_other_work_is_done_while_no_answer_is_there(unruly: Path, make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(unruly, ["unruly.good"])
    work = iter([True, True, False])
    pool = Pool(plan.environments, LIMITS, tmp_path)
    (seen,) = pool.observe(plan.items, lambda: next(work, False))
    assert seen[1].outcome is Outcome.VALUE
    assert list(work) == []


def test_stopping_early_leaves_no_worker_behind(unruly: Path, make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(unruly, ["unruly.good", "unruly.hanging"])
    calls = Pool(plan.environments, Limits(timeout=3600), tmp_path).observe(plan.items)
    next(calls)
    assert isinstance(calls, Generator)
    calls.close()  # returns only when every worker has ended: a hanging one must not be waited for


def test_warning_comes_with_the_call_that_causes_it(unruly: Path, make_plan: MakePlan, tmp_path: Path) -> None:
    seen = observe(make_plan(unruly, ["unruly.good", "unruly.deprecated"]), tmp_path)
    assert seen["made:unruly.good/float32/0"].warnings == ()
    told = ("DeprecationWarning: deprecated() goes away: use good()",)
    assert seen["made:unruly.deprecated/float32/0"].warnings == told


def test_a_gradient_of_a_later_version_is_not_asked_for(unruly: Path, make_plan: MakePlan, tmp_path: Path) -> None:
    (seen,) = observe(make_plan(unruly, ["unruly.later"]), tmp_path).values()
    assert (seen.outcome, list(seen.outputs)) == (Outcome.VALUE, ["value"])
    assert list(seen.unsupported) == ["gradient:logits"]
    assert seen.unsupported["gradient:logits"].endswith("doesn't differentiate it by logits (new in 999.1)")


def test_when_the_time_is_over_the_rest_has_no_observation(unruly: Path, make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(unruly, ["unruly.good", "unruly.hanging", "unruly.chatty"])
    seen = observe(plan, tmp_path, replace(LIMITS, timeout=3600, budget=0.2))
    assert set(seen) == {"made:unruly.good/float32/0"}


def test_every_worker_has_a_share_of_the_time(unruly: Path, make_plan: MakePlan, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(unruly.read_text().replace("unruly", "other"))
    plans = [make_plan(unruly, ["unruly.good", "unruly.hanging"]), make_plan(other, ["other.good", "other.hanging"])]
    both = replace(plans[0], items=[item for plan in plans for item in plan.items])
    seen = observe(both, tmp_path, replace(LIMITS, jobs=1, timeout=3600, budget=0.4))
    assert set(seen) == {"made:unruly.good/float32/0", "made:other.good/float32/0"}


def test_a_call_has_its_own_number_of_threads_and_layout(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(Path(__file__).parent / "adapters" / "threaded.py", ["threaded.loss"])
    (item,) = plan.items
    other = replace(item, rank=item.rank + 1, call=replace(item.call, id="other", layout="strided", threads=3))
    seen = observe(replace(plan, items=[item, other]), tmp_path)
    assert seen[item.call.id].outputs["value"].tolist() == [LIMITS.threads, True]
    assert seen["other"].outputs["value"].tolist() == [3, False]


def test_the_framework_with_the_most_calls_has_the_processor_first(make_plan: MakePlan, tmp_path: Path) -> None:
    plans = []
    for name, count in (("brief", 1), ("lengthy", 3)):
        (tmp_path / f"{name}.py").write_text(PRIORITY.format(name=name))
        plans.append(make_plan(tmp_path / f"{name}.py", [f"{name}.loss"], count))
    items = [replace(item, rank=rank) for rank, item in enumerate(item for plan in plans for item in plan.items)]
    pool = Pool(plans[0].environments, LIMITS, tmp_path / "logs")
    seen = {item.subject.framework: seen.outputs["value"].tolist() for item, seen in pool.observe(items)}
    own, session = os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0)  # niceness counts within a session
    assert seen == {"brief": [min(own + NICENESS, LOWEST), session], "lengthy": [own, session]}


@pytest.mark.parametrize("processors", [1, 2])
def test_a_worker_with_much_to_do_gets_help_where_there_is_a_processor(
    processors: int, make_plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.engine.pool.WORTH_HELP", 0.0)
    seen = lengthy(60, processors, make_plan, tmp_path, monkeypatch)
    crashed = [rank for rank, each in seen.items() if each.outcome is Outcome.CRASH]
    assert crashed == [MORTAL]
    assert (processes(seen) > 1 + len(crashed)) == (processors > 1)


def test_a_worker_that_is_soon_done_gets_no_help(
    make_plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert processes(lengthy(4, 2, make_plan, tmp_path, monkeypatch)) == 1


def lengthy(
    count: int, processors: int, make_plan: MakePlan, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[int, Observation]:
    """Observations of calls of 20 ms by number, each made once."""
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    monkeypatch.setattr("harness.engine.shards.BATCH_CALLS", 1)
    (folder / "lengthy.py").write_text(LENGTHY)
    plan = make_plan(folder / "lengthy.py", ["lengthy.loss"], count)
    ranks = [item.rank for item in plan.items]
    seen = [
        (ranks.index(item.rank), seen) for item, seen in Pool(plan.environments, LIMITS, folder).observe(plan.items)
    ]
    assert sorted(number for number, _ in seen) == list(range(count))
    return dict(seen)


def processes(seen: Mapping[int, Observation]) -> int:
    """How many workers have answered."""
    return len({each.outputs["value"][0] for each in seen.values() if each.outputs})
