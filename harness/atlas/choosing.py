"""Document 002's question, which of a dozen functions to choose, answered from definitions and from what was run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.atlas.differences import differences
from harness.atlas.functions import Function
from harness.model.case import Relation
from harness.model.verdict import Kind, Verdict
from harness.operations.base import Operation


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a question of the document.

    Attributes:
        lines: the answer.
        evidence: cases or relations that were run, with how often they passed.
    """

    question: str
    lines: Sequence[str]
    evidence: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a run showed of the relations between operations."""

    relations: Mapping[str, Relation]
    verdicts: Sequence[Verdict]

    def between(self, first: frozenset[str], second: frozenset[str]) -> list[str]:
        """The relations between an operation of the first and one of the second, with their verdicts."""
        found: dict[str, list[bool]] = {}
        for verdict in self.verdicts:
            relation = self.relations.get(verdict.case)
            if relation is not None and verdict.verdict in {Kind.PASS, Kind.FAIL, Kind.DEVIATION}:
                names = {call.operation for call in relation.calls.values()}
                if names & first and names & second and len(names) > 1:
                    found.setdefault(verdict.case, []).append(verdict.verdict is Kind.PASS)
        return [f"{case}: holds in {sum(held)} of {len(held)} verdicts" for case, held in found.items()]


def is_loss(operation: Operation) -> bool:
    """Whether it compares with labels."""
    return any(given.name == "labels" for given in operation.inputs)


def has_classes(operation: Operation) -> bool:
    """Whether its probabilities share a class axis: then classes exclude each other."""
    return any(parameter.name == "axis" for parameter in operation.parameters)


def takes_indices(operation: Operation) -> bool:
    """Whether its labels are class indices."""
    return any(given.kind == "index" for given in operation.inputs)


def answers(functions: Sequence[Function], shown: Shown) -> Iterator[Answer]:
    """The questions of document 002, in its order."""
    losses = [f for f in functions if is_loss(f.operation)]
    binary = [f for f in losses if not has_classes(f.operation)]
    many = [f for f in losses if has_classes(f.operation)]
    sparse, dense = [f for f in many if takes_indices(f.operation)], [f for f in many if not takes_indices(f.operation)]
    yield Answer("Which work for yes or no, or for several classes that don't exclude each other?", _listed(binary), ())
    yield Answer("Which work for one of many classes?", _listed(many), ())
    yield Answer(
        "Sigmoid against softmax: what is the difference?",
        [_defined(operation) for operation in _distinct([*binary, *many])],
        shown.between(_operations(binary), _operations(many)),
    )
    yield Answer(
        "What does sparse change?",
        [_labels(operation) for operation in _distinct([*dense, *sparse])],
        shown.between(_operations(sparse), _operations(dense)),
    )
    yield Answer("Why does tf.contrib.losses differ from tf.losses?", list(_contrib(functions)), ())


def _operations(functions: Sequence[Function]) -> frozenset[str]:
    return frozenset(function.row.operation for function in functions)


def _distinct(functions: Sequence[Function]) -> list[Operation]:
    return list({function.row.operation: function.operation for function in functions}.values())


def _defined(operation: Operation) -> str:
    """What it computes, and of what."""
    of = "each row along the class axis" if has_classes(operation) else "each element by itself"
    return f"{operation.name}, of {of}: {operation.formula}"


def _labels(operation: Operation) -> str:
    labels = "class indices, one a row" if takes_indices(operation) else "a number for each class"
    return f"{operation.name}: labels are {labels}"


def _listed(functions: Sequence[Function]) -> list[str]:
    """By operation: `sigmoid_cross_entropy: tf.nn..., torch...`."""
    names = dict.fromkeys(function.row.operation for function in functions)
    return [f"{name}: {', '.join(f.path for f in functions if f.row.operation == name)}" for name in names]


def _contrib(functions: Sequence[Function]) -> Iterator[str]:
    """What each function of tf.contrib.losses has otherwise than its namesake of tf.losses."""
    names = {function.path: function for function in functions}
    for path, old in names.items():
        new = names.get(path.replace("tf.contrib.", "tf.compat.v1."))
        if new is None or new is old:
            continue
        if not (old.text and new.text):
            yield f"{path}: no environment of the run has it: `harness run --env tf1.15 --env current` asks both"
        else:
            yield f"{path} to {new.path}: {'; '.join(differences(old, new)) or 'nothing'}"
