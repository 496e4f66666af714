"""How fast truth is known and held against: float64 tier, Arb, verdicts, and a vocabulary-sized softmax."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable

import mpmath
import numpy as np

from harness.adapters.reference import sigmoid_losses
from harness.comparator import tolerance
from harness.comparator.large import in_blocks
from harness.comparator.measure import Pair, measure
from harness.model.case import Array, Case, Expectation, Source
from harness.operations import OPERATIONS
from harness.operations.base import INSIDE, widened
from harness.oracle import library
from harness.oracle.balls import precision
from harness.oracle.blocks import BLOCK
from harness.oracle.enclosures import ball_call
from harness.oracle.formats import FORMATS
from harness.oracle.running import ORACLE
from harness.oracle.truth import FIRST_BITS, enclosure, evaluate, running_call

FLOAT32 = FORMATS["float32"]
SEED = 20261123
MILLION = 1_000_000
ROUNDS = 5

FLOAT64_PER_SECOND = 12e6
ARB_PER_SECOND = 100e3
ARB_OVER_MPMATH = 8.0
VERDICT_SECONDS = 0.150

ROWS, CLASSES = 1024, 128_000
TIMES = {"value": 3.0, "gradient:logits": 6.0}
MEMORY = {"value": 1.5, "gradient:logits": 2.5}


def told(what: str, measured: float, limit: float, *, at_least: bool = False, unit: str = "") -> bool:
    """Print a figure beside its limit; whether it is kept."""
    kept = measured >= limit if at_least else measured <= limit
    side = "at least" if at_least else "at most"
    print(f"{'ok  ' if kept else 'MISS'} {what}: {measured:,.3g}{unit}, {side} {limit:,.3g}{unit}", flush=True)
    return kept


def least(action: Callable[[], object]) -> float:
    """The least wall time of the rounds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return min(times)


def inputs(count: int) -> dict[str, Array]:
    """Float32 logits of scale 10 with hard labels."""
    bits = np.random.Generator(np.random.Philox(SEED))
    logits = (10 * bits.standard_normal(count)).astype(np.float32)
    return {"logits": logits, "labels": bits.integers(0, 2, count).astype(np.float32)}


def case(operation: str, arrays: dict[str, Array]) -> Case:
    """A float32 case."""
    return Case("benchmark", operation, arrays, {}, "float32", Expectation(), Source("", 0))


def float64_tier() -> bool:
    """Elements of sigmoid cross-entropy that are enclosed in a second, value with radius."""
    operation, arrays = OPERATIONS["sigmoid_cross_entropy"], inputs(2 * MILLION)
    complete = operation.complete({})

    def run() -> None:
        with np.errstate(all="ignore"):
            for start in range(0, 2 * MILLION, BLOCK):
                block = widened({name: array[start : start + BLOCK] for name, array in arrays.items()})
                enclosure(operation, "value", running_call(block, complete, (ORACLE,)), FLOAT32)

    return told("truth in float64 with radius, elements/s", 2 * MILLION / least(run), FLOAT64_PER_SECOND, at_least=True)


def arb_tier() -> bool:
    """The same in Arb, with midpoints and radii taken out, and by mpmath."""
    operation, arrays = OPERATIONS["sigmoid_cross_entropy"], widened(inputs(20_000))
    complete = operation.complete({})

    def arb() -> None:
        with precision(FIRST_BITS):
            operation.outputs["value"].exact(ball_call(arrays, complete)).enclosed()

    def by_mpmath() -> None:
        with mpmath.workprec(FIRST_BITS):
            for x, z in zip(arrays["logits"].tolist(), arrays["labels"].tolist(), strict=True):
                y = mpmath.mpf(x)
                value = max(y, 0) - y * z + mpmath.log1p(mpmath.exp(-abs(y)))
                float(value)

    count = arrays["logits"].size
    fast, slow = count / least(arb), count / least(by_mpmath)
    return told("Arb with extraction, elements/s", fast, ARB_PER_SECOND, at_least=True) & told(
        "Arb over mpmath", fast / slow, ARB_OVER_MPMATH, at_least=True
    )


def verdict() -> bool:
    """A verdict on a million elements, beyond truth."""
    arrays = inputs(MILLION)
    found = case("sigmoid_cross_entropy", arrays)
    truth = evaluate(found)
    observed = sigmoid_losses(arrays["logits"], arrays["labels"], {})
    pair = Pair(observed, truth.outputs["value"], truth.bounds["value"])
    seconds = least(lambda: measure([pair], FLOAT32, tolerance.usual("float32"), [None]))
    return told("verdict on a million elements", 1000 * seconds, 1000 * VERDICT_SECONDS, unit=" ms")


def vocabulary(output: str) -> bool:
    """Truth and verdict of 1,024 rows of 128,000 classes, against NumPy's float64 log-sum-exp of them.

    Both have one thread, and are timed by the processor: what else the machine does is no part of the ratio.
    """
    bits = np.random.Generator(np.random.Philox(SEED))
    logits = np.empty((ROWS, CLASSES), np.float32)
    for row in logits:
        bits.standard_normal(dtype=np.float32, out=row)
        np.multiply(row, 5, out=row)
    labels = bits.integers(0, CLASSES, ROWS)
    observed = _reference(logits, labels, output)
    begun = time.process_time()
    for row in logits:
        _log_sum_exp(row)
    numpy = time.process_time() - begun
    found = case("sparse_softmax_cross_entropy", {"logits": logits, "labels": labels})
    begun = time.process_time()
    (measured,) = in_blocks(found, INSIDE, output, [observed], FLOAT32, tolerance.usual("float32"), None)
    ours = time.process_time() - begun
    print(
        f"     {output}: {measured.grade}, {measured.max_ulp:+.3g} ulp, {measured.max_bound:.3g} B, by {measured.cause}"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    kept = told(f"{ROWS} x {CLASSES} {output}, times NumPy's log-sum-exp", ours / numpy, TIMES[output])
    return kept & told(f"{ROWS} x {CLASSES} {output}, peak memory over the input", peak / logits.nbytes, MEMORY[output])


def _log_sum_exp(row: Array) -> float:
    wide = row.astype(np.float64)
    top = wide.max()
    return float(top + np.log(np.exp(wide - top).sum()))


def _reference(logits: Array, labels: Array, output: str) -> Array:
    """What a float32 framework gives, row by row."""
    value, slopes = np.empty(len(logits), np.float32), np.empty_like(logits) if output != "value" else None
    for n, (row, label) in enumerate(zip(logits, labels.tolist(), strict=True)):
        shifted = row - row.max()
        exponentials = np.exp(shifted)
        total = exponentials.sum()
        value[n] = np.log(total) - shifted[label]
        if slopes is not None:
            np.divide(exponentials, total, out=slopes[n])
            slopes[n, label] -= 1
    return value if slopes is None else slopes


def main() -> int:
    """Measure everything; 1 if a limit is missed. A process of its own for each memory figure."""
    if len(sys.argv) > 1:
        return int(not vocabulary(sys.argv[1]))
    library.check()
    kept = [float64_tier(), arb_tier(), verdict()]
    kept += [subprocess.run([sys.executable, __file__, output], check=False).returncode == 0 for output in TIMES]
    return int(not all(kept))


if __name__ == "__main__":
    raise SystemExit(main())
