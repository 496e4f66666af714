"""`harness audit IMPLEMENTATION`: the worst input of an implementation, made small and kept as a case."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from harness import casefile, provision
from harness.adapters import Implementation
from harness.casefile import saving
from harness.comparator.deviations import Known
from harness.comparator.judge import Answer, Judge
from harness.config import ConfigError, Options
from harness.engine.support import refusal
from harness.environments.adapters import adapters
from harness.hunt.arena import Badness, Disagreement, Errors, Quarry, Worker
from harness.hunt.exhaustive import everything
from harness.hunt.search import Found, search
from harness.hunt.shrink import shrink
from harness.hunt.space import space
from harness.model.case import Case, Scalar
from harness.model.subject import Adapter
from harness.model.verdict import Verdict
from harness.operations import OPERATIONS
from harness.oracle.formats import FORMATS
from harness.oracle.truth import evaluate

FOUND = Path("cases") / "found"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of a hunt.

    Attributes:
        against: another implementation, for the largest disagreement; "" for the largest error.
        operation: where an implementation computes several.
        search: whether to search; else every number of a half format is tried.
        known: whether known deviations are prey too.
        save: folder of the case.
    """

    implementation: str
    against: str = ""
    operation: str = ""
    output: str = "value"
    dtype: str = ""
    mode: str = ""
    classes: int = 3
    budget: int = 200_000
    search: bool = False
    known: bool = False
    save: Path = FOUND


@dataclass(frozen=True, slots=True)
class Hunted:
    """What came of a hunt.

    Attributes:
        case: the smallest case.
        verdicts: of the implementations on it.
        file: where it is kept; None if nothing is wrong with it.
    """

    quarry: Quarry
    found: Found
    case: Case
    verdicts: list[Verdict]
    file: Path | None

    @property
    def failed(self) -> bool:
        """Whether there is a failure that no deviation covers."""
        return any(verdict.verdict.failed for verdict in self.verdicts)


def audit(asked: Asked, options: Options) -> Hunted:
    """Hunt.

    Raises:
        ConfigError: nobody is meant, or it can't be asked so.
        UnsearchableError: the operation has no points that can be searched.
        EnvironmentUnusableError: the implementation can't be had.
    """
    quarries = _quarries(asked, options)
    quarry = quarries[0]
    where = space(OPERATIONS[quarry.row.operation], FORMATS[quarry.dtype], asked.classes)
    limits = provision.limits(options)
    known = casefile.load_deviations(casefile.cases_folder())
    with tempfile.TemporaryDirectory() as logs, ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(each, limits, Path(logs) / f"{n}.txt")) for n, each in enumerate(quarries)
        ]
        badness: Badness = Disagreement(quarry, workers)
        if not asked.against:
            badness = Errors(quarry, workers[0], None if asked.known else Known(known))
        found = search(where, badness, asked.budget, options.seed) if asked.search else everything(where, badness)
        point = shrink(where, found.point, badness) if found.badness > 0 else found.point
        case = quarry.case(point, _name(quarry))
        asking = list(zip(quarries, workers, strict=True))
        judge = Judge(None, None, {(q.environment.name, q.adapter.framework): w.packages for q, w in asking}, known)
        answers = [Answer(case, q.subject, (q.output,), w.ask(case), evaluate(case)) for q, w in asking]
        verdicts = [row for rows in judge.verdicts(answers) for row in rows]
    hunted = Hunted(quarry, found, case, verdicts, None)
    wrong = hunted.failed or any(v.deviation for v in verdicts) or (asked.against and found.badness > 0)
    return replace(hunted, file=_saved(hunted, asked, options)) if wrong else hunted


Row = tuple[Adapter, Implementation]


def _quarries(asked: Asked, options: Options) -> list[Quarry]:
    """Who is asked: all the same operation with the same parameters, or their answers can't be compared."""
    names = [name for name in (asked.implementation, asked.against) if name]
    rows = [_rows(name, asked, options) for name in names]
    computed = [[row.operation for _, row in found] for found in rows]
    shared = [operation for operation in computed[0] if all(operation in others for others in computed)]
    if not shared:
        told = "; ".join(f"{name}: {', '.join(them)}" for name, them in zip(names, computed, strict=True))
        raise ConfigError(f"audit: they compute different operations: {told}")
    meant = [next(row for row in found if row[1].operation == shared[0]) for found in rows]
    parameters = _parameters(meant[0][1])
    return [_quarry(row, parameters, asked, options) for row in meant]


def _rows(name: str, asked: Asked, options: Options) -> list[Row]:
    """An implementation's rows, of the operation that is asked for if one is."""
    rows = [
        (adapter, row) for adapter in adapters(options.adapter) for row in adapter.implementations if row.path == name
    ]
    meant = [(adapter, row) for adapter, row in rows if asked.operation in {"", row.operation}]
    if not meant:
        operations = ", ".join(row.operation for _, row in rows)
        raise ConfigError(
            f"audit {name}: it computes {operations}, not {asked.operation}" if rows
            else f"audit {name}: no such implementation; `harness list implementations` shows them"
        )  # fmt: skip
    return meant


def _quarry(meant: Row, parameters: dict[str, Scalar], asked: Asked, options: Options) -> Quarry:
    adapter, row = meant
    environment = next(iter(provision.environments(options, [adapter]).values()))
    if environment.complaint:
        raise ConfigError(f"{environment.name}: {environment.complaint}")
    mode, dtype = asked.mode or row.modes[0], asked.dtype or ("float32" if asked.search else "float16")
    for what, value, offered in (("mode", mode, row.modes), ("dtype", dtype, row.dtypes)):
        if value not in offered:
            raise ConfigError(f"audit {row.path}: no {what} {value}; it has {', '.join(offered)}")
    if asked.output.startswith("gradient:") and asked.output.partition(":")[2] not in row.gradients:
        raise ConfigError(
            f"audit {row.path}: no {asked.output}; it has gradients by {', '.join(row.gradients) or 'nothing'}"
        )
    return _offered(Quarry(adapter, row, environment, mode, dtype, asked.output, parameters), asked.classes)


def _parameters(row: Implementation) -> dict[str, Scalar]:
    """The operation's defaults, or what comes first where the API doesn't offer them."""
    found: dict[str, Scalar] = {}
    for parameter in OPERATIONS[row.operation].parameters:
        offered = row.parameters.get(parameter.name, ())
        usual = isinstance(offered, str) or not offered or parameter.default in offered
        found[parameter.name] = parameter.default if usual else offered[0]
    return found


def _offered(quarry: Quarry, classes: int) -> Quarry:
    """A quarry that can be asked point by point."""
    operation = OPERATIONS[quarry.row.operation]
    reduction = quarry.parameters.get("reduction", "none")
    if reduction != "none":
        raise ConfigError(
            f"audit {quarry.row.path}: it offers {reduction}, which mixes points; one with reduction=none is needed"
        )
    where = space(operation, FORMATS[quarry.dtype], classes)
    if refused := refusal(quarry.row, operation, quarry.case(where.example())):
        raise ConfigError(f"audit {quarry.row.path}: {refused}")
    return quarry


def _name(quarry: Quarry) -> str:
    words = (quarry.row.path, *(() if quarry.output == "value" else (quarry.output,)), quarry.dtype)
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(words))


def _saved(hunted: Hunted, asked: Asked, options: Options) -> Path | None:
    """The case in a file of its own; None if there is one of that name with another case."""
    path = asked.save / f"{hunted.case.id}.yaml"
    text = saving.text(hunted.case, provenance(hunted, asked, options), saving.identifier(path))
    if path.exists():
        return path if path.read_text(encoding="utf-8") == text else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def provenance(hunted: Hunted, asked: Asked, options: Options) -> str:
    """Where the case comes from, in one line."""
    how = f"--search --seed {options.seed} --budget {asked.budget}" if asked.search else "all numbers"
    against = f" --against {asked.against}" if asked.against else ""
    seen = "; ".join(_told(verdict) for verdict in hunted.verdicts)
    return f"found by harness audit {asked.implementation}{against} {how}: {seen}"


def _told(verdict: Verdict) -> str:
    error = f" ({verdict.max_ulp:+.3g} ulp)" if verdict.max_ulp is not None else ""
    known = f", known as {verdict.deviation}" if verdict.deviation else ""
    who = f"{verdict.implementation} {verdict.version or ''}".strip()
    return f"{who} {verdict.output} {verdict.grade or verdict.verdict}{error}{known}"


def screen(hunted: Hunted) -> Iterator[str]:
    """What was found, and what to type next."""
    quarry, found = hunted.quarry, hunted.found
    yield f"{quarry.subject.id}, {quarry.dtype} {quarry.output}: {found.evaluations:,} points tried"
    for verdict in hunted.verdicts:
        yield f"  {_told(verdict)}"
        yield f"  observed {verdict.observed}, truth {verdict.truth}" + (
            f": {verdict.reason}" if verdict.reason else ""
        )
    for name, array in hunted.case.inputs.items():
        yield f"  {name}: {array.tolist()}"
    if hunted.file is not None:
        yield f"case: {hunted.file}"
        yield f"next: harness explain {hunted.file.stem} {hunted.file}"
