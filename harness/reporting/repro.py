"""A failure as a script of its own: one framework, exact inputs, the expected enclosure, and an exit code.

Whatever comes of a case's text goes into a script as a Python literal, by `repr`, and nowhere else.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.model.case import Array
from harness.model.verdict import Kind, Verdict
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
WRITTEN: Mapping[str, Sequence[str]] = {"torch": ("eager",), "tensorflow": ("eager", "graph", "xla")}
"""Frameworks and modes that a script can be written for."""


@dataclass(frozen=True, slots=True, eq=False)
class Repro:
    """What a script is made of.

    Attributes:
        title: case, subject and output.
        framework: `torch` or `tensorflow`.
        mode: eager, graph or xla.
        expression: the public call; inputs by their names.
        inputs: arrays as they were given; bfloat16 as float64, its values being exact there.
        dtypes: of each input.
        output: `value` or `gradient:NAME`.
        index: of the number that is looked at.
        high, low, allowed: the expected enclosure, `high + low`, give or take `allowed`; high is NaN or infinite if
            that is the truth, None where an error is right.
        seen: what was observed, as text.
        reason: why it is a failure or deviation.
        versions: of the packages that it was observed with.
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


def command(verdict: Verdict) -> str:
    """The command that writes the script of a verdict; "" if nothing is wrong, or none can be written."""
    wrong = verdict.verdict.failed or verdict.verdict is Kind.DEVIATION
    single = verdict.output != "relation" and verdict.mode in WRITTEN.get(verdict.framework, ())
    if not wrong or not single:
        return ""
    return shlex.join(["harness", "repro", verdict.case, verdict.subject, "--output", verdict.output])


def script(repro: Repro) -> str:
    """A script that exits 1 while the defect is there, 0 once it is gone."""
    return "\n".join([*_head(repro), *_inputs(repro), *_call(repro), *_tail(repro), ""])


def markdown(repro: Repro) -> str:
    """The same as the text of an issue."""
    versions = ", ".join(f"{name} {version}" for name, version in repro.versions.items())
    expected = "an error" if repro.high is None else f"{_number(repro.high)} (within {repro.allowed:.3g})"
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
    module = {"tensorflow": "tensorflow as tf"}.get(repro.framework, repro.framework)
    yield "import math"
    yield "import sys"
    yield "from fractions import Fraction"
    yield ""
    yield f"import {module}"
    yield ""
    yield f"print({one_line(repro.title)!r})"
    yield f"print({one_line(repro.reason)!r})"
    yield f"print('observed', {one_line(repro.seen)!r}, 'with', {dict(repro.versions)!r})"
    name = "tf" if repro.framework == "tensorflow" else repro.framework
    yield f"print('this is', {name}.__version__)"
    yield ""


def _inputs(repro: Repro) -> Iterator[str]:
    for name, array in repro.inputs.items():
        numbers = "[" + ", ".join(map(_number, array.reshape(-1).tolist())) + "]"
        shape, dtype = list(array.shape), repro.dtypes[name]
        if repro.framework == "tensorflow":
            yield f"{name} = tf.reshape(tf.constant({numbers}, dtype=tf.{dtype}), {shape})"
        else:
            yield f"{name} = torch.tensor({numbers}, dtype=torch.{dtype}).reshape({shape})"


def _number(value: float) -> str:
    """A literal that is the number exactly: a decimal if a short one is, else hexadecimal."""
    if isinstance(value, int):
        return repr(value)
    if not math.isfinite(value):
        return f"float({str(value)!r})"
    return repr(value) if Decimal(repr(value)) == Decimal(value) else f"float.fromhex({value.hex()!r})"


def _call(repro: Repro) -> Sequence[str]:
    wanted = repro.output.removeprefix(GRADIENT) if repro.output.startswith(GRADIENT) else ""
    made = _torch if repro.framework == "torch" else _tensorflow
    body = made(repro, wanted)
    return ["", "try:", *(f"    {line}".rstrip() for line in body), *_refused(repro)]


def _torch(repro: Repro, wanted: str) -> list[str]:
    if not wanted:
        return [f"result = {repro.expression}"]
    upstream = "upstream" if "upstream" in repro.inputs else "torch.ones_like(value)"
    return [
        f"{wanted}.requires_grad_(True)",
        f"value = {repro.expression}",
        f"value.backward({upstream})",
        f"result = {wanted}.grad",
    ]


def _tensorflow(repro: Repro, wanted: str) -> list[str]:
    names = ", ".join(repro.inputs)
    body = [f"return {repro.expression}"]
    if wanted:
        upstream = "upstream" if "upstream" in repro.inputs else "None"
        body = [
            "with tf.GradientTape() as tape:",
            f"    tape.watch({wanted})",
            f"    value = {repro.expression}",
            f"return tape.gradient(value, {wanted}, output_gradients={upstream})",
        ]
    compiled = {"graph": "@tf.function(autograph=False)", "xla": "@tf.function(autograph=False, jit_compile=True)"}
    decorator = [compiled[repro.mode]] if repro.mode in compiled else []
    return [*decorator, f"def compute({names}):", *(f"    {line}" for line in body), "", f"result = compute({names})"]


def _refused(repro: Repro) -> list[str]:
    right = repro.high is None
    return [
        "except Exception as error:",
        "    print('raised', type(error).__name__, error)",
        f"    sys.exit({0 if right else 1})",
    ]


def _tail(repro: Repro) -> Iterator[str]:
    if repro.high is None:
        yield "print('expected an error, got', result)"
        yield "sys.exit(1)"
        return
    cast = "tf.cast(result, tf.float64).numpy()" if repro.framework == "tensorflow" else "result.detach().double()"
    yield ""
    yield f"HIGH, LOW, ALLOWED = {_number(repro.high)}, {_number(repro.low)}, {_number(repro.allowed)}"
    yield ""
    yield CHECK
    yield ""
    yield f"seen = float({cast}{''.join(f'[{i}]' for i in repro.index)})"
    yield f"print('expected', HIGH, 'within', ALLOWED, 'at', {list(repro.index)!r})"
    yield "print('got', seen, seen.hex())"
    yield f"print({FAULTY!r} if wrong(seen) else 'gone')"
    yield "sys.exit(int(wrong(seen)))"
