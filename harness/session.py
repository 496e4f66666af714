"""A run under way: observations in, verdicts out, both kept in the store."""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from harness.comparator import documents, judge, relate
from harness.comparator.findings import Finding
from harness.comparator.judge import Answer, Judge
from harness.comparator.statements import stated
from harness.config import Options
from harness.engine.pool import Greeting
from harness.model.case import Case, Claim, Relation, Unit
from harness.model.deviation import Deviation
from harness.model.observation import Observation
from harness.model.plan import Item, Plan
from harness.model.run import LeftOut, Results, Run
from harness.model.subject import DOCUMENT, Fingerprint, Parameter, Signatures, Subject
from harness.model.verdict import Kind, Verdict
from harness.model.versions import Packages
from harness.oracle import truth as oracle
from harness.oracle.truth import Truth
from harness.store import baseline, entries
from harness.store import folder as folders
from harness.store.baseline import Baseline
from harness.store.database import Store, reading
from harness.store.entries import Key
from harness.store.folder import RunFolderError

COMMIT_SECONDS = 0.5
TOGETHER = 128
"""Observations that are judged together: NumPy's price is by the call."""
STACK = 64
"""Calls whose truths are evaluated together."""
AHEAD = 1024
"""Truths that are held before their observations have come."""


class Session:
    """Takes observations as they come, judges them, and stores both.

    Args:
        plan: everything the run will do.
        store: its store, fresh or reopened.
        folder: where it writes.
        options: its settings.
        facts: what a fresh run notes of itself: options, started, command.
        deviations: the known ones.
        failing_before: outputs whose failures are not counted, as they are known.

    Raises:
        RunFolderError: a reopened store holds a run of another plan.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        folder: Path,
        options: Options,
        facts: Mapping[str, Any],
        deviations: Sequence[Deviation] = (),
        failing_before: Collection[Key] = (),
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.failures = 0
        self._failing_before = failing_before
        self._left_out: LeftOut | None = None
        self._store = store
        self._options = options
        self._begun = self._committed = time.monotonic()
        self._upcoming: Iterator[Case] = iter(())
        self._truths: dict[str, Truth] = {}
        self._verdicts = dict(store.placed())
        self._waiting: Counter[str] = Counter()
        self._untaken: list[tuple[Item, Observation]] = []
        self._heard = 0
        self._settle(facts)
        self._packages = {tuple(key): versions for key, versions in store.noted("packages") or ()}
        self._fingerprints = {name: Fingerprint(**kept) for name, kept in (store.noted("fingerprints") or {}).items()}
        self._signatures: dict[str, dict[str, Any]] = store.noted("signatures") or {}
        self._judge = Judge(options.rtol, options.atol, self._packages, deviations)

    def left(self, arranged: Callable[[Sequence[Item]], Sequence[Item]] = list) -> Sequence[Item]:
        """The items that have no observation yet.

        Args:
            arranged: puts them in the order in which they will be observed.
        """
        left = arranged(self._unobserved())
        self._waiting = Counter(item.call.id for item in left)
        self._upcoming = (item.call for item in left)
        return left

    def _unobserved(self) -> list[Item]:
        done = self._store.observed()
        return [item for item in self.plan.items if item.rank not in done]

    def foresee(self) -> bool:
        """Evaluate truths that will be needed, for when there is nothing else to do; False if there are none."""
        if len(self._truths) >= AHEAD:
            return False
        calls = self._next(STACK)
        self._evaluate(calls)
        return bool(calls)

    def hear(self, greetings: Sequence[Greeting]) -> None:
        """Learn versions from workers that became ready."""
        for greeting in greetings[self._heard :]:
            said = greeting.fingerprint
            known = self._fingerprints.get(greeting.environment, said)
            packages = {**known.packages, **said.packages}
            self._fingerprints[greeting.environment] = replace(said, packages=packages)
            self._packages[greeting.environment, greeting.framework] = said.packages
            self._signatures.setdefault(greeting.environment, {}).update(greeting.signatures)
        self._heard = len(greetings)

    def take(self, item: Item, observation: Observation) -> None:
        """Keep an observation; it is judged with others, soon, or at once if failures are counted."""
        self._untaken.append((item, observation))
        if len(self._untaken) >= TOGETHER or self._options.max_failures:
            self._judge_untaken()
        now = time.monotonic()
        if now - self._committed > COMMIT_SECONDS:
            self.save()
            self._committed = now

    def save(self) -> None:
        """Make everything so far survive a kill."""
        self._judge_untaken()
        self._store.note("packages", [[list(key), versions] for key, versions in self._packages.items()])
        self._store.note("fingerprints", {name: asdict(kept) for name, kept in self._fingerprints.items()})
        self._store.note("signatures", self._signatures)
        self._store.commit()

    def leave_out(self, why: str, *, failed: bool) -> None:
        """Note that what has no observation won't get one in this run; nothing if there is none.

        Args:
            why: what stopped it.
            failed: whether failures did.
        """
        left = self._unobserved()
        calls = Counter(item.call.operation for item in left)
        facts: dict[str, Any] = {"why": why, "failed": failed, "calls": calls, "planned": len(self.plan.items)}
        outputs = frozenset((item.unit.id, item.subject.id) for item in left)
        self._left_out = LeftOut(**facts, outputs=outputs) if left else None
        self._store.note("left out", facts if left else None)
        self._store.commit()

    def judge_units(self) -> None:
        """Judge what needs several answers, relations and agreement, and what needs none."""
        self._judge_overflows()
        items: dict[str, list[Item]] = defaultdict(list)
        for item in self.plan.items:
            items[item.unit.id].append(item)
        for place, unit in zip(self.plan.places, self.plan.units, strict=True):
            for rank, row in self._unit_rows(place, unit, items[unit.id]):
                self._put(rank, [self._required(row)])
        self._store.commit()

    def results(self) -> Results:
        """The run so far, as reports see it."""
        self._store.note("seconds", (self._store.noted("seconds") or 0.0) + time.monotonic() - self._begun)
        self._store.gather()
        run = replace(_run(self._store, self.folder), left_out=self._left_out)
        return Results(run, self._ordered(), self._store.record)

    def close(self) -> None:
        """Close the store: after that the results have verdicts, but no records."""
        self._store.close()

    def _settle(self, facts: Mapping[str, Any]) -> None:
        """Note what a fresh run is; see that a reopened one is the same."""
        identity = _identity(self.plan)
        known = self._store.noted("plan")
        if known is None:
            known_of_plan = {"plan": identity, "cases": _cases(self.plan), "planned": len(self.plan.items)}
            for key, fact in {**facts, **known_of_plan}.items():
                self._store.note(key, fact)
            self._store.commit()
        elif known != identity:
            raise RunFolderError(f"{self.folder}: the cases or the adapters have changed since: it can't be resumed")

    def _truth(self, call: Case) -> Truth:
        """The truth of a call, kept until its last observation."""
        if call.id not in self._truths:
            self._evaluate([call, *(other for other in self._next(STACK) if other.id != call.id)])
        self._waiting[call.id] -= 1
        return self._truths[call.id] if self._waiting[call.id] > 0 else self._truths.pop(call.id)

    def _next(self, count: int) -> list[Case]:
        """Calls that come next and have no truth yet, at most so many."""
        found: dict[str, Case] = {}
        for call in self._upcoming:
            if self._waiting[call.id] and call.id not in self._truths:
                found[call.id] = call
                if len(found) == count:
                    break
        return list(found.values())

    def _evaluate(self, calls: Sequence[Case]) -> None:
        """The truths of calls, which are kept in the store with their inputs."""
        for call, truth in zip(calls, oracle.evaluate_all(calls), strict=True):
            self._store.put_case(call, {name: output.high for name, output in truth.outputs.items()})
            self._truths[call.id] = truth

    def _judge_untaken(self) -> None:
        """Judge what has come, and store observations and verdicts together."""
        answers, ranks = [], []
        for item, observation in self._untaken:
            self._store.put(item, observation)
            truth = self._truth(item.call)
            if isinstance(item.unit, Case) and not item.unit.expect.agree:
                answers.append(Answer(item.unit, item.subject, item.wanted, observation, truth))
                ranks.append(item.rank)
        for rank, rows in zip(ranks, self._judge.verdicts(answers), strict=True):
            self._put(rank, [self._required(row) for row in rows])
        self._untaken.clear()

    def _put(self, rank: int, rows: list[Verdict]) -> None:
        self._store.put_verdicts(rank, rows)
        self._verdicts[rank] = rows
        self.failures += sum(row.verdict.failed and entries.key(row) not in self._failing_before for row in rows)

    def _ordered(self) -> list[Verdict]:
        """All verdicts in the order of the plan."""
        return [row for rank in sorted(self._verdicts) for row in self._verdicts[rank]]

    def _judge_overflows(self) -> None:
        """An intermediate's overflow passes only where no other subject has the value."""
        having = judge.having(self._ordered())
        for item in self.plan.items:
            rows = self._verdicts.get(item.rank, [])
            found = [judge.avoided(row, having) for row in rows]
            if isinstance(item.unit, Case) and any(found):
                seen = self._store.observations([item.call.id])[item.call.id, item.subject.id]
                answer = Answer(item.unit, item.subject, item.wanted, seen, oracle.evaluate(item.call))
                self._put(
                    item.rank,
                    [
                        self._judge.avoidable_overflow(row, answer, other) if other else row
                        for row, other in zip(rows, found, strict=True)
                    ],
                )

    def _required(self, row: Verdict) -> Verdict:
        """With `--require`, a framework or environment that can't be had is a failure."""
        asked = self._options.require
        there = (row.environment, row.framework) in self._packages
        if row.verdict is not Kind.UNAVAILABLE or there or not {row.framework, row.environment} & set(asked):
            return row
        return replace(row, verdict=Kind.FAIL, reason=f"required, but unavailable: {row.reason}")

    def _unit_rows(self, place: int, unit: Unit, items: Sequence[Item]) -> Iterator[tuple[int, Verdict]]:
        if isinstance(unit, Claim):
            yield place, self._judge.row(unit, DOCUMENT, "value", documents.claim(unit), None)
        elif isinstance(unit, Relation):
            yield from self._relation_rows(place, unit, items)
        else:
            truth = oracle.evaluate(unit) if unit.expect.printed or unit.expect.claimed else None
            finding = documents.printed(unit, truth) if truth else None
            if truth and finding:
                yield place, self._judge.row(unit, DOCUMENT, "value", finding, truth)
            if unit.expect.agree:
                yield from self._agreement_rows(unit, items)

    def _relation_rows(self, place: int, unit: Relation, items: Sequence[Item]) -> Iterator[tuple[int, Verdict]]:
        truths = {name: oracle.evaluate(call) for name, call in unit.calls.items()}
        if all(unit.views[name].output in truth.outputs for name, truth in truths.items()):
            subject, finding = relate.statement(unit, truths)
            yield place, self._judge.row(unit, subject, "relation", finding, None)
        names = {call.id: name for name, call in unit.calls.items()}
        observed: dict[str, dict[Subject, Observation]] = {name: {} for name in unit.calls}
        for item, observation in self._observed(items):
            observed[names[item.call.id]][item.subject] = observation
        ranks = {item.subject: item.rank for item in reversed(items)}

        def alone(name: str, subject: Subject, observation: Observation) -> Verdict:
            answer = Answer(unit.calls[name], subject, [unit.views[name].output], observation, truths[name])
            ((row,),) = self._judge.verdicts([answer])
            return row

        for subject, finding in relate.relation(unit, observed, truths, alone):
            packages = self._packages.get((subject.environment, subject.framework), {})
            told = _overridden(unit, subject, packages, finding)
            yield ranks[subject], self._judge.row(unit, subject, "relation", told, None)

    def _agreement_rows(self, unit: Case, items: Sequence[Item]) -> Iterator[tuple[int, Verdict]]:
        observed = {item.subject: observation for item, observation in self._observed(items)}
        ranks = {item.subject: item.rank for item in items}
        for subject, finding in relate.agreement(observed, unit.dtype, oracle.evaluate(unit)):
            yield ranks[subject], self._judge.row(unit, subject, "value", finding, None)

    def _observed(self, items: Sequence[Item]) -> Iterator[tuple[Item, Observation]]:
        """The items that have an observation: all of them, unless the run was cut short."""
        seen = self._store.observations(sorted({item.call.id for item in items}))
        for item in items:
            if (observation := seen.get((item.call.id, item.subject.id))) is not None:
                yield item, observation


def as_baseline(path: Path) -> Baseline:
    """A run folder, or a baseline file, as a baseline.

    Raises:
        RunFolderError: it is neither, or a run that was stopped before it had begun.
    """
    if not path.is_dir():
        return baseline.load(path)
    found = folders.find(path)
    with reading(found) as store:
        return baseline.of_run(_run(store, found), (v for _, verdicts in store.placed() for v in verdicts))


def unfinished(path: Path) -> str:
    """What a run has not done, in words; "" of one that has made every call, and of a baseline file.

    Raises:
        RunFolderError: a folder has no run, or one that was stopped before it had begun.
    """
    if not path.is_dir():
        return ""
    with reading(folders.find(path)) as store:
        begun_with(store, path)
        left = store.noted("left out")
        if left is None and store.noted("seconds") is not None:  # which is noted at the end
            return ""
        planned = left["planned"] if left else store.noted("planned")
        of = "" if planned is None else f" of {planned:,}"
        why = f"by {left['why']}" if left else "before its end"
        return f"the run was stopped {why}: it has made {len(store.observed()):,}{of} calls"


def begun_with(store: Store, folder: Path) -> dict[str, Any]:
    """The options that a stored run was started with.

    Raises:
        RunFolderError: it was stopped before it had noted them.
    """
    options: dict[str, Any] | None = store.noted("options")
    if options is None:
        raise RunFolderError(f"{folder}: the run was stopped before it had begun: remove the folder, and run it again")
    return options


def results(store: Store, folder: Path) -> Results:
    """A stored run, as reports see it.

    Raises:
        RunFolderError: it was stopped before it had begun.
    """
    return Results(_run(store, folder), store.verdicts(), store.record)


def _run(store: Store, folder: Path) -> Run:
    """What a store notes of its run."""
    options = begun_with(store, folder)
    prints = {name: Fingerprint(**kept) for name, kept in (store.noted("fingerprints") or {}).items()}
    asked = (options["rtol"], options["atol"])
    return Run(
        id=folder.resolve().name,
        folder=folder,
        started=store.noted("started"),
        command=store.noted("command"),
        seed=options["seed"],
        tier=options["tier"],
        threads=options["threads"],
        cpu=next((kept.machine for kept in prints.values()), ""),
        truth=oracle.METHOD,
        environments=prints,
        tolerance=None if asked == (None, None) else asked,
        seconds=store.noted("seconds") or 0.0,
        signatures=_signatures(store.noted("signatures") or {}),
        left_out=LeftOut(**noted) if (noted := store.noted("left out")) else None,
        cases=store.noted("cases") or "",
    )


def _signatures(noted: Mapping[str, Any]) -> dict[str, Signatures]:
    return {
        environment: {path: tuple(Parameter(*each) for each in found) for path, found in paths.items()}
        for environment, paths in noted.items()
    }


def _overridden(unit: Relation, subject: Subject, packages: Packages, finding: Finding) -> Finding:
    """A relation's finding in the light of what its case states of this subject."""
    override = stated(unit.per, subject, packages, "relation")
    if override is None or finding.kind not in (Kind.PASS, Kind.FAIL):
        return finding
    if finding.kind is Kind.PASS:
        return replace(finding, kind=Kind.STALE, reason=f"stated not to hold ({override.reason}), but it does")
    return replace(finding, kind=Kind.DEVIATION, deviation=str(override.source), reason=override.reason)


def _cases(plan: Plan) -> str:
    """A digest of the calls of a plan, whoever is asked: other cases or inputs are no other results."""
    digest = hashlib.blake2b(digest_size=8)
    for call in {item.call.id: item.call for item in plan.items}.values():
        digest.update(repr((call.id, sorted(call.parameters.items()))).encode())
        for array in call.inputs.values():
            digest.update(array.tobytes())
    return digest.hexdigest()


def _identity(plan: Plan) -> str:
    """A digest of every call of a plan: a run can be resumed only by the very same."""
    digest = hashlib.blake2b(digest_size=16)
    for item in plan.items:
        how = (item.call.layout, item.call.threads)
        called = (item.call.id, item.subject.id, item.wanted, sorted(item.parameters.items()), *how)
        digest.update(repr(called).encode())
        for array in item.call.inputs.values():
            digest.update(array.tobytes())
    return digest.hexdigest()
