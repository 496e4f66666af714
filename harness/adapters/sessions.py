"""TensorFlow as it was used in 2017: a graph with placeholders, tf.gradients, and a session that runs it.

TensorFlow 2 still has all of it, below tf.compat.v1. A graph is built for each function and for each shape and dtype of
its inputs, and kept; the oldest makes room.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Callable, Dict, Mapping, NamedTuple, Sequence, Tuple

from harness.adapters import gradient_inputs

KEPT = 256

Run = Callable[[Mapping[str, Any]], Any]
Arrays = Mapping[str, Any]


class Built(NamedTuple):
    """A graph that waits for its inputs."""

    session: Any
    placeholders: Mapping[str, Any]
    outputs: Mapping[str, Any]

    def run(self, arrays: Arrays) -> Dict[str, Any]:
        """The outputs, as arrays."""
        feed = {self.placeholders[name]: array for name, array in arrays.items()}
        found: Dict[str, Any] = self.session.run(dict(self.outputs), feed_dict=feed)
        return found


_built: "OrderedDict[Tuple[Any, ...], Built]" = OrderedDict()


def outputs(
    tf: Any, function: Tuple[Any, ...], run: Run, arrays: Arrays, wanted: Sequence[str], threads: int
) -> Dict[str, Any]:
    """Values and gradients as arrays, by the names of the wanted outputs.

    Args:
        function: what tells `run` with its parameters from others.
        run: takes tensors by their names, and gives the value.
    """
    key = (function, tuple(wanted), tuple((name, str(a.dtype), a.shape) for name, a in arrays.items()))
    if key not in _built:
        _built[key] = _build(tf, run, arrays, wanted, threads)
        if len(_built) > KEPT:
            _built.popitem(last=False)[1].session.close()
    return _built[key].run(arrays)


def _build(tf: Any, run: Run, arrays: Arrays, wanted: Sequence[str], threads: int) -> Built:
    graph, v1 = tf.Graph(), tf.compat.v1
    with graph.as_default():
        placeholders = {name: v1.placeholder(tf.as_dtype(a.dtype), a.shape, name) for name, a in arrays.items()}
        inputs = {name: tensor for name, tensor in placeholders.items() if name != "upstream"}
        value = run(inputs)
        made = {"value": value}
        names = gradient_inputs(wanted, inputs)
        if names:
            upstream = [tf.cast(placeholders["upstream"], value.dtype)] if "upstream" in placeholders else None
            gradients = tf.gradients([value], [inputs[name] for name in names], upstream)
            given = ((name, gradient) for name, gradient in zip(names, gradients) if gradient is not None)
            made.update(("gradient:" + name, tf.convert_to_tensor(gradient)) for name, gradient in given)
    config = v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    return Built(v1.Session(graph=graph, config=config), placeholders, {n: t for n, t in made.items() if n in wanted})
