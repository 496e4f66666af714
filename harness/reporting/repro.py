"""A failure as a script of its own: one framework, exact inputs, the expected enclosure, and an exit code.

Whatever comes of a case's text goes into a script as a Python literal, by `repr`, and nowhere else.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from harness.model.case import Array
from harness.model.verdict import Kind, Verdict
from harness.reporting.dialects import DIALECTS, Call
from harness.reporting.text import one_line

GRADIENT = "gradient:"
CHECK = '''
def wrong(seen):
    """Whether a number is outside the enclosure, by more than is allowed."""
    if not math.isfinite(HIGH):
        return repr(seen) != repr(HIGH)
    if not math.isfinite(seen):
        return True
    return abs(Fraction(seen) - Fraction(HIGH) - Fraction(LOW)) > Fraction(ALLOWED)
'''
FAULTY = "still there"
UNTRIED = 2
"""The exit code where the framework, or the call in it, can't be had."""
PUBLIC = re.compile(r"[\w.]+(?=\()")
"""The name of what is called first."""


@dataclass(frozen=True, slots=True, eq=False)
class Repro:
    """What a script is made of.

    Attributes:
        title: case, subject and output.
        framework: one of `DIALECTS`.
        mode: one of its modes there.
        expression: the public call; inputs by their names.
        inputs: arrays as they were given; bfloat16 as float64, its values being exact there.
        dtypes: of each input.
        output: `value` or `gradient:NAME`.
        index: of the number that is looked at.
        high, low, allowed: the expected enclosure, `high + low`, give or take `allowed`; high is NaN or infinite if
            that is the truth, None where an error is right.
        seen: what was observed, as text.
        reason: why it is a failure or deviation.
        raised: whether an error was observed.
        form: dtype and shape of the truth, if it is in them that what was observed differs.
        versions: of the packages that it was observed with.
        layout: how the arrays lie in memory; "" for contiguous.
        batch_of_one: an example is given to the call as a batch of one.
    """

    title: str
    framework: str
    mode: str
    expression: str
    inputs: Mapping[str, Array]
    dtypes: Mapping[str, str]
    output: str
    index: tuple[int, ...]
    high: float | None
    low: float
    allowed: float
    seen: str
    reason: str
    versions: Mapping[str, str]
    raised: bool = False
    form: tuple[str, tuple[int, ...]] | None = None
    layout: str = ""
    batch_of_one: bool = False

    @property
    def typed(self) -> str:
        """The public call by the names that the script imports: keras-torch. is keras."""
        return self.expression.replace(f"{self.framework}.", f"{DIALECTS[self.framework].package}.")


def writable(framework: str, mode: str | None) -> bool:
    """Whether a script can be written."""
    return framework in DIALECTS and mode in DIALECTS[framework].modes


def command(verdict: Verdict) -> str:
    """The command that writes the script of a verdict; "" if nothing is wrong, or none can be written."""
    wrong = verdict.verdict.failed or verdict.verdict is Kind.DEVIATION
    single = verdict.output != "relation" and writable(verdict.framework, verdict.mode)
    if not wrong or not single:
        return ""
    return shlex.join(["harness", "repro", verdict.case, verdict.subject, "--output", verdict.output])


def script(repro: Repro) -> str:
    """A script that exits 1 while the defect is there, 0 once it is gone, 2 if the call can't be made here."""
    return "\n".join([*_head(repro), *_call(repro), *_tail(repro), ""])


def markdown(repro: Repro) -> str:
    """The same as the text of an issue."""
    versions = ", ".join(f"{name} {version}" for name, version in repro.versions.items())
    expected = "an error" if repro.high is None else f"{_number(repro.high)} (within {repro.allowed:.3g})"
    if repro.form is not None:
        expected = f"{repro.form[0]}, shape {list(repro.form[1])}"
    lines = [
        f"**{_plain(repro.expression)}**: {repro.output} is wrong",
        "",
        f"- expected: {expected}",
        f"- observed: {_plain(repro.seen)}, at index {list(repro.index)}",
        f"- versions: {_plain(versions)}",
        f"- {_plain(repro.reason)}",
        "",
        "```python",
        script(repro).rstrip("\n"),
        "```",
        "",
    ]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text on one line that ends no Markdown fence and starts no tag."""
    return one_line(text).replace("`", "'").replace("<", "&lt;")


def _head(repro: Repro) -> Iterator[str]:
    dialect = DIALECTS[repro.framework]
    yield from ("import math", "import sys", "from fractions import Fraction", "")
    yield f"print({one_line(repro.title)!r})"
    yield f"print({one_line(repro.reason)!r})"
    yield f"print('observed', {one_line(repro.seen)!r}, 'with', {dict(repro.versions)!r})"
    yield "try:"
    called = PUBLIC.match(repro.typed)
    for line in [*dialect.imports, *([called[0]] if called else []), *_inputs(repro)]:
        yield f"    {line}"
    yield "except Exception as error:"
    yield '    print("can\'t be tried here:", type(error).__name__, error)'
    yield f"    sys.exit({UNTRIED})"
    yield f"print('this is', {dialect.package}.__version__)"
    yield ""


def _inputs(repro: Repro) -> Iterator[str]:
    dialect = DIALECTS[repro.framework]
    for name, given in repro.inputs.items():
        numbers = "[" + ", ".join(map(_number, given.reshape(-1).tolist())) + "]"
        yield f"{name} = {dialect.array(numbers, given.shape, repro.dtypes[name])}"
    if repro.layout and not dialect.layouts:
        yield f"# {repro.layout} when observed, but {repro.framework} copies what it is given: no layout is built here"
        return
    for name, given in repro.inputs.items():
        if repro.layout and given.ndim and (repro.layout != "expanded" or _alike(given)):
            yield f"{name} = {dialect.layouts[repro.layout].format(name)}  # {repro.layout} in memory"


def _alike(given: Array) -> bool:
    """Whether all rows are the same: only then is there one of them in memory."""
    return bool(given.size) and given.tobytes() == np.broadcast_to(given[:1], given.shape).tobytes()


def _number(value: float) -> str:
    """A literal that is the number exactly: a decimal if a short one is, else hexadecimal."""
    if isinstance(value, int):
        return repr(value)
    if not math.isfinite(value):
        return f"float({str(value)!r})"
    return repr(value) if Decimal(repr(value)) == Decimal(value) else f"float.fromhex({value.hex()!r})"


def _call(repro: Repro) -> Sequence[str]:
    shapes = {name: given.shape for name, given in repro.inputs.items()}
    wanted = repro.output.removeprefix(GRADIENT) if repro.output.startswith(GRADIENT) else ""
    dialect = DIALECTS[repro.framework]
    call = Call(repro.typed, shapes, repro.dtypes, wanted, repro.batch_of_one)
    body = dialect.modes[repro.mode](call)
    return ["", "try:", *(f"    {line}".rstrip() for line in body), *_refused(repro)]


def _refused(repro: Repro) -> list[str]:
    """What it says that the call raises: right, or the defect, or neither where a number was seen."""
    code = 0 if repro.high is None else 1 if repro.raised else UNTRIED
    return ["except Exception as error:", "    print('raised', type(error).__name__, error)", f"    sys.exit({code})"]


def _tail(repro: Repro) -> Iterator[str]:
    if repro.high is None:
        yield "print('expected an error, got', result)"
        yield "sys.exit(1)"
        return
    if repro.form is not None:
        yield f"expected = {[repro.form[0], list(repro.form[1])]!r}"
        yield "dtype = str(getattr(result.dtype, 'name', result.dtype)).rpartition('.')[2]"
        yield "seen = [dtype, list(map(int, result.shape))]"
        yield "print('expected', expected, 'got', seen)"
        yield f"print({FAULTY!r} if seen != expected else 'gone')"
        yield "sys.exit(int(seen != expected))"
        return
    answer = DIALECTS[repro.framework].number.format("result")
    yield ""
    yield f"HIGH, LOW, ALLOWED = {_number(repro.high)}, {_number(repro.low)}, {_number(repro.allowed)}"
    yield ""
    yield CHECK
    yield ""
    yield f"seen = float({answer}{''.join(f'[{i}]' for i in repro.index)})"
    yield f"print('expected', HIGH, 'within', ALLOWED, 'at', {list(repro.index)!r})"
    yield "print('got', seen, seen.hex())"
    yield f"print({FAULTY!r} if wrong(seen) else 'gone')"
    yield "sys.exit(int(wrong(seen)))"
