"""The mathematics of the NumPy reference: stable losses, their slopes, and reductions (the island).

All in the dtype of the input: constants are made of its type, since a plain 1 widens float16
scalars in older NumPys. A product with a zero label, weight or upstream gradient is zero.
"""

from __future__ import annotations

import functools
import operator
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

Array = Any  # np.ndarray has no parameters in the NumPy of Python 3.7
Parameters = Mapping[str, Any]


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), by an exponential that can't overflow."""
    e = np.exp(-np.abs(x))
    one = x.dtype.type(1)
    return np.where(x >= 0, one, e) / (one + e)


def log_sigmoid(x: Array) -> Array:
    """-log(1 + exp(-x))."""
    return np.minimum(x, x.dtype.type(0)) - np.log1p(np.exp(-np.abs(x)))


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / sum exp(x), the largest logit shifted out."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """x - log(sum exp(x)), the largest logit shifted out."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def logsumexp(x: Array, axis: int = -1) -> Array:
    """log(sum exp(x)), the largest logit shifted out unless it is infinite."""
    top = np.max(x, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(top), top, x.dtype.type(0))
    return np.squeeze(shift + np.log(np.sum(np.exp(x - shift), axis=axis, keepdims=True)), axis=axis)


def sigmoid_vjp(x: Array, upstream: Array) -> Array:
    """Upstream times sigma(x) sigma(-x)."""
    return upstream * (sigmoid(x) * sigmoid(-x))


def log_sigmoid_vjp(x: Array, upstream: Array) -> Array:
    """Upstream times sigma(-x)."""
    return upstream * sigmoid(-x)


def softmax_vjp(x: Array, upstream: Array, axis: int) -> Array:
    """p (u - sum u p), u = upstream."""
    p = softmax(x, axis)
    return p * (upstream - np.sum(upstream * p, axis=axis, keepdims=True))


def log_softmax_vjp(x: Array, upstream: Array, axis: int) -> Array:
    """u - p sum u, u = upstream."""
    return upstream - softmax(x, axis) * np.sum(upstream, axis=axis, keepdims=True)


def logsumexp_vjp(x: Array, upstream: Array, axis: int) -> Array:
    """Upstream times softmax(x)."""
    return np.expand_dims(upstream, axis) * softmax(x, axis)


def curvatures(p: Array, z: Array, upstream: Array, axis: int) -> Array:
    """S p (u - sum u p), S = sum z: a Hessian of softmax cross-entropy times u = upstream."""
    mass = np.sum(z, axis=axis, keepdims=True)
    return mass * (p * (upstream - np.sum(upstream * p, axis=axis, keepdims=True)))


def mixed_slopes(p: Array, upstream: Array, axis: int) -> Array:
    """Sum u p - u, u = upstream."""
    return np.sum(upstream * p, axis=axis, keepdims=True) - upstream


class Loss(NamedTuple):
    """A loss: from its leading input x, its labels z and the parameters.

    Attributes:
        losses: one for each element, or for each row along the class axis.
        slopes: derivatives of a row's loss, or an element's, with respect to x: shape of x.
        label_slopes: the same with respect to z.
    """

    losses: Callable[[Array, Array, Parameters], Array]
    slopes: Callable[[Array, Array, Parameters], Array]
    label_slopes: Callable[[Array, Array, Parameters], Array]


def times(factor: Array, x: Array) -> Array:
    """factor * x, and 0 where the factor is 0 unless x is NaN: 0 log 0 = 0."""
    return np.where((factor == 0) & ~np.isnan(x), x.dtype.type(0), factor * x)


def sigmoid_losses(x: Array, z: Array, _parameters: Parameters) -> Array:
    """max(x, 0) - x z + log1p(exp(-|x|))."""
    return np.maximum(x, x.dtype.type(0)) - x * z + np.log1p(np.exp(-np.abs(x)))


def weighted_sigmoid_losses(x: Array, z: Array, parameters: Parameters) -> Array:
    """(1 - z) softplus(x) + q z softplus(-x), q = pos_weight, with the common log1p taken out."""
    one, q = x.dtype.type(1), x.dtype.type(parameters["pos_weight"])
    slope = np.where(x >= 0, one - z, -q * z)
    return slope * x + ((one - z) + q * z) * np.log1p(np.exp(-np.abs(x)))


def sigmoid_slopes(x: Array, z: Array, parameters: Parameters) -> Array:
    """(1 - z) sigma(x) - q z sigma(-x)."""
    q = x.dtype.type(parameters.get("pos_weight", 1))
    return (x.dtype.type(1) - z) * sigmoid(x) - q * z * sigmoid(-x)


def sigmoid_label_slopes(x: Array, _z: Array, parameters: Parameters) -> Array:
    """q softplus(-x) - softplus(x), q = pos_weight, with the common log1p taken out: -x if q is 1."""
    one, q = x.dtype.type(1), x.dtype.type(parameters.get("pos_weight", 1))
    return times(np.where(x >= 0, one, q), -x) + (q - one) * np.log1p(np.exp(-np.abs(x)))


def softmax_losses(x: Array, z: Array, parameters: Parameters) -> Array:
    """-sum z log(softmax(x))."""
    axis = parameters["axis"]
    return -np.sum(times(z, log_softmax(x, axis)), axis=axis)


def softmax_slopes(x: Array, z: Array, parameters: Parameters) -> Array:
    """p sum(z) - z."""
    axis = parameters["axis"]
    return softmax(x, axis) * np.sum(z, axis=axis, keepdims=True) - z


def softmax_label_slopes(x: Array, _z: Array, parameters: Parameters) -> Array:
    """-log(softmax(x))."""
    return -log_softmax(x, parameters["axis"])


def _log_bounds(p: Array, epsilon: float) -> Tuple[Array, Array]:
    """Logarithms of epsilon and 1 - epsilon: clipping log p between them spares 1 - epsilon's rounding."""
    return p.dtype.type(np.log(epsilon)), p.dtype.type(np.log1p(-epsilon))


def _clipped_log(p: Array, epsilon: float) -> Array:
    if not epsilon:
        return np.log(p)
    return np.clip(np.log(np.maximum(p, p.dtype.type(0))), *_log_bounds(p, epsilon))


def _binary_logs(p: Array, parameters: Parameters) -> Tuple[Array, Array]:
    """log p and log(1 - p) as `epsilon` and `log_floor` guard them."""
    one, floor, epsilon = p.dtype.type(1), p.dtype.type(parameters["log_floor"]), parameters["epsilon"]
    if parameters["epsilon_use"] == "clip_add" and epsilon:
        added = p.dtype.type(epsilon)
        ends = p.dtype.type(np.log(2 * epsilon)), p.dtype.type(0)
        part = np.clip(p, p.dtype.type(0), one)
        logs = np.clip(np.log(part + added), *ends), np.clip(np.log((one - part) + added), *ends)
    elif parameters["epsilon_use"] == "add":
        added = p.dtype.type(epsilon)
        logs = np.log(p + added), (np.log((one - p) + added) if epsilon else np.log1p(-p))
    elif epsilon:
        logs = _clipped_log(p, epsilon), np.clip(np.log1p(-np.minimum(p, one)), *_log_bounds(p, epsilon))
    else:
        logs = np.log(p), np.log1p(-p)
    return np.maximum(logs[0], floor), np.maximum(logs[1], floor)


def binary_losses(p: Array, z: Array, parameters: Parameters) -> Array:
    """-z log(p) - (1 - z) log(1 - p), each logarithm guarded."""
    log_p, log_rest = _binary_logs(p, parameters)
    return -(times(z, log_p) + times(p.dtype.type(1) - z, log_rest))


def binary_slopes(p: Array, z: Array, parameters: Parameters) -> Array:
    """-z / p + (1 - z) / (1 - p); 0 where a guard holds a logarithm constant."""
    one, zero, floor = p.dtype.type(1), p.dtype.type(0), p.dtype.type(parameters["log_floor"])
    epsilon, use = parameters["epsilon"], parameters["epsilon_use"]
    added = p.dtype.type(0 if use == "clip" else epsilon)
    ahead, behind = p + added, (one - p) + added
    # Not `>=`: NaN is no number that the floor holds, and stays NaN.
    rising = np.where(np.log(behind) < floor, zero, one / behind)
    falling = np.where(np.log(ahead) < floor, zero, one / ahead)
    slopes = times(one - z, rising) - times(z, falling)
    return slopes if use == "add" or not epsilon else np.where(_unclipped(p, epsilon), slopes, zero)


def binary_label_slopes(p: Array, _z: Array, parameters: Parameters) -> Array:
    """log(1 - p) - log(p), each logarithm guarded."""
    log_p, log_rest = _binary_logs(p, parameters)
    return log_rest - log_p


def _unclipped(p: Array, epsilon: float) -> Array:
    one, edge = p.dtype.type(1), p.dtype.type(epsilon)
    return ~((p < edge) | (one - p < edge))  # 1 - epsilon itself may round to 1; NaN is not what a clip holds


def _clip(p: Array, epsilon: float) -> Array:
    return np.clip(p, p.dtype.type(epsilon), p.dtype.type(1 - epsilon)) if epsilon else p


def _share(p: Array, axis: int) -> Array:
    return p / np.sum(p, axis=axis, keepdims=True)


def categorical_losses(p: Array, z: Array, parameters: Parameters) -> Array:
    """-sum z log(p), p normalised and clipped."""
    return np.sum(times(z, categorical_label_slopes(p, z, parameters)), axis=parameters["axis"])


def categorical_label_slopes(p: Array, _z: Array, parameters: Parameters) -> Array:
    """-log(p), p normalised and clipped."""
    axis, epsilon, normalize = parameters["axis"], parameters["epsilon"], parameters["normalize"]
    if normalize == "after":
        return -np.log(_share(_clip(p, epsilon), axis))
    return -_clipped_log(_share(p, axis) if normalize == "before" else p, epsilon)


def categorical_slopes(p: Array, z: Array, parameters: Parameters) -> Array:
    """-z / q, and through q = c / sum(c) it is (sum(z) - z / q) / sum(c); 0 where a clip holds its argument."""
    axis, epsilon, normalize = parameters["axis"], parameters["epsilon"], parameters["normalize"]
    q = _share(p, axis) if normalize == "before" else p
    clipped = _clip(q, epsilon)
    free = _unclipped(q, epsilon) if epsilon else np.ones(q.shape, bool)
    if normalize == "none":
        return np.where(free, -times(z, p.dtype.type(1) / clipped), p.dtype.type(0))
    if normalize == "before":
        return _slopes_of_shares(clipped, np.where(free, z, p.dtype.type(0)), p, axis)
    return np.where(free, _slopes_of_shares(_share(clipped, axis), z, clipped, axis), p.dtype.type(0))


def _slopes_of_shares(q: Array, z: Array, whole: Array, axis: int) -> Array:
    """Of -sum z log(q), q the shares of a whole, with respect to its parts."""
    slopes = np.sum(z, axis=axis, keepdims=True) - times(z, q.dtype.type(1) / q)
    return slopes / np.sum(whole, axis=axis, keepdims=True)


def kl_losses(p: Array, z: Array, parameters: Parameters) -> Array:
    """Sum z log(z / p), both clipped to [epsilon, 1]."""
    p, z = (_clip_low(a, parameters["epsilon"]) for a in (p, z))
    _refuse_negative(z)
    return np.sum(np.where(z == 0, z, z * np.log(z / p)), axis=parameters["axis"])


def kl_slopes(p: Array, z: Array, parameters: Parameters) -> Array:
    """-z / p; 0 where the clip holds p."""
    epsilon = parameters["epsilon"]
    slopes = -times(_clip_low(z, epsilon), p.dtype.type(1) / _clip_low(p, epsilon))
    return np.where(_held(p, epsilon), p.dtype.type(0), slopes)


def kl_label_slopes(p: Array, z: Array, parameters: Parameters) -> Array:
    """log(z / p) + 1; 0 where the clip holds z."""
    epsilon = parameters["epsilon"]
    slopes = np.log(_clip_low(z, epsilon) / _clip_low(p, epsilon)) + p.dtype.type(1)
    slopes = np.where((z == 0) & (p == 0) & (epsilon == 0), p.dtype.type(np.inf), slopes)
    return np.where(_held(z, epsilon), p.dtype.type(0), slopes)


def _clip_low(p: Array, epsilon: float) -> Array:
    return np.clip(p, p.dtype.type(epsilon), p.dtype.type(1)) if epsilon else p


def _held(p: Array, epsilon: float) -> Array:
    return (p < p.dtype.type(epsilon)) | (p > p.dtype.type(1)) if epsilon else np.zeros(p.shape, bool)


def _refuse_negative(z: Array) -> None:
    if np.any(z < 0):
        raise ValueError("labels below 0: log of a negative number")


def log_kl_losses(x: Array, z: Array, parameters: Parameters) -> Array:
    """z (log z - x), or e^t (t - x) of labels t = log z; 0 where z is. Generalized e^x - z more."""
    weight, log_z = _weight(z, parameters)
    found = times(weight, np.where(weight == 0, x.dtype.type(0), log_z) - x)
    if not parameters["generalized"]:
        return found
    return np.where(np.isposinf(z) ^ np.isposinf(x), x.dtype.type(np.inf), found + (np.exp(x) - weight))


def log_kl_slopes(x: Array, z: Array, parameters: Parameters) -> Array:
    """-z, generalized exp(x) - z."""
    weight = _weight(z, parameters)[0]
    return np.exp(x) - weight if parameters["generalized"] else -weight


def log_kl_label_slopes(x: Array, z: Array, parameters: Parameters) -> Array:
    """log z - x + 1, generalized without 1, and with respect to log z: z times as much."""
    weight, log_z = _weight(z, parameters)
    slopes = log_z - x if parameters["generalized"] else log_z - x + x.dtype.type(1)
    if parameters["log_labels"]:
        return np.where(weight == 0, weight, weight * slopes)
    return np.where((z == 0) & np.isneginf(x), x.dtype.type(np.inf), slopes)


def _weight(z: Array, parameters: Parameters) -> Tuple[Array, Array]:
    """z and log z."""
    if parameters["log_labels"]:
        return np.exp(z), z
    _refuse_negative(z)
    return z, np.log(z)


def entropy_losses(p: Array, z: Array, parameters: Parameters) -> Array:
    """z log(z / p), generalized with p - z more: infinite where a number is below 0."""
    found = np.where((z == 0) & ~np.isnan(p), p.dtype.type(0), z * log_ratio(p, z))
    if parameters["generalized"]:
        found = np.where(np.isinf(z) ^ np.isinf(p), p.dtype.type(np.inf), found + (p - z))
    return np.where(_any_below(p, z), p.dtype.type(np.inf), found)


def entropy_slopes(p: Array, z: Array, parameters: Parameters) -> Array:
    """-z / p, generalized 1 more; none where a number is below 0."""
    slopes = -times(z, p.dtype.type(1) / np.abs(p))
    slopes = slopes + p.dtype.type(1) if parameters["generalized"] else slopes
    return np.where(_any_below(p, z), p.dtype.type(np.nan), slopes)


def entropy_label_slopes(p: Array, z: Array, parameters: Parameters) -> Array:
    """log(z / p) + 1, generalized 1 less; none where a number is below 0."""
    slopes = np.where((z == 0) & (p == 0), p.dtype.type(np.inf), log_ratio(p, z))
    slopes = slopes if parameters["generalized"] else slopes + p.dtype.type(1)
    return np.where(_any_below(p, z), p.dtype.type(np.nan), slopes)


def log_ratio(p: Array, z: Array) -> Array:
    """log(z / p), by z - p where they are within a factor of 2, and by both logarithms where the ratio is out of range.

    Absolute values: zero has no sign.
    """
    z, p = np.abs(z), np.abs(p)
    ratio = z / p
    tame = np.isfinite(ratio) & np.isfinite(p.dtype.type(1) / ratio)
    near = (ratio > p.dtype.type(0.5)) & (ratio < p.dtype.type(2))
    return np.where(near, np.log1p((z - p) / p), np.where(tame, np.log(ratio), np.log(z) - np.log(p)))


def _any_below(p: Array, z: Array) -> Array:
    return ((p < 0) | (z < 0)) & ~np.isnan(p) & ~np.isnan(z)


def margin_losses(x: Array, y: Array, _parameters: Parameters) -> Array:
    """log(1 + exp(-y x)), by an exponential that can't overflow."""
    return np.maximum(-y * x, x.dtype.type(0)) + np.log1p(np.exp(-np.abs(y * x)))


def margin_slopes(x: Array, y: Array, _parameters: Parameters) -> Array:
    """-y sigma(-y x)."""
    return -y * sigmoid(-y * x)


def margin_label_slopes(x: Array, y: Array, _parameters: Parameters) -> Array:
    """-x sigma(-y x)."""
    return -times(sigmoid(-y * x), x)


def nll_losses(x: Array, z: Array, parameters: Parameters) -> Array:
    """-sum z x, x = log(p): of the label alone, whatever x is elsewhere."""
    return -np.sum(np.where(z == 0, x.dtype.type(0), z * x), axis=parameters["axis"])


def nll_slopes(_x: Array, z: Array, _parameters: Parameters) -> Array:
    """-z."""
    return -z


def nll_label_slopes(x: Array, _z: Array, _parameters: Parameters) -> Array:
    """-x."""
    return -x


def logits(hidden: Array, kernel: Array, biases: Optional[Array]) -> Array:
    """Sums of products of features, and biases: one for each class, last.

    Raises:
        ValueError: shapes that make no logits.
    """
    if hidden.ndim < 1 or kernel.shape[1:] != hidden.shape[-1:]:
        raise ValueError(f"hidden of shape {list(hidden.shape)}, kernel of {list(kernel.shape)}")
    found = np.sum(hidden[..., np.newaxis, :] * kernel, axis=-1)
    if biases is None:
        return found
    if biases.shape != kernel.shape[:1]:
        raise ValueError(f"biases have shape {list(biases.shape)}: one for each class is [{len(kernel)}]")
    return found + biases


def layer_slopes(slopes: Array, hidden: Array, kernel: Array) -> Mapping[str, Array]:
    """Slopes with respect to logits as those with respect to what `logits` makes them of."""
    rows, features = slopes.reshape(-1, len(kernel)), hidden.reshape(-1, kernel.shape[1])
    return {
        "hidden": np.sum(slopes[..., np.newaxis] * kernel, axis=-2),
        "kernel": np.sum(rows[:, :, np.newaxis] * features[:, np.newaxis, :], axis=0),
        "biases": np.sum(rows, axis=0),
    }


def sampled_logits(inputs: Mapping[str, Array]) -> Tuple[Array, Array, Array]:
    """Classes of each row, labels before samples; their logits less log(expected); which are accidental hits.

    Raises:
        ValueError: inputs that don't fit, or have no logarithm.
    """
    hidden, kernel, biases = inputs["hidden"], inputs["kernel"], inputs["biases"]
    labels, samples = inputs["labels"], inputs["samples"]
    if kernel.shape[1:] != hidden.shape[1:] or biases.shape != kernel.shape[:1]:
        raise ValueError(f"hidden, kernel and biases of shapes {hidden.shape}, {kernel.shape}, {biases.shape}")
    if labels.ndim != 2 or len(labels) != len(hidden) or not labels.size:  # noqa: PLR2004 - rows of labels
        raise ValueError(f"labels of shape {list(labels.shape)} for hidden of {list(hidden.shape)}")
    if inputs["true_expected"].shape != labels.shape or inputs["sampled_expected"].shape != samples.shape:
        raise ValueError("one expected count for each label and sample")
    classes = np.concatenate([labels, np.broadcast_to(samples, (len(labels), len(samples)))], axis=1)
    if np.any((classes < 0) | (classes >= len(kernel))):
        raise ValueError(f"classes outside 0..{len(kernel) - 1}: {np.unique(classes).tolist()}")
    of_samples = np.broadcast_to(inputs["sampled_expected"], (len(labels), len(samples)))
    expected = np.concatenate([inputs["true_expected"], of_samples], axis=1)
    if not np.all(expected > 0):
        raise ValueError("expected counts must be above 0")
    x = np.sum(hidden[:, np.newaxis, :] * kernel[classes], axis=-1) + biases[classes] - np.log(expected)
    hits = np.any(labels[:, :, np.newaxis] == samples, axis=1)
    return classes, x, np.concatenate([np.zeros(labels.shape, bool), hits], axis=1)


def sampled_slopes(slopes: Array, classes: Array, hidden: Array, kernel: Array) -> Mapping[str, Array]:
    """Slopes with respect to logits of some classes as those with respect to what the logits are made of."""
    named = classes.reshape(-1) == np.arange(len(kernel))[:, np.newaxis]
    by_class = np.where(named, slopes.reshape(-1), slopes.dtype.type(0))
    features = np.repeat(hidden, classes.shape[1], axis=0)
    return {
        "hidden": np.sum(slopes[..., np.newaxis] * kernel[classes], axis=1),
        "kernel": np.sum(by_class[:, :, np.newaxis] * features, axis=1),
        "biases": np.sum(by_class, axis=1),
    }


def contrast_losses(x: Array, z: Array, parameters: Parameters) -> Array:
    """Sigmoid cross-entropy, 0 of a logit of -inf that has no label."""
    return np.where(np.isneginf(x) & (z == 0), x.dtype.type(0), sigmoid_losses(x, z, parameters))


BY_ROWS = ("row_mean", "row_mean_sum")
MEANS = ("mean", "valid_mean", "weighted_mean", "nonzero_mean")


class Labels(NamedTuple):
    """Labels as losses take them: one for each element of the leading input, and what else they say of a loss.

    Attributes:
        smoothed: of x's shape and dtype.
        dense: the same, times class weights.
        unit: 1 at each label that is an index, 0 elsewhere; None if labels aren't indices.
        class_weights: in a shape that broadcasts to x's, if there are any.
        kept: which losses aren't ignored; None if all count.
    """

    smoothed: Array
    dense: Array
    unit: Optional[Array]
    class_weights: Optional[Array]
    kept: Optional[Array]

    def by_label(self, axis: Any) -> Optional[Array]:
        """The class weight of each loss's label."""
        if self.unit is None or self.class_weights is None:
            return None
        return np.sum(self.unit * self.class_weights, axis=axis)

    def counted(self, array: Array, axis: Optional[int] = None) -> Array:
        """0 where a loss is ignored, of losses or, with the class axis, of numbers of each class."""
        if self.kept is None:
            return array
        kept = self.kept if axis is None else np.expand_dims(self.kept, axis)
        return np.where(kept, array, array.dtype.type(0))


class Reduction(NamedTuple):
    """A reduction of losses of a known shape.

    Attributes:
        name: as in case files.
        empty: what a mean is that divides by 0.
        weights: what losses are multiplied with, in the shape of these; None for ones.
        counts: the same times class weights, and 0 where a loss is ignored.
        kept: which losses aren't ignored; None if all count.
        shape: of the losses.
        dtype: of the losses.
    """

    name: str
    empty: str
    weights: Optional[Array]
    counts: Optional[Array]
    kept: Optional[Array]
    shape: Tuple[int, ...]
    dtype: Any

    @classmethod
    def checked(
        cls,
        parameters: Parameters,
        weights: Optional[Array],
        by_label: Optional[Array],
        kept: Optional[Array],
        shape: Tuple[int, ...],
        dtype: Any,
    ) -> Reduction:
        """A reduction that is defined.

        Raises:
            ValueError: it is the mean of nothing, or the weights don't fit the losses.
        """
        name, empty = parameters["reduction"], parameters["empty_mean"]
        by_rows = name in BY_ROWS
        if by_rows and (not shape or shape[-1] == 0):
            raise ValueError(f"{name} has no last axis to average over")
        if weights is not None:
            weights = _fitted(weights, shape[:-1] if by_rows else shape)
        counts = None if by_rows else _product([weights, by_label, kept], shape, dtype)
        found = cls(name, empty, weights, counts, kept, shape, dtype)
        if name in MEANS and found.denominator == 0:
            if empty == "undefined":
                raise ValueError("the mean of no losses")
            if empty == "nan" and name == "weighted_mean" and counts is not None and np.any(counts):
                raise ValueError("weights that sum to 0 divide by 0")
        return found

    @property
    def denominator(self) -> Array:
        """What a mean divides by."""
        count = self.dtype.type(np.prod(self.shape, dtype=np.int64))
        if self.name == "valid_mean":
            return count if self.kept is None else self.dtype.type(np.count_nonzero(self.kept))
        if self.counts is None or self.name == "mean":
            return count
        if self.name == "weighted_mean":
            return np.sum(self.counts)
        return self.dtype.type(np.count_nonzero(self.counts))

    def value(self, losses: Array) -> Array:
        """The weighted losses, reduced."""
        rows = self._rows(losses)
        weighted = rows if self.weights is None else times(self.weights, rows)
        if self.name in ("none", "row_mean"):
            return weighted
        if self.name == "mean" and weighted.size:
            return np.mean(weighted)
        return self._divided(np.sum(weighted))

    def spread(self, upstream: Optional[Array]) -> Array:
        """The derivative of the reduced value with respect to each loss, times upstream."""
        one = np.ones(self.shape, self.dtype)
        ahead = self._ahead(upstream)
        if self.weights is not None:
            ahead = ahead * self.weights
        if self.name in BY_ROWS:
            rows = np.broadcast_to(ahead, self.shape[:-1]) / self.dtype.type(self.shape[-1])
            return one * rows[..., np.newaxis]
        return self._divided(one * ahead)

    def weight_slopes(self, losses: Array, by_label: Optional[Array], upstream: Optional[Array]) -> Array:
        """The derivative of the reduced value with respect to each weight, times upstream."""
        slopes = self._rows(losses)
        if self.name == "weighted_mean":  # each weight is in the denominator, too
            value = self.value(losses)
            slopes = slopes - (value if by_label is None else times(by_label, value))
        found = self._divided(times(self._ahead(upstream), slopes))
        return found if self.kept is None else np.where(self.kept, found, self.dtype.type(0))

    def class_weight_slopes(
        self, losses: Array, terms: Array, unit: Optional[Array], upstream: Optional[Array]
    ) -> Array:
        """The derivative with respect to each class weight, times upstream; classes of terms and unit are last.

        Args:
            losses: what was reduced.
            terms: what each class weight was multiplied with.
            unit: 1 where a class weight is in the denominator.
            upstream: the gradient ahead; ones if None.
        """
        if self.name == "weighted_mean" and unit is not None:
            terms = terms - times(unit, self.value(losses))
        found = times(self.spread(upstream)[..., np.newaxis], terms)
        if self.kept is not None:
            found = np.where(self.kept[..., np.newaxis], found, self.dtype.type(0))
        return np.sum(found.reshape(-1, terms.shape[-1]), axis=0)

    def _rows(self, losses: Array) -> Array:
        """What the weights multiply."""
        return np.mean(losses, axis=-1) if self.name in BY_ROWS else losses

    def _ahead(self, upstream: Optional[Array]) -> Array:
        return self.dtype.type(1) if upstream is None else upstream

    def _divided(self, numerator: Array) -> Array:
        if self.name not in MEANS:
            return numerator
        if self.denominator != 0:
            return numerator / self.denominator
        return np.full_like(numerator, 0 if self.empty == "zero" else np.nan)


def _product(factors: Sequence[Optional[Array]], shape: Tuple[int, ...], dtype: Any) -> Optional[Array]:
    """The product of those that there are, in this shape."""
    found = [np.broadcast_to(factor.astype(dtype), shape) for factor in factors if factor is not None]
    return functools.reduce(operator.mul, found) if found else None


def _fitted(weights: Array, shape: Tuple[int, ...]) -> Array:
    try:
        return np.broadcast_to(weights, shape)
    except ValueError as error:
        raise ValueError(f"weights of shape {list(weights.shape)} don't broadcast to {list(shape)}") from error


def gathered(slopes: Array, shape: Tuple[int, ...]) -> Array:
    """Slopes of a broadcast array as those of the array of this shape: sums over the axes it was repeated along."""
    repeated = slopes.ndim - len(shape)
    stretched = tuple(repeated + i for i, n in enumerate(shape) if n == 1)
    return np.sum(slopes, axis=(*range(repeated), *stretched)).reshape(shape)
