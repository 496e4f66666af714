"""The operations: one file a family, each defined once, exactly."""

from harness.operations import (
    divergence,
    focal,
    focal_rows,
    linear,
    logsumexp,
    margin,
    nll,
    probabilities,
    relative_entropy,
    sampled,
    sigmoid,
    softmax,
)
from harness.operations.base import Operation, by_name

OPERATIONS = by_name(
    (
        *sigmoid.OPERATIONS,
        *softmax.OPERATIONS,
        *logsumexp.OPERATIONS,
        *probabilities.OPERATIONS,
        *divergence.OPERATIONS,
        *relative_entropy.OPERATIONS,
        *focal.OPERATIONS,
        *focal_rows.OPERATIONS,
        *margin.OPERATIONS,
        *nll.OPERATIONS,
        *linear.OPERATIONS,
        *sampled.OPERATIONS,
    )
)

__all__ = ["OPERATIONS", "Operation"]
