"""Non-finite and out-of-domain input of each operation, and what is documented of it: docs/limits.md.

    python -m tests.oracle.limits

writes the page. What stands there is the oracle's answer, held by `test_limits` against mpmath's definitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness.model.case import Array, Case, Domain, Expectation, Source
from harness.operations import OPERATIONS
from harness.operations.base import VALUE
from harness.oracle import truth

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"
INF, NAN = np.inf, np.nan
HEAD = """# Limits

What an operation's exact answer is where its input is not finite, outside its domain, or empty: the limit of
the definition, or there is none and the call is undefined, whatever a framework happens to give.

- A product with an exact 0 is 0 whatever its other factor is, NaN excepted: 0 log 0 = 0.
- What has different limits from different sides is NaN, and so is what NaN goes into.
- Zero has no sign: -0.0 is the number 0, at an end of a domain the limit from inside; an answer 0 has either.
- *Undefined* is a call whose definition has no value: an error is right, NaN where its API says so, a number is
  not. So is every call with a parameter that is none of its choices, or out of its range, with integers for its first
  input, or with indices that are no integers.
- *Extended* is a call that an API's page excludes although the formula has a value, which is judged, and flagged.
  So is a call whose other inputs aren't of its first input's dtype. [misuse.md](misuse.md) has who refuses what.

Answers are float32's, to six digits; slopes are those of the value, or of the sum of its elements.
`python -m tests.oracle.limits` writes this page; `tests/oracle/test_limits.py` holds it against mpmath.
"""


class Row(NamedTuple):
    """A call of which something is said.

    Attributes:
        because: what decides the answer; of undefined calls the operation says so itself.
        given: its inputs and parameters.
    """

    because: str
    given: Mapping[str, Any]


def row(because: str = "", /, **given: Any) -> Row:
    """A row, its inputs and parameters by name."""
    return Row(because, given)


def _losses(leading: str, wrong: Any, fine: Any, label: Any) -> list[Row]:
    """Weights and reductions: of an infinite loss and a finite one, which have one label, and of no losses."""
    mixed, finite = ({leading: [first, fine], "labels": [label, label]} for first in (wrong, fine))
    empty = {leading: np.empty((0, *np.shape(fine))), "labels": np.empty((0, *np.shape(label)))}
    return [
        row("a weight of 0 hides an infinite loss", **mixed, weights=[0.0, 1.0]),
        row("weights multiply, whatever their sign", **finite, weights=[-1.0, 2.0]),
        row(**finite, weights=[1.0, -1.0], reduction="weighted_mean"),
        row("as empty_mean says", **finite, weights=[1.0, -1.0], reduction="weighted_mean", empty_mean="zero"),
        row("as empty_mean says", **finite, weights=[0.0, 0.0], reduction="nonzero_mean", empty_mean="zero"),
        row("as empty_mean says", **finite, weights=[0.0, 0.0], reduction="nonzero_mean", empty_mean="nan"),
        row(**finite, weights=[1.0, 1.0, 1.0]),
        row(**finite, weights=[1.0, INF]),
        row("an upstream gradient of 0 hides an infinite slope", **mixed, upstream=[0.0, -1.0]),
        row("NaN stays NaN", **finite, upstream=[NAN, 1.0]),
        row(**finite, upstream=[1.0, INF]),
        row("no losses", **empty),
        row("the sum of nothing", **empty, reduction="sum"),
        row(**empty, reduction="mean"),
    ]


SIGMOID = (
    row("zero has no sign", logits=[-0.0]),
    row("the limit", logits=[INF]),
    row("the limit", logits=[-INF]),
    row("NaN stays NaN", logits=[NAN]),
    row("NaN stays NaN", logits=[INF, 0.0], upstream=[NAN, 1.0]),
    row(logits=[0.0], upstream=[INF]),
    row("no elements", logits=[]),
)
SIGMOID_LOSSES = (
    row("zero has no sign", logits=[-0.0, -INF], labels=[1.0, -0.0]),
    row("the label's side", logits=[INF, -INF], labels=[1.0, 0.0]),
    row("the other side", logits=[INF, -INF], labels=[0.0, 1.0]),
    row("a soft label is on both sides", logits=[INF, -INF], labels=[0.5, 0.5]),
    row("NaN stays NaN", logits=[NAN, 0.0], labels=[1.0, NAN]),
    row("linear in the label, beyond [0, 1] too", logits=[0.0, 1.0], labels=[1.5, -0.5]),
    row("a smoothed label is soft", logits=[INF], labels=[1.0], label_smoothing=0.5),
    row(logits=[0.0], labels=[1.0], label_smoothing=1.5),
    row(logits=[0.0], labels=[1.0, 0.0]),
    *_losses("logits", -INF, 0.0, 1.0),
)
POS_WEIGHT = (
    row("0 times the loss of the label's side", logits=[-INF], labels=[1.0], pos_weight=0.0),
    row(logits=[0.0], labels=[1.0], pos_weight=-1.0),
)
SOFTMAX = (
    row("zero has no sign", logits=[-0.0, 0.0]),
    row("an infinite logit takes all the mass", logits=[INF, 0.0, 5.0]),
    row("a masked class has none", logits=[-INF, 0.0, 0.0]),
    row("masked classes have none", logits=[-INF, -INF, 3.0]),
    row("how much each has depends on the way there", logits=[INF, INF, 0.0]),
    row("how much each has depends on the way there", logits=[-INF, -INF]),
    row("NaN is in the sum", logits=[NAN, 0.0, 1.0]),
    row("one class has all the mass", logits=[7.0]),
    row("no rows", logits=np.empty((0, 3))),
    row(logits=[]),
    row(logits=[0.0, 1.0], axis=1),
)
SHARES = (
    *SOFTMAX,
    row("each slope is made of all of a row", logits=[[0.0, 0.0], [0.0, 0.0]], upstream=[[NAN, 1.0], [1.0, 1.0]]),
    row(logits=[0.0, 0.0], upstream=[INF, 1.0]),
)
LOGSUMEXP = (
    *SOFTMAX,
    row("NaN stays NaN", logits=[[0.0, 0.0], [0.0, 0.0]], upstream=[NAN, 1.0]),
    row(logits=[[0.0, -INF]], upstream=[INF]),
)
DENSE = (
    row("zero has no sign", logits=[-0.0, 0.0], labels=[-0.0, 1.0]),
    row("the label takes all the mass", logits=[INF, 0.0, 5.0], labels=[1.0, 0.0, 0.0]),
    row("another class takes all the mass", logits=[INF, 0.0, 5.0], labels=[0.0, 1.0, 0.0]),
    row("the masked class has a label of 0", logits=[-INF, 0.0, 0.0], labels=[0.0, 1.0, 0.0]),
    row("the masked class has the label", logits=[-INF, 0.0, 0.0], labels=[1.0, 0.0, 0.0]),
    row("the masked class has a part of it", logits=[-INF, 0.0], labels=[1.0, 0.0], label_smoothing=0.5),
    row("no limit", logits=[INF, INF, 0.0], labels=[1.0, 0.0, 0.0]),
    row("no limit", logits=[-INF, -INF], labels=[1.0, 0.0]),
    row("NaN is in the sum", logits=[NAN, 0.0, 1.0], labels=[0.0, 1.0, 0.0]),
    row("a label that is NaN", logits=[0.0, 1.0], labels=[NAN, 1.0]),
    row("labels without mass", logits=[0.0, 1.0], labels=[0.0, 0.0]),
    row("linear in labels that are no distribution, too", logits=[0.0, 1.0], labels=[2.0, -0.5]),
    row("one class has all the mass", logits=[7.0], labels=[1.0]),
    row(logits=[0.0, 1.0], labels=[1.0]),
    row(logits=[], labels=[]),
    *_losses("logits", [-INF, 0.0], [0.0, 0.0], [1.0, 0.0]),
)
SPARSE = (
    row("the label takes all the mass", logits=[[INF, 0.0, 5.0]], labels=[0]),
    row("another class takes all the mass", logits=[[INF, 0.0, 5.0]], labels=[1]),
    row("the masked class isn't the label's", logits=[[-INF, 0.0, 0.0]], labels=[1]),
    row("the masked class is the label's", logits=[[-INF, 0.0, 0.0]], labels=[0]),
    row("no limit", logits=[[INF, INF, 0.0]], labels=[0]),
    row("no limit", logits=[[-INF, -INF]], labels=[0]),
    row("NaN is in the sum", logits=[[NAN, 0.0, 1.0]], labels=[1]),
    row("one class has all the mass", logits=[[7.0]], labels=[0]),
    row(logits=[[0.0, 1.0]], labels=[2]),
    row(logits=[[0.0, 1.0]], labels=[-1]),
    row(logits=[[0.0, 1.0]], labels=[0, 1]),
    *_losses("logits", [-INF, 0.0], [0.0, 0.0], 0),
)
NLL = (
    row("the label's alone", log_probabilities=[[-1.0, -INF, NAN]], labels=[0]),
    row("impossible, and the label's", log_probabilities=[[-1.0, -INF]], labels=[1]),
    row("NaN is the label's", log_probabilities=[[NAN, -1.0]], labels=[0]),
    row("no probability has such a logarithm, but the loss is linear", log_probabilities=[[2.0, -1.0]], labels=[0]),
    row("an ignored row is 0 whatever it holds", log_probabilities=[[NAN, -1.0]], labels=[0], ignore_index=0),
    row(log_probabilities=[[-1.0, -1.0]], labels=[2]),
    row(log_probabilities=[[-1.0, -1.0]], labels=[0, 1]),
    *_losses("log_probabilities", [-INF, 0.0], [-1.0, -1.0], 0),
)
LINEAR = (
    row("logits 3 and -1", hidden=[1.0, 2.0], kernel=[[1.0, 1.0], [1.0, -1.0]], labels=0),
    row("a bias of -inf masks a class", hidden=[1.0], kernel=[[1.0], [2.0]], labels=0, biases=[0.0, -INF]),
    row("the masked class has the label", hidden=[1.0], kernel=[[1.0], [2.0]], labels=1, biases=[0.0, -INF]),
    row("an infinite logit takes all the mass", hidden=[INF], kernel=[[1.0], [0.0]], labels=0),
    row("another class takes all the mass", hidden=[INF], kernel=[[1.0], [0.0]], labels=1),
    row("no limit", hidden=[INF], kernel=[[1.0], [2.0]], labels=0),
    row("a logit of infinities of both signs", hidden=[INF, INF], kernel=[[1.0, -1.0], [0.0, 0.0]], labels=1),
    row("NaN is in the sum", hidden=[NAN], kernel=[[1.0], [2.0]], labels=0),
    row("no features: equal logits", hidden=[], kernel=np.empty((2, 0)), labels=0),
    row("one class has all the mass", hidden=[7.0], kernel=[[1.0]], labels=0),
    row(
        "an ignored row is 0 whatever it holds",
        hidden=[[NAN], [1.0]],
        kernel=[[1.0], [0.0]],
        labels=[1, 0],
        ignore_index=1,
    ),
    row(hidden=[1.0], kernel=[[1.0], [2.0]], labels=2),
    row(hidden=[1.0], kernel=[[1.0], [2.0]], labels=[0]),
    row(hidden=[1.0], kernel=[[1.0, 2.0]], labels=0),
    row(hidden=[1.0], kernel=np.empty((0, 1)), labels=0),
    row(hidden=[1.0], kernel=[[1.0], [2.0]], labels=0, biases=[0.0]),
    row(hidden=[1.0], kernel=[[1.0], [2.0]], labels=0, axis=0),
    row(hidden=[1.0], kernel=[[1.0], [2.0]], labels=0, upstream=INF),
)
DRAWN: Mapping[str, Any] = {
    "hidden": [[1.0]],
    "kernel": [[1.0], [2.0], [0.0]],
    "biases": [0.0, 0.0, 0.0],
    "labels": [[0]],
    "samples": [1, 2],
    "true_expected": [[0.5]],
    "sampled_expected": [0.25, 0.5],
}
SAMPLED = (
    row("x - log(q): log(2 e), log(4 e^2), log 2", **DRAWN),
    row("a hit counts", **{**DRAWN, "samples": [0, 2]}, remove_accidental_hits=False),
    row("a hit is removed", **{**DRAWN, "samples": [0, 2]}, remove_accidental_hits=True),
    row("NaN is in the sum", **{**DRAWN, "hidden": [[NAN]]}),
    row(**{**DRAWN, "samples": [1, 3]}),
    row(**{**DRAWN, "labels": [[-1]]}),
    row(**{**DRAWN, "sampled_expected": [0.0, 0.5]}),
    row(**{**DRAWN, "sampled_expected": [0.5]}),
    row(**{**DRAWN, "labels": [0]}),
    row(**{**DRAWN, "hidden": [[1.0, 2.0]]}),
    row(**DRAWN, upstream=[INF]),
)
BINARY = (
    row("zero has no sign: the limit from inside", probabilities=[-0.0, -0.0], labels=[1.0, -0.0]),
    row("certain and right: 0 log 0 = 0", probabilities=[0.0, 1.0], labels=[0.0, 1.0]),
    row("certain and wrong", probabilities=[0.0, 1.0], labels=[1.0, 0.0]),
    row("a soft label has both logarithms", probabilities=[0.0, 1.0], labels=[0.5, 0.5]),
    row("held by the floor, where nothing slopes", probabilities=[0.0, 1.0], labels=[1.0, 0.0], log_floor=-100.0),
    row("clipped to epsilon, where nothing slopes", probabilities=[0.0, 1.0], labels=[1.0, 0.0], epsilon=0.125),
    row("log(0 + epsilon)", probabilities=[0.0, 1.0], labels=[1.0, 0.0], epsilon=0.125, epsilon_use="add"),
    row("clipped first", probabilities=[-0.5, 1.5], labels=[1.0, 0.0], epsilon=0.125),
    row(probabilities=[-0.5, 0.5], labels=[1.0, 0.0]),
    row(probabilities=[1.5, 0.5], labels=[1.0, 0.0], epsilon=0.125, epsilon_use="add"),
    row("NaN stays NaN", probabilities=[NAN, 0.5], labels=[1.0, NAN]),
    row("linear in the label, beyond [0, 1] too", probabilities=[0.5, 0.5], labels=[1.5, -0.5]),
    row(probabilities=[0.5], labels=[1.0], epsilon=0.75),
    row(probabilities=[0.5], labels=[1.0, 0.0]),
    *_losses("probabilities", 0.0, 0.5, 1.0),
)
CATEGORICAL = (
    row("a probability of 0 has a label of 0", probabilities=[0.0, 0.5, 0.5], labels=[0.0, 1.0, 0.0]),
    row("a probability of 0 has the label", probabilities=[0.0, 0.5, 0.5], labels=[1.0, 0.0, 0.0]),
    row("clipped, where nothing slopes", probabilities=[0.0, 0.5, 0.5], labels=[1.0, 0.0, 0.0], epsilon=0.125),
    row("normalised first", probabilities=[0.0, 0.25, 0.25], labels=[0.0, 1.0, 0.0], normalize="before"),
    row("the logarithm as it is: no row need sum to 1", probabilities=[0.5, 0.75], labels=[0.0, 1.0]),
    row("0 / 0", probabilities=[0.0, 0.0], labels=[1.0, 0.0], normalize="before"),
    row("clipped first", probabilities=[-0.5, 1.5], labels=[0.0, 1.0], epsilon=0.125),
    row(probabilities=[-0.5, 1.5], labels=[0.0, 1.0]),
    row("0 times NaN is NaN", probabilities=[NAN, 0.5], labels=[0.0, 1.0]),
    row("labels without mass", probabilities=[0.5, 0.5], labels=[0.0, 0.0]),
    row("one class", probabilities=[1.0], labels=[1.0]),
    row(probabilities=[0.5, 0.5], labels=[1.0]),
    row(probabilities=[], labels=[]),
    *_losses("probabilities", [0.0, 1.0], [0.5, 0.5], [1.0, 0.0]),
)
SPARSE_CATEGORICAL = (
    row("the probability of 0 isn't the label's", probabilities=[[0.0, 0.5, 0.5]], labels=[1]),
    row("the probability of 0 is the label's", probabilities=[[0.0, 0.5, 0.5]], labels=[0]),
    row("clipped, where nothing slopes", probabilities=[[0.0, 0.5, 0.5]], labels=[0], epsilon=0.125),
    row("normalised first", probabilities=[[0.0, 0.25, 0.25]], labels=[1], normalize="before"),
    row("0 / 0", probabilities=[[0.0, 0.0]], labels=[0], normalize="before"),
    row("clipped first", probabilities=[[-0.5, 1.5]], labels=[1], epsilon=0.125),
    row(probabilities=[[-0.5, 1.5]], labels=[1]),
    row("0 times NaN is NaN", probabilities=[[NAN, 0.5]], labels=[1]),
    row("one class", probabilities=[[1.0]], labels=[0]),
    row(probabilities=[[0.5, 0.5]], labels=[2]),
    row(probabilities=[[0.5, 0.5]], labels=[-1]),
    *_losses("probabilities", [0.0, 1.0], [0.5, 0.5], 0),
)
DIVERGENCE = (
    row("a label of 0 adds nothing", probabilities=[0.5, 0.5], labels=[0.0, 1.0]),
    row(
        "nor where the prediction is 0; its slope is that of any other label",
        probabilities=[0.0, 1.0],
        labels=[0.0, 1.0],
    ),
    row("an impossible prediction", probabilities=[0.0, 1.0], labels=[0.5, 0.5]),
    row("both clipped, where nothing slopes", probabilities=[0.0, 1.0], labels=[1.0, 0.0], epsilon=0.125),
    row("clipped first", probabilities=[-0.5, 1.5], labels=[0.5, 0.5], epsilon=0.125),
    row(probabilities=[-0.5, 1.5], labels=[0.5, 0.5]),
    row(probabilities=[0.5, 0.5], labels=[-0.5, 1.5]),
    row("NaN is in the sum", probabilities=[NAN, 0.5], labels=[0.5, 0.5]),
    row("NaN is in the sum", probabilities=[0.5, 0.5], labels=[NAN, 0.5]),
    row("what is clipped is constant, whatever the other", probabilities=[NAN, 0.5], labels=[0.0, 0.5], epsilon=0.125),
    row("labels without mass", probabilities=[0.5, 0.5], labels=[0.0, 0.0]),
    row("one class", probabilities=[1.0], labels=[1.0]),
    row(probabilities=[0.5, 0.5], labels=[1.0]),
    row(probabilities=[], labels=[]),
    *_losses("probabilities", [0.0, 1.0], [0.5, 0.5], [1.0, 0.0]),
)
LOG_DIVERGENCE = (
    row("a label of 0 adds nothing", log_probabilities=[-1.0], labels=[0.0]),
    row("nor where the prediction is 0; its slope is that of any other label", log_probabilities=[-INF], labels=[0.0]),
    row("an impossible prediction", log_probabilities=[-INF], labels=[0.5]),
    row("the labels are logarithms", log_probabilities=[-1.0, -INF], labels=[-INF, -1.0], log_labels=True),
    row("no logarithm of a probability", log_probabilities=[1.0], labels=[0.5]),
    row("linear in predictions, for labels above 1 too", log_probabilities=[-1.0], labels=[1.5]),
    row("no logarithm of a probability", log_probabilities=[-1.0], labels=[1.0], log_labels=True),
    row("exp(x) - z is added", log_probabilities=[-1.0, -INF], labels=[0.0, 0.5], generalized=True),
    row("what is infinite outgrows the logarithm", log_probabilities=[INF, -1.0], labels=[0.5, INF], generalized=True),
    row(log_probabilities=[-1.0], labels=[-0.5]),
    row("NaN stays NaN", log_probabilities=[NAN, -1.0], labels=[0.5, NAN]),
    row(log_probabilities=[-1.0], labels=[1.0, 0.0]),
    *_losses("log_probabilities", -INF, -1.0, 1.0),
)
RELATIVE_ENTROPY = (
    row("a label of 0 adds nothing", probabilities=[0.5], labels=[0.0]),
    row(
        "nor where the prediction is 0; its slope is that of any other label",
        probabilities=[0.0, -0.0],
        labels=[0.0, 0.0],
    ),
    row("an impossible prediction", probabilities=[0.0], labels=[0.5]),
    row("infinite below 0, where there are no slopes", probabilities=[-0.5, 0.5], labels=[0.5, -0.5]),
    row("infinite below 0, where there are no slopes", probabilities=[-0.5], labels=[0.0], generalized=True),
    row("the prediction is added", probabilities=[0.5, 0.0], labels=[0.0, 0.0], generalized=True),
    row("any sizes", probabilities=[2.0, 4.0], labels=[4.0, 2.0], generalized=True),
    row("the limit", probabilities=[INF, 0.5], labels=[0.5, INF]),
    row("what is infinite outgrows the logarithm", probabilities=[INF, 0.5], labels=[0.5, INF], generalized=True),
    row("no limit", probabilities=[INF], labels=[INF]),
    row("NaN stays NaN", probabilities=[NAN, 0.5, NAN], labels=[0.0, NAN, -1.0]),
    row(probabilities=[0.5], labels=[1.0, 0.0]),
    *_losses("probabilities", 0.0, 0.5, 1.0),
)
BALANCED: Mapping[str, Any] = {"labels": [0.25, 0.5, 0.75], "gamma": 0.0, "alpha": 0.0, "class_balancing": True}
"""The loss grows as z (1 - z) does, whose slope is 0 in the middle."""
BINARY_FOCAL = (
    row("certain and right: 0 log 0 = 0", probabilities=[0.0, 1.0], labels=[0.0, 1.0]),
    row("certain and wrong", probabilities=[0.0, 1.0], labels=[1.0, 0.0]),
    row("zero has no sign: the limit from inside", probabilities=[-0.0, -0.0], labels=[1.0, -0.0]),
    row("what weight and loss gain by a label may cancel", probabilities=[0.0, 0.0, 0.0], **BALANCED),
    row(probabilities=[-0.5, 0.5], labels=[1.0, 0.0]),
    row(probabilities=[0.5, 0.5], labels=[1.5, -0.5]),
    row("NaN stays NaN", probabilities=[NAN, 0.5], labels=[1.0, NAN]),
    row(probabilities=[0.5], labels=[1.0, 0.0]),
    *_losses("probabilities", 0.0, 0.5, 1.0),
)
SIGMOID_FOCAL = (
    row("the label's side", logits=[INF, -INF], labels=[1.0, 0.0]),
    row("the other side", logits=[INF, -INF], labels=[0.0, 1.0]),
    row("a soft label is on both sides", logits=[INF, -INF], labels=[0.5, 0.5]),
    row("what weight and loss gain by a label may cancel", logits=[-INF, -INF, -INF], **BALANCED),
    row(logits=[0.0, 1.0], labels=[1.5, -0.5]),
    row("NaN stays NaN", logits=[NAN, 0.0], labels=[1.0, NAN]),
    row(logits=[0.0], labels=[1.0, 0.0]),
    *_losses("logits", -INF, 0.0, 1.0),
)
SOFT_MARGIN = (
    row("certain and right", logits=[INF, -INF], labels=[1.0, -1.0]),
    row("certain and wrong", logits=[INF, -INF], labels=[-1.0, 1.0]),
    row("no sign: 0 times any logit", logits=[INF], labels=[0.0]),
    row("NaN stays NaN", logits=[NAN, 0.0], labels=[1.0, NAN]),
    row(logits=[0.0], labels=[1.0, -1.0]),
    *_losses("logits", -INF, 0.0, 1.0),
)

SIGMOID_GRADIENT = (
    row("the label's side", logits=[INF, -INF], labels=[1.0, 0.0]),
    row("the other side", logits=[INF, -INF], labels=[0.0, 1.0]),
    row("NaN stays NaN", logits=[NAN, 0.0], labels=[1.0, NAN]),
    row("linear in the label, beyond [0, 1] too", logits=[0.0, 1.0], labels=[1.5, -0.5]),
    row(logits=[0.0], labels=[1.0, 0.0]),
)
DENSE_GRADIENT = (
    row("the label takes all the mass", logits=[INF, 0.0, 5.0], labels=[1.0, 0.0, 0.0]),
    row("the masked class has the label", logits=[-INF, 0.0, 0.0], labels=[1.0, 0.0, 0.0], upstream=[1.0, 2.0, 4.0]),
    row("no limit", logits=[INF, INF, 0.0], labels=[1.0, 0.0, 0.0], upstream=[1.0, 2.0, 4.0]),
    row("NaN is in the sum", logits=[NAN, 0.0], labels=[0.0, 1.0], upstream=[1.0, 2.0]),
    row("a constant direction has no curvature", logits=[0.0, 1.0], labels=[0.5, 0.5], upstream=[3.0, 3.0]),
    row("labels of any mass", logits=[0.0, 0.0], labels=[2.0, 1.0], upstream=[1.0, 0.0]),
    row("one class has all the mass", logits=[7.0], labels=[1.0]),
    row(logits=[0.0, 1.0], labels=[1.0]),
    row(logits=[], labels=[]),
)
SPARSE_GRADIENT = (
    row("the label takes all the mass", logits=[[INF, 0.0, 5.0]], labels=[0]),
    row("the masked class is the label's", logits=[[-INF, 0.0, 0.0]], labels=[0], upstream=[[1.0, 2.0, 4.0]]),
    row("no limit", logits=[[-INF, -INF]], labels=[0], upstream=[[1.0, 2.0]]),
    row("a constant direction has no curvature", logits=[[0.0, 1.0]], labels=[0], upstream=[[3.0, 3.0]]),
    row(logits=[[0.0, 1.0]], labels=[2]),
    row(logits=[[0.0, 1.0]], labels=[0, 1]),
)
MULTILABEL = (
    row("certain and right", logits=[INF, -INF], labels=[1.0, 0.0]),
    row("certain and wrong", logits=[INF, 0.0], labels=[0.0, 1.0]),
    row("a class weight of 0 hides an infinite loss", logits=[INF, 0.0], labels=[0.0, 1.0], class_weights=[0.0, 2.0]),
    row("NaN is in the sum", logits=[NAN, 0.0], labels=[1.0, 1.0]),
    row("any number of labels", logits=[0.0, 0.0], labels=[1.0, 1.0]),
    row("linear in labels, beyond [0, 1] too", logits=[1.0, 0.0], labels=[2.0, -0.5]),
    row(logits=[0.0, 1.0], labels=[1.0]),
    row(logits=[0.0, 1.0], labels=[1.0, 0.0], class_weights=[1.0]),
    row(logits=[], labels=[]),
    *_losses("logits", [-INF, 0.0], [0.0, 0.0], [1.0, 0.0]),
)

LIMITS: Mapping[str, Sequence[Row]] = {
    "sigmoid": SIGMOID,
    "log_sigmoid": SIGMOID,
    "sigmoid_cross_entropy": SIGMOID_LOSSES,
    "weighted_sigmoid_cross_entropy": (*POS_WEIGHT, *SIGMOID_LOSSES),
    "softmax": SHARES,
    "log_softmax": SHARES,
    "logsumexp": LOGSUMEXP,
    "softmax_cross_entropy": DENSE,
    "sparse_softmax_cross_entropy": SPARSE,
    "sigmoid_cross_entropy_gradient": SIGMOID_GRADIENT,
    "softmax_cross_entropy_gradient": DENSE_GRADIENT,
    "sparse_softmax_cross_entropy_gradient": SPARSE_GRADIENT,
    "nll_loss": NLL,
    "linear_cross_entropy": LINEAR,
    "sampled_softmax_cross_entropy": SAMPLED,
    "noise_contrastive_estimation": SAMPLED,
    "binary_cross_entropy": BINARY,
    "categorical_cross_entropy": CATEGORICAL,
    "sparse_categorical_cross_entropy": SPARSE_CATEGORICAL,
    "kl_divergence": DIVERGENCE,
    "log_kl_divergence": LOG_DIVERGENCE,
    "relative_entropy": RELATIVE_ENTROPY,
    "soft_margin_loss": SOFT_MARGIN,
    "multilabel_soft_margin_loss": MULTILABEL,
    "sigmoid_focal_cross_entropy": SIGMOID_FOCAL,
    "binary_focal_cross_entropy": BINARY_FOCAL,
    "softmax_focal_cross_entropy": DENSE,
    "categorical_focal_cross_entropy": [
        line for line in CATEGORICAL if line.because != "clipped first" and line.given.get("normalize") != "after"
    ],
}
"""A table for each operation that is defined."""


def case(operation: str, line: Row) -> Case:
    """The call of a row, in float32."""
    kinds = {i.name: i.kind for i in OPERATIONS[operation].inputs}
    inputs = {
        name: np.asarray(numbers, np.int64 if kinds[name] == "index" else np.float32)
        for name, numbers in line.given.items()
        if name in kinds
    }
    parameters = {name: value for name, value in line.given.items() if name not in kinds}
    return Case(f"limits:{operation}", operation, inputs, parameters, "float32", Expectation(), Source("limits", 0))


def page() -> str:
    """All of docs/limits.md."""
    return "\n".join([HEAD, *(line for name in LIMITS for line in _table(name))])


def _table(name: str) -> Iterator[str]:
    operation = OPERATIONS[name]
    slopes = [output for output in operation.outputs if output != VALUE]
    heads = ["input", "value", *(f"by {output.partition(':')[2]}" for output in slopes), "because"]
    yield from (f"## {name}", "", f"`{operation.formula}`", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|")
    for line in LIMITS[name]:
        yield f"| {' | '.join(_cells(name, line, slopes))} |"
    yield ""


def _cells(name: str, line: Row, slopes: Sequence[str]) -> list[str]:
    call = case(name, line)
    known = truth.evaluate(call)
    given = ", ".join(f"{key} {_text(call.inputs.get(key, value))}" for key, value in line.given.items())
    if known.region.domain is Domain.UNDEFINED:
        return [given, "undefined", *("" for _ in slopes), known.region.reason]
    flagged = f"{line.because} (*extended*)" if known.region.domain is Domain.EXTENDED else line.because
    answers = [_text(known.outputs[name].high + 0.0) if name in known.outputs else "" for name in (VALUE, *slopes)]
    return [given, *answers, flagged]


def _text(value: Any) -> str:
    """A number, or numbers in brackets; an array without any by its shape."""
    if isinstance(value, str):
        return value
    array: Array = np.asarray(value)
    if array.size == 0:
        return f"of shape {list(array.shape)}"
    if array.ndim:
        return f"[{', '.join(_text(each) for each in array)}]"
    return f"{float(array):.6g}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
