"""Plausible bugs that show with certain numbers, sizes, shapes, layouts, batches or threads."""

import numpy as np

from harness.adapters import numpy as base
from harness.adapters.planting import DENSE, LOSSES, PRIMITIVES, SIGMOIDS, SOFTMAXES, SPARSE, Planted

FRAMEWORK = "mutants_arrays"
PACKAGES = base.PACKAGES
call = base.call
planted = Planted(FRAMEWORK)
EVERYWHERE = (*PRIMITIVES, *LOSSES)
OF_PROBABILITIES = ("binary_cross_entropy", "categorical_cross_entropy", "sparse_categorical_cross_entropy")
UNBOUNDED = ("log_sigmoid", "log_softmax", *LOSSES)
LEADING = ("logits", "probabilities")
STATE = {"threads": 1, "kept": {}}


def start(threads):
    """Keep how many threads a call may use."""
    base.start(threads)
    STATE["threads"] = threads


def leading(arrays):
    """The logits or probabilities."""
    return next(arrays[name] for name in LEADING if name in arrays)


def replaced(arrays, change):
    """The inputs with other logits or probabilities."""
    return {name: change(array) if name in LEADING else array for name, array in arrays.items()}


def fed(name, change, operations=EVERYWHERE):
    """The leading input altered before it is used."""

    def run(right, arrays, parameters, wanted):
        return right(replaced(arrays, lambda x: change(x).astype(x.dtype)), parameters, wanted)

    run.__name__ = name
    planted.around(*operations)(run)


def told(name, change, operations=EVERYWHERE):
    """Outputs altered after they were computed."""

    def run(right, arrays, parameters, wanted):
        found = right(arrays, parameters, wanted)
        return {key: np.asarray(change(array)).astype(array.dtype) for key, array in found.items()}

    run.__name__ = name
    planted.around(*operations)(run)


def refusing(name, wrong, operations=EVERYWHERE):
    """An error where there is none to be raised."""

    def run(right, arrays, parameters, wanted):
        if wrong(leading(arrays)):
            raise ValueError(name)
        return right(arrays, parameters, wanted)

    run.__name__ = name
    planted.around(*operations)(run)


# numbers

fed("nan_made_0_before", lambda x: np.where(np.isnan(x), 0, x))
fed(
    "infinity_made_finite_before",
    lambda x: np.clip(x, np.finfo(x.dtype).min, np.finfo(x.dtype).max),
    ("log_sigmoid", *SIGMOIDS),
)
fed("tiny_made_0_before", lambda x: np.where(np.abs(x) < 1e-6, 0, x), (*SIGMOIDS, "log_sigmoid", *OF_PROBABILITIES))
fed("negative_zero_is_a_mark", lambda x: np.where((x == 0) & np.signbit(x), -np.inf, x), EVERYWHERE)
told("nan_made_0", lambda a: np.where(np.isnan(a), 0, a))
told("infinity_made_finite", lambda a: np.nan_to_num(a, nan=np.nan), UNBOUNDED)
told("infinity_made_nan", lambda a: np.where(np.isinf(a), np.nan, a), UNBOUNDED)
told("negative_made_0", lambda a: np.maximum(a, 0), LOSSES)
refusing("nan_refused", lambda x: bool(np.isnan(x).any()))
refusing("infinity_refused", lambda x: bool(np.isinf(x).any()), (*PRIMITIVES, *SIGMOIDS, *SOFTMAXES))


# shapes

refusing("empty_batch_refused", lambda x: x.size == 0)
refusing("one_class_refused", lambda x: x.ndim > 0 and x.shape[-1] == 1, ("softmax", "log_softmax", *DENSE, *SPARSE))
refusing("third_axis_refused", lambda x: x.ndim > 2)
refusing("single_example_refused", lambda x: x.ndim == 1, ("softmax", "log_softmax", *DENSE, *SPARSE))


def of_the_wrong_rank(right, arrays, parameters, wanted):
    """Scalars come as arrays of one number."""
    return {
        name: array.reshape(1) if np.ndim(array) == 0 else array
        for name, array in right(arrays, parameters, wanted).items()
    }


def axes_of_length_1_dropped(right, arrays, parameters, wanted):
    """Outputs are squeezed."""
    return {name: np.squeeze(array) for name, array in right(arrays, parameters, wanted).items()}


planted.around(*LOSSES)(of_the_wrong_rank)
planted.around(*EVERYWHERE)(axes_of_length_1_dropped)


# sizes


def damaged(name, places, operations=EVERYWHERE):
    """Outputs of certain sizes with zeros at some places: a function of the size to a slice of the flat array."""

    def run(right, arrays, parameters, wanted):
        found = right(arrays, parameters, wanted)
        for key, array in found.items():
            where = places(array.size)
            if where is not None and array.size:
                found[key] = np.array(array)
                found[key].reshape(-1)[where] = 0
        return found

    run.__name__ = name
    planted.around(*operations)(run)


damaged("last_skipped_for_odd_sizes", lambda n: slice(n - 1, n) if n > 1 and n % 2 else None)
damaged("rest_of_4_skipped", lambda n: slice(n // 4 * 4, n) if n > 4 else None)
damaged("rest_of_8_skipped", lambda n: slice(n // 8 * 8, n) if n > 8 else None)
damaged("rest_of_16_skipped", lambda n: slice(n // 16 * 16, n) if n > 16 else None)
damaged("rest_of_64_skipped", lambda n: slice(n // 64 * 64, n) if n > 64 else None)
damaged("beyond_1024_skipped", lambda n: slice(1024, n) if n > 1024 else None)
damaged("beyond_65535_skipped", lambda n: slice(65535, n) if n > 65535 else None)
damaged("small_arrays_skipped", lambda n: slice(0, n) if n < 3 else None)


def last_of_each_thread_skipped(right, arrays, parameters, wanted):
    """A batch that threads share: where it doesn't divide by them, the rest is left out."""
    found, threads = right(arrays, parameters, wanted), STATE["threads"]
    for name, array in found.items():
        rest = array.size % threads
        if threads > 1 and rest and array.size > threads:
            found[name] = np.array(array)
            found[name].reshape(-1)[-rest:] = 0
    return found


def large_batches_in_half_precision(right, arrays, parameters, wanted):
    """Another kernel for more than 256 rows."""
    x = leading(arrays)
    if x.dtype == np.float16 or not x.ndim or x.shape[0] <= 256:
        return right(arrays, parameters, wanted)
    found = right(replaced(arrays, lambda x: x.astype(np.float16).astype(x.dtype)), parameters, wanted)
    return {name: array.astype(x.dtype) for name, array in found.items()}


def single_rows_in_half_precision(right, arrays, parameters, wanted):
    """Another kernel for one row: what it gives isn't what the same row in a batch gets."""
    x = leading(arrays)
    if x.dtype == np.float16 or x.ndim < 2 or x.shape[0] != 1:
        return right(arrays, parameters, wanted)
    return right(replaced(arrays, lambda x: x.astype(np.float16).astype(x.dtype)), parameters, wanted)


def first_row_repeated(right, arrays, parameters, wanted):
    """All rows are the first one's, as of a broadcast that went wrong."""
    return right(
        replaced(arrays, lambda x: np.array(np.broadcast_to(x[:1], x.shape)) if x.ndim > 1 and x.size else x),
        parameters,
        wanted,
    )


def rows_in_reverse(right, arrays, parameters, wanted):
    """Rows are taken from the end."""
    return right(replaced(arrays, lambda x: x[::-1] if x.ndim > 1 else x), parameters, wanted)


planted.around(*EVERYWHERE)(last_of_each_thread_skipped)
planted.around(*EVERYWHERE)(large_batches_in_half_precision)
planted.around(*EVERYWHERE)(single_rows_in_half_precision)
planted.around(*EVERYWHERE)(first_row_repeated)
planted.around(*EVERYWHERE)(rows_in_reverse)


# state


def answer_of_an_earlier_call(right, arrays, parameters, wanted):
    """What was computed is kept by shape, dtype and parameters, and not by numbers."""
    kept = STATE["kept"]
    key = (
        right,
        leading(arrays).shape,
        leading(arrays).dtype.name,
        tuple(sorted(arrays)),
        tuple(wanted),
        str(sorted(parameters.items())),
    )
    if key not in kept:
        kept[key] = right(arrays, parameters, wanted)
    return kept[key]


def accumulates(right, arrays, parameters, wanted):
    """A sum that isn't cleared between calls."""
    found = right(arrays, parameters, wanted)
    if parameters["reduction"] in ("sum", "mean"):
        before = STATE.setdefault("sum", 0.0)
        STATE["sum"] = float(found["value"]) if np.isfinite(found["value"]) else 0.0
        found["value"] = found["value"] + found["value"].dtype.type(before)
    return found


planted.around(*EVERYWHERE)(answer_of_an_earlier_call)
planted.around(*LOSSES)(accumulates)
IMPLEMENTATIONS = tuple(planted.rows)
