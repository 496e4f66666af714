"""How a framework is spoken to in a script: its imports, its arrays, a call in each mode, and a number of the answer.

A dialect has text alone; the call itself is an expression over the inputs' names, as the adapter made it
(`adapters/spelling.py`). Scripts do what the adapter does: inputs are arguments of what is compiled, so
that a compiler can't fold them, and a gradient is a vector-Jacobian product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

UPSTREAM = "upstream"
_BACKWARDS = "range({0}.dim() - 1, -1, -1)"
IN_TORCH = {
    "strided": "torch.stack([{0}, torch.zeros_like({0})], -1).flatten(-2)[..., ::2]",
    "transposed": f"{{0}}.permute(*{_BACKWARDS}).contiguous().permute(*{_BACKWARDS})",
    "unaligned": "torch.cat([torch.zeros(1, dtype={0}.dtype), {0}.reshape(-1)])[1:].reshape({0}.shape)",
    "expanded": "{0}[:1].expand({0}.shape)",
}
IN_NUMPY = {
    "strided": "numpy.stack([{0}, numpy.zeros_like({0})], -1).reshape(*{0}.shape[:-1], -1)[..., ::2]",
    "transposed": "numpy.array({0}.T, order='C').T",
    "unaligned": "numpy.concatenate([numpy.zeros(1, {0}.dtype), {0}.reshape(-1)])[1:].reshape({0}.shape)",
    "expanded": "numpy.lib.stride_tricks.as_strided({0}[:1].copy(), {0}.shape, (0, *{0}.strides[1:]))",
}
"""What the worker does (`worker/layouts.py`), in words of the framework."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is called.

    Attributes:
        expression: the public call; inputs by their names.
        shapes: of each input.
        dtypes: of each input.
        gradient: the input that the gradient is with respect to; "" for the value.
        batch_of_one: an example is given to the call as a batch of one, its classes being on axis 1.
    """

    expression: str
    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, str]
    gradient: str
    batch_of_one: bool

    @property
    def names(self) -> list[str]:
        """The inputs of the call itself."""
        return [name for name in self.shapes if name != UPSTREAM]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A framework in a script.

    Attributes:
        imports: its first lines.
        package: what tells the version, as the imports name it.
        array: an input's expression, of its numbers as text, its shape and dtype.
        modes: the lines that leave the answer in `result`, by mode.
        number: expression of the answer as an array whose elements `float` takes, with `{}` for the answer.
        layouts: expression of an input laid out in memory, with `{}` for the input, by layout; none where arrays are
            copied into the framework's own, which lie as it likes.
    """

    imports: Sequence[str]
    package: str
    array: Callable[[str, Sequence[int], str], str]
    modes: Mapping[str, Callable[[Call], list[str]]]
    number: str
    layouts: Mapping[str, str] = field(default_factory=dict)


def _numpy_array(numbers: str, shape: Sequence[int], dtype: str) -> str:
    kind = "ml_dtypes.bfloat16" if dtype == "bfloat16" else repr(dtype)
    return f"numpy.array({numbers}, dtype={kind}).reshape({list(shape)})"


def _torch_array(numbers: str, shape: Sequence[int], dtype: str) -> str:
    """Indices as int64, as the adapter has them, but for uint8 labels of examples."""
    if "int" in dtype and (dtype != "uint8" or len(shape) > 1):
        dtype = "int64"
    return f"torch.tensor({numbers}, dtype=torch.{dtype}).reshape({list(shape)})"


def _tensorflow_array(numbers: str, shape: Sequence[int], dtype: str) -> str:
    return f"tf.reshape(tf.constant({numbers}, dtype=tf.{dtype}), {list(shape)})"


def _jax_array(numbers: str, shape: Sequence[int], dtype: str) -> str:
    return f"jax.numpy.array({numbers}, dtype={dtype!r}).reshape({list(shape)})"


def _value(call: Call) -> list[str]:
    return [f"result = {call.expression}"]


def _first(call: Call) -> list[str]:
    """What runs a model gives a list of its outputs."""
    return [f"result = {call.expression}[0]"]


def _torch(call: Call) -> list[str]:
    return _differentiated(call, [f"value = {call.expression}"])


def _autocast(call: Call) -> list[str]:
    return _differentiated(call, ['with torch.autocast("cpu", torch.bfloat16):', f"    value = {call.expression}"])


def _compile(call: Call) -> list[str]:
    names = ", ".join(call.names)
    head = ["@torch.compile(fullgraph=True, dynamic=False)", f"def compute({names}):"]
    return [*head, f"    return {call.expression}", "", *_differentiated(call, [f"value = compute({names})"])]


def _differentiated(call: Call, evaluated: Sequence[str]) -> list[str]:
    """The value that some lines leave in `value`, or its gradient by autograd."""
    if not call.gradient:
        return [*evaluated, "result = value"]
    upstream = UPSTREAM if UPSTREAM in call.shapes else "torch.ones_like(value)"
    return [
        f"{call.gradient}.requires_grad_(True)",
        *evaluated,
        f"value.backward({upstream})",
        f"result = {call.gradient}.grad",
    ]


def _vmap(call: Call) -> list[str]:
    """A function of an example; what examples share is mapped over no axis."""
    names, shared = call.names, "class_weights"
    batch = [f"{name} = {name}.unsqueeze(0)" for name in names if name != shared] if call.batch_of_one else []
    squeezed = ".squeeze(0)" if call.batch_of_one else ""
    body = [f"def compute({', '.join(names)}):", *_indented([*batch, f"return ({call.expression}){squeezed}"]), ""]
    axes = tuple(None if name == shared else 0 for name in names)
    if not call.gradient:
        return [*body, f"result = torch.func.vmap(compute, in_dims={axes})({', '.join(names)})"]
    given = UPSTREAM if UPSTREAM in call.shapes else "torch.ones_like(value)"
    more = [UPSTREAM] if UPSTREAM in call.shapes else []
    others = ", ".join("its" if name == call.gradient else name for name in names)
    return [
        *body,
        f"def slope({', '.join([*names, *more])}):",
        f"    value, pull_back = torch.func.vjp(lambda its: compute({others}), {call.gradient})",
        f"    return pull_back({given})[0]",
        "",
        f"result = torch.func.vmap(slope, in_dims={(*axes, *(0 for _ in more))})({', '.join([*names, *more])})",
    ]


def _tape(call: Call) -> list[str]:
    """A function with GradientTape inside."""
    if not call.gradient:
        return [f"return {call.expression}"]
    upstream = UPSTREAM if UPSTREAM in call.shapes else "None"
    return [
        "with tf.GradientTape() as tape:",
        f"    tape.watch({call.gradient})",
        f"    value = {call.expression}",
        f"return tape.gradient(value, {call.gradient}, output_gradients={upstream})",
    ]


def _function(decorator: str, body: Callable[[Call], list[str]]) -> Callable[[Call], list[str]]:
    """A function of all inputs, compiled as the decorator has it, and called."""

    def made(call: Call) -> list[str]:
        names = ", ".join(call.shapes)
        return [
            *filter(None, [decorator]),
            f"def compute({names}):",
            *_indented(body(call)),
            "",
            f"result = compute({names})",
        ]

    return made


def _session(call: Call) -> list[str]:
    """A graph of placeholders, and tf.gradients, as in 2017."""
    feeds = ", ".join(f"holders[{name!r}]: inputs[{name!r}]" for name in call.shapes)
    upstream = f"[{UPSTREAM}]" if UPSTREAM in call.shapes else "None"
    slope = [f"value = tf.gradients([value], [{call.gradient}], {upstream})[0]"] if call.gradient else []
    return [
        f"inputs = {{{', '.join(f'{name!r}: {name}.numpy()' for name in call.shapes)}}}",
        "holders = {}",
        "with tf.Graph().as_default(), tf.compat.v1.Session() as session:",
        *_indented(
            [
                *(f"{name} = holders[{name!r}] = {_placeholder(call, name)}" for name in call.shapes),
                f"value = {call.expression}",
                *slope,
                f"result = session.run(value, {{{feeds}}})",
            ]
        ),
    ]


def _placeholder(call: Call, name: str) -> str:
    return f"tf.compat.v1.placeholder(tf.{call.dtypes[name]}, {list(call.shapes[name])})"


def _vjp(call: Call) -> list[str]:
    """The value, or its vector-Jacobian product by jax.vjp."""
    if not call.gradient:
        return [f"return {call.expression}"]
    upstream = UPSTREAM if UPSTREAM in call.shapes else "jax.numpy.ones_like(value)"
    return [
        f"value, pull_back = jax.vjp(lambda {call.gradient}: {call.expression}, {call.gradient})",
        f"return pull_back({upstream}.astype(value.dtype))[0]",
    ]


def _indented(lines: Sequence[str]) -> Iterator[str]:
    return (f"    {line}".rstrip() for line in lines)


def _of_tensorflow(name: str, imports: Sequence[str], package: str, modes: Sequence[str]) -> dict[str, Dialect]:
    known = {
        "eager": _function("", _tape),
        "graph": _function("@tf.function(autograph=False)", _tape),
        "xla": _function("@tf.function(autograph=False, jit_compile=True)", _tape),
        "session": _session,
    }
    number = "numpy.asarray({}, 'float64')"  # tf.cast would flush subnormal numbers to zero
    return {name: Dialect(imports, package, _tensorflow_array, {mode: known[mode] for mode in modes}, number)}


def _of_jax(name: str, imports: Sequence[str], package: str) -> dict[str, Dialect]:
    wide = 'jax.config.update("jax_enable_x64", True)  # as float64 needs'
    decorators = {"eager": "", "jit": "@jax.jit", "vmap": "@jax.vmap"}
    modes = {mode: _function(decorator, _vjp) for mode, decorator in decorators.items()}
    return {name: Dialect(["import jax", wide, *imports], package, _jax_array, modes, "numpy.asarray({}, 'float64')")}


def _of_numpy(
    name: str,
    imports: Sequence[str],
    eager: Callable[[Call], list[str]] = _value,
    layouts: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Dialect]:
    return {name: Dialect(imports, name, _numpy_array, {"eager": eager}, "numpy.asarray({}, 'float64')", layouts)}


def _of_torch(
    name: str, imports: Sequence[str], package: str, modes: Mapping[str, Callable[[Call], list[str]]]
) -> dict[str, Dialect]:
    return {name: Dialect(imports, package, _torch_array, modes, "{}.detach().double()", IN_TORCH)}


def _keras(backend: str) -> list[str]:
    return ["import os", f'os.environ["KERAS_BACKEND"] = "{backend}"', "import keras"]


_TENSORFLOW = [
    "import numpy",
    "import tensorflow as tf",
    "tf.compat.v1.enable_eager_execution()  # in TensorFlow 1 too",
]
_ONNX = ["import ml_dtypes", "import numpy", "import onnx", "import onnx.reference"]

_TORCH_MODES = {
    "eager": _torch,
    "chunked": _torch,
    "vmap": _vmap,
    "autocast": _autocast,
    "compile": _compile,
}

DIALECTS: Mapping[str, Dialect] = {
    **_of_torch("torch", ["import torch"], "torch", _TORCH_MODES),
    **_of_torch("keras-torch", [*_keras("torch"), "import torch"], "keras", {"eager": _torch}),
    **_of_tensorflow("tensorflow", _TENSORFLOW, "tf", ("eager", "graph", "xla", "session")),
    **_of_tensorflow("keras-tensorflow", [*_keras("tensorflow"), *_TENSORFLOW], "keras", ("eager", "graph")),
    **_of_jax("jax", ["import numpy"], "jax"),
    **_of_jax("optax", ["import numpy", "import optax"], "optax"),
    **_of_jax("keras-jax", [*_keras("jax"), "import numpy"], "keras"),
    **_of_numpy("onnx", _ONNX, _first, IN_NUMPY),
    **_of_numpy("onnxruntime", [*_ONNX, "import onnxruntime"], _first),
    **_of_numpy("scipy", ["import numpy", "import scipy.special"], layouts=IN_NUMPY),
    **_of_numpy("sklearn", ["import numpy", "import sklearn.metrics"], layouts=IN_NUMPY),
}
"""By the framework's name. The reference is none: it is the harness's own."""
