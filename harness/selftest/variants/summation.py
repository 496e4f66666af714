"""Other orders of summation, blocks, widths and layouts of the same formulas."""

import math

import numpy as np

from harness.adapters import FLOATS, reference
from harness.adapters import numpy as base
from harness.adapters.planting import LOSSES, PRIMITIVES, Planted

FRAMEWORK = "variants_summation"
PACKAGES = base.PACKAGES
start, call = base.start, base.call
planted = Planted(FRAMEWORK, FLOATS)
EVERYWHERE = (*PRIMITIVES, *LOSSES)
LANES = 8
BLOCK = 16


# sums along the class axis, each a function of an array whose last axis is summed over


def one_after_another(e):
    """From the first to the last."""
    return np.add.accumulate(e, -1)[..., -1]


def backwards(e):
    """From the last to the first."""
    return one_after_another(e[..., ::-1])


def ascending(e):
    """From the smallest to the largest."""
    return one_after_another(np.sort(e, -1))


def pairwise(e):
    """Neighbours first, then sums of neighbours."""
    while e.shape[-1] > 1:
        if e.shape[-1] % 2:
            e = np.concatenate([e, np.zeros_like(e[..., :1])], -1)
        e = e[..., ::2] + e[..., 1::2]
    return e[..., 0]


def in_lanes(e):
    """Eight sums side by side, as vector units have it."""
    rest = -e.shape[-1] % LANES
    padded = np.concatenate([e, np.zeros((*e.shape[:-1], rest), e.dtype)], -1)
    columns = padded.reshape(*e.shape[:-1], padded.shape[-1] // LANES, LANES)
    return pairwise(one_after_another(columns.swapaxes(-1, -2)))


def compensated(e):
    """With the roundings carried along, as Kahan has it."""
    total, lost = np.zeros_like(e[..., 0]), np.zeros_like(e[..., 0])
    for i in range(e.shape[-1]):
        term = e[..., i] - lost
        new = total + term
        lost = (new - total) - term
        total = new
    return total


def exactly(e):
    """Rounded once."""
    rows = e.reshape(-1, e.shape[-1])
    return np.array([math.fsum(row) if np.isfinite(row).all() else row.sum() for row in rows], e.dtype).reshape(
        e.shape[:-1]
    )


def in_double(e):
    """In float64."""
    return e.sum(-1, dtype=np.float64).astype(e.dtype)


def summed(total):
    """Softmaxes with another sum."""

    def parts(x, axis):
        d = x - x.max(axis, keepdims=True)
        e = np.exp(d)
        return d, e, np.expand_dims(total(np.moveaxis(e, axis, -1)), axis)

    def softmax(x, axis):
        _, e, s = parts(x, axis)
        return e / s

    def log_softmax(x, axis):
        d, _, s = parts(x, axis)
        return d - np.log(s)

    planted.softmaxes("sum_" + total.__name__, softmax, log_softmax)


for each in (one_after_another, backwards, ascending, pairwise, in_lanes, compensated, exactly, in_double):
    summed(each)


# blocks of classes


def merged(rows, width):
    """Maximum and sum of exponentials of blocks of classes, a running pair."""
    top, total = rows[..., 0], np.zeros_like(rows[..., 0])
    for at in range(0, rows.shape[-1], width):
        block = rows[..., at : at + width]
        higher = np.maximum(top, block.max(-1))
        safe = np.where(np.isneginf(higher), higher.dtype.type(0), higher)  # nothing but masked classes yet
        total = total * np.exp(top - safe) + np.exp(block - safe[..., np.newaxis]).sum(-1)
        top = higher
    return top, total


def online(name, width):
    """Softmaxes that see each class once, in blocks of a width."""

    def log_softmax(x, axis):
        top, total = merged(np.moveaxis(x, axis, -1), width)
        return (x - np.expand_dims(top, axis)) - np.log(np.expand_dims(total, axis))

    def softmax(x, axis):
        top, total = merged(np.moveaxis(x, axis, -1), width)
        return np.exp(x - np.expand_dims(top, axis)) / np.expand_dims(total, axis)

    planted.softmaxes(name, softmax, log_softmax)


online("online_softmax", 1)
online("blockwise_softmax", BLOCK)


# everything at once, or in parts


def in_double_precision(right, arrays, parameters, wanted):
    """Through float64, rounded at the end."""
    x = arrays.get("logits", arrays.get("probabilities"))
    wide = {name: array.astype(np.float64) if array.dtype.kind == "f" else array for name, array in arrays.items()}
    return {name: array.astype(x.dtype) for name, array in right(wide, parameters, wanted).items()}


def classes_first(right, arrays, parameters, wanted):
    """Another layout in memory."""
    return right({name: np.array(array, order="F") for name, array in arrays.items()}, parameters, wanted)


def class_order_reversed(x, axis):
    """The last class first."""
    return np.flip(reference.log_softmax(np.flip(x, axis), axis), axis)


def row_by_row(x, axis):
    """Each row alone."""
    rows = np.moveaxis(x, axis, -1)
    flat = [reference.log_softmax(row, 0) for row in rows.reshape(-1, rows.shape[-1])]
    return np.moveaxis(np.array(flat, x.dtype).reshape(rows.shape), -1, axis)


planted.around(*EVERYWHERE)(in_double_precision)
planted.around(*EVERYWHERE)(classes_first)
planted.softmaxes("classes_in_reverse", log_softmax=class_order_reversed)
planted.softmaxes("rows_one_by_one", log_softmax=row_by_row)


# reductions


def reduced(name, total):
    """Sums and means of losses by another sum of the flat losses."""

    def run(right, arrays, parameters, wanted):
        found, asked = right(arrays, parameters, wanted), parameters["reduction"]
        if asked not in ("sum", "mean") or np.isnan(found["value"]):
            return found
        losses = right(arrays, dict(parameters, reduction="none"), ["value"])["value"].reshape(-1)
        if not losses.size:
            return found
        value = total(losses, losses.size if asked == "mean" else 1)
        return dict(found, value=np.asarray(value, losses.dtype).reshape(()))

    run.__name__ = name
    planted.around(*LOSSES)(run)


def divided_first(losses, count):
    """Each loss divided by the count, then summed."""
    return (losses / losses.dtype.type(count)).sum()


reduced("losses_added_one_after_another", lambda losses, count: one_after_another(losses) / losses.dtype.type(count))
reduced("losses_divided_first", divided_first)
reduced("losses_added_in_double", lambda losses, count: losses.sum(dtype=np.float64) / count)
IMPLEMENTATIONS = tuple(planted.rows)
