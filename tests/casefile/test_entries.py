"""Entries and what they expand to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness import casefile
from harness.casefile import CaseFileError, CaseFileErrors, Entry, arrays, case_ids, expand, find
from harness.model.case import (
    Against,
    Case,
    Claim,
    Departure,
    Interval,
    Relation,
    Source,
    StatedTolerance,
    View,
    Within,
)

Load = Callable[[str], list[Entry]]

CASE = """\
document: "003"
cases:
- id: 003-a
  operation: sigmoid_cross_entropy
  implementations: "tf.nn.*"
  inputs: {logits: [1., -1.], labels: [0, .5], weights: 2}
  parameters: {reduction: sum, label_smoothing: 0}
  dtypes: [float32, bfloat16]
  expect:
    printed: 1.50
    claimed: value
    per:
      "*:torch.*":
      - {gives: 1, reason: off by one}
      - {fails: broken, output: "gradient:logits", reason: no gradient}
      "*@xla": {fails: inaccurate, reason: fused}
  source: {place: "example 1"}
  note: anything
"""

RELATION = """\
cases:
- id: r
  relation: differ
  within: tolerance
  dtypes: [float64]
  calls:
    first: {operation: sigmoid, inputs: {logits: [1, 2]}}
    second:
      operation: softmax
      inputs: {logits: [[1, 0], [2, 0]]}
      parameters: {axis: 1}
      implementations: "numpy.*"
      view: {axis: -1, index: 0}
    third: {operation: sigmoid, inputs: {logits: [[1, 0], [2, 0]]}, view: {sum: 1}}
  per: {"*": {fails: inaccurate, reason: why}}
"""

GENERATED = """\
cases:
- id: g
  operation: sparse_softmax_cross_entropy
  inputs:
    weights: {generate: uniform}
    labels: {generate: indices}
    logits: {generate: uniform, shape: [4, 3, 2]}
  parameters: {axis: 1}
  index_dtype: int32
  dtypes: [float32, float64]
  count: 2
"""


def test_a_case_in_every_part(load: Load) -> None:
    (entry,) = load(CASE)
    assert (entry.id, entry.kind, entry.operations) == ("t:003-a", "case", ("sigmoid_cross_entropy",))
    assert (entry.dtypes, entry.count, entry.generated) == (("float32", "bfloat16"), 1, False)
    case, narrow = expand(entry, 0)
    assert isinstance(case, Case)
    assert isinstance(narrow, Case)
    assert (case.id, narrow.id) == ("t:003-a/float32", "t:003-a/bfloat16")
    assert (case.group, case.implementations, case.dtype) == ("t:003-a", "tf.nn.*", "float32")
    assert case.source == Source("cases/t.yaml", 3, "003", "example 1")
    assert case.parameters == {"reduction": "sum", "label_smoothing": 0.0}
    assert isinstance(case.parameters["label_smoothing"], float)
    assert {n: (a.dtype.name, a.tolist()) for n, a in case.inputs.items()} == {
        "logits": ("float32", [1.0, -1.0]),
        "labels": ("float32", [0.0, 0.5]),
        "weights": ("float32", 2.0),
    }
    assert narrow.inputs["logits"].dtype.name == "bfloat16"
    assert case.expect.claimed == "value"
    assert case.expect.printed is not None
    assert [i.text for i in case.expect.printed.intervals] == ["1.50"]
    assert isinstance(case.expect.printed.intervals[0], Interval)


def test_what_is_stated_of_single_subjects(load: Load) -> None:
    case = next(expand(load(CASE)[0], 0))
    assert isinstance(case, Case)
    gives, fails, fused = case.expect.per
    assert (gives.subjects, gives.output, gives.departs, gives.reason) == (
        "*:torch.*",
        "*",
        Departure.VALUE,
        "off by one",
    )
    assert gives.value is not None
    assert gives.value.shape == ()
    assert gives.source.line == 14
    assert (fails.output, fails.departs, fails.value) == ("gradient:logits", Departure.BROKEN, None)
    assert fails.source.line == 15
    assert (fused.subjects, fused.departs, fused.source.line) == ("*@xla", Departure.INACCURATE, 16)
    assert fused.source.document == "003"


def test_what_a_subject_gives_is_spread_over_the_output(load: Load) -> None:
    (entry,) = load(
        "cases:\n- id: a\n  operation: sigmoid\n  inputs: {logits: [[1, 2], [3, 4]]}\n"
        "  expect: {per: {'*': {gives: .nan, reason: x}}}\n"
    )
    case = next(expand(entry, 0))
    assert isinstance(case, Case)
    value = case.expect.per[0].value
    assert value is not None
    assert value.shape == (2, 2)
    assert np.isnan(value).all()


def test_undefined_outcomes(load: Load) -> None:
    (entry,) = load(
        "cases:\n- id: a\n  operation: sigmoid_cross_entropy\n  inputs: {logits: [1, 2], labels: [1]}\n"
        "  expect: {undefined: [error, nan], per: {'*@xla': {undefined: nan}}}\n"
    )
    case = next(expand(entry, 0))
    assert isinstance(case, Case)
    assert case.expect.undefined == {"error", "nan"}
    assert case.expect.per[0].undefined == {"nan"}
    assert case.expect.per[0].departs is None


def test_a_relation_in_every_part(load: Load) -> None:
    (entry,) = load(RELATION)
    assert (entry.kind, entry.operations) == ("relation", ("sigmoid", "softmax"))
    (relation,) = expand(entry, 0)
    assert isinstance(relation, Relation)
    assert (relation.id, relation.kind, relation.group) == ("t:r/float64", "differ", "t:r")
    assert relation.within is Within.TOLERANCE
    assert [call.id for call in relation.calls.values()] == [f"t:r/float64/{n}" for n in ("first", "second", "third")]
    assert relation.calls["second"].implementations == "numpy.*"
    assert relation.calls["second"].parameters == {"axis": 1}
    assert relation.views == {"first": View(), "second": View(-1, 0), "third": View(1)}
    assert relation.per[0].departs is Departure.INACCURATE


def test_a_relation_of_slopes_and_modes(load: Load) -> None:
    call = "{operation: sigmoid, inputs: {logits: [1, 0]}, view: {output: 'gradient:logits', sum: 0}}"
    (entry,) = load(f"cases:\n- id: r\n  relation: equal\n  against: another_mode\n  calls: {{a: {call}, b: {call}}}\n")
    (relation,) = expand(entry, 0)
    assert isinstance(relation, Relation)
    assert relation.against is Against.ANOTHER_MODE
    assert relation.views["a"] == View(0, output="gradient:logits")


def test_claims(load: Load) -> None:
    parses, names = load("cases:\n- id: a\n  claim: {parses: '(x'}\n- id: b\n  claim: {defines: [s2], uses: [s]}\n")
    assert list(expand(parses, 0)) == [Claim("t:a", Source("cases/t.yaml", 2), "t:a", "(x")]
    assert list(expand(names, 0)) == [Claim("t:b", Source("cases/t.yaml", 4), "t:b", None, ("s2",), ("s",))]
    assert case_ids(parses) == ["t:a"]


def test_a_generated_entry(load: Load) -> None:
    (entry,) = load(GENERATED)
    assert entry.generated
    expected = ["t:g/float32/0", "t:g/float32/1", "t:g/float64/0", "t:g/float64/1"]
    assert case_ids(entry) == expected
    cases = [case for case in expand(entry, 0) if isinstance(case, Case)]
    assert [case.id for case in cases] == expected
    for case in cases:
        assert case.inputs["labels"].shape == (4, 2)
        assert case.inputs["labels"].dtype == np.int32
        assert case.inputs["weights"].shape == (4, 2)
        assert list(case.inputs) == ["logits", "labels", "weights"]
    first, second = cases[:2]
    assert not np.array_equal(first.inputs["logits"], second.inputs["logits"])


def test_generated_entries_depend_on_the_seed_alone(load: Load) -> None:
    (entry,) = load(GENERATED)

    def logits(seed: int) -> list[bytes]:
        return [case.inputs["logits"].tobytes() for case in expand(entry, seed) if isinstance(case, Case)]

    assert logits(5) == logits(5)
    assert logits(5) != logits(6)


def test_calls_of_a_relation_share_what_they_generate(load: Load) -> None:
    (entry,) = load(
        "cases:\n- id: a\n  relation: equal\n  calls:\n"
        "    dense:\n      operation: softmax_cross_entropy\n"
        "      inputs: {logits: {generate: uniform, shape: [5, 4]}, labels: {generate: one_hot}}\n"
        "    sparse:\n      operation: sparse_softmax_cross_entropy\n"
        "      inputs: {logits: {generate: uniform, shape: [5, 4]}, labels: {generate: indices}}\n"
    )
    relation = next(expand(entry, 3))
    assert isinstance(relation, Relation)
    dense, sparse = relation.calls.values()
    assert np.array_equal(dense.inputs["logits"], sparse.inputs["logits"])
    assert np.array_equal(dense.inputs["labels"].argmax(axis=-1), sparse.inputs["labels"])


def test_numbers_keep_signs_and_hexadecimal_digits(load: Load) -> None:
    (entry,) = load(
        "cases:\n- id: a\n  operation: sigmoid\n"
        "  inputs: {logits: [-0, -0.0, 0, '0x1.8p-149', -0x1p-3, 0x10, .inf, -.inf, .nan]}\n"
    )
    case = next(expand(entry, 0))
    assert isinstance(case, Case)
    logits = case.inputs["logits"]
    assert np.signbit(logits).tolist()[:3] == [True, True, False]
    assert logits[3:6].tolist() == [2.0**-148, -0.125, 16.0]
    assert logits[6:8].tolist() == [np.inf, -np.inf]
    assert np.isnan(logits[8])


def test_scalars_and_empty_lists_are_arrays(load: Load) -> None:
    entries = load(
        "cases:\n- {id: a, operation: sigmoid, inputs: {logits: 3}}\n"
        "- {id: b, operation: sigmoid, inputs: {logits: [[], []]}}\n"
    )
    shapes = [case.inputs["logits"].shape for e in entries for case in expand(e, 0) if isinstance(case, Case)]
    assert shapes == [(), (2, 0)]


def write(path: Path, name: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"cases:\n- id: {name}\n  claim: {{parses: a}}\n")
    return path


def test_ids_begin_with_the_path_below_cases_or_the_stem(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "cases/documents/003.yaml"),
        write(tmp_path / "cases/top.v2.yml"),
        write(tmp_path / "elsewhere/odd [name].yaml"),
    ]
    ids = [entry.id for entry in casefile.load(files, tmp_path / "cases")]
    assert ids == ["documents/003:x", "top.v2:x", "odd__name_:x"]


def test_an_id_that_two_files_share_is_a_problem(tmp_path: Path) -> None:
    files = [write(tmp_path / "a/f.yaml"), write(tmp_path / "b/f.yaml")]
    with pytest.raises(CaseFileErrors, match=r"^b/f\.yaml:2:1  \$  id 'f:x' again; it is at a/f\.yaml:2 already$"):
        casefile.load(files, tmp_path / "cases")


def test_files_are_found_below_folders_in_order_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cases/b/2.yaml", "cases/b/1.yml", "cases/a/3.yaml", "cases/a/readme.md", "cases/deviations.yaml"):
        write(tmp_path / name)
    found = find(["cases/b/2.yaml", "cases", tmp_path / "cases" / "a"], tmp_path / "cases")
    assert [f.as_posix() for f in found] == ["cases/b/2.yaml", "cases/a/3.yaml", "cases/b/1.yml"]


def test_what_is_not_here_is_looked_for_beside_cases(tmp_path: Path) -> None:
    file = write(tmp_path / "cases" / "only-there.yaml")
    assert find(["cases/only-there.yaml"], tmp_path / "cases") == [file]


def test_a_file_that_is_named_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    assert find([write(tmp_path / "x.txt")], tmp_path / "cases") == [tmp_path / "x.txt"]


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match=r"^nowhere: no such file or folder$"):
        find(["nowhere"], tmp_path / "cases")


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(CaseFileErrors, match="can't be read: Is a directory"):
        casefile.load([tmp_path], tmp_path / "cases")


def test_expansions_come_in_parts_of_a_size_and_in_order(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
cases:
- id: a
  operation: sigmoid
  count: 8
  inputs: {logits: {generate: uniform, shape: [4]}}
"""

    def made() -> list[bytes]:
        (entry,) = load(text)
        return [unit.inputs["logits"].tobytes() for unit in casefile.expand(entry, 0) if isinstance(unit, Case)]

    whole = made()
    assert len(set(whole)) == 8
    monkeypatch.setattr(arrays, "TOGETHER_BYTES", 3 * 16)
    assert made() == whole


def test_a_tolerance_stands_instead_of_the_bounds(load: Load) -> None:
    (entry,) = load(
        "cases:\n- id: a\n  operation: sigmoid\n  inputs: {logits: 1}\n"
        "  expect: {tolerance: {rtol: 1e-4, reason: a table of 4 digits}}\n"
    )
    (case,) = casefile.expand(entry, 0)
    assert isinstance(case, Case)
    assert case.expect.tolerance == StatedTolerance(1e-4, 0.0, "a table of 4 digits")


MEAN = """{operation: sigmoid_cross_entropy, parameters: {reduction: mean},
    inputs: {logits: %s, labels: {generate: hard}, upstream: {generate: uniform}}}"""


@pytest.mark.parametrize(
    ("operation", "shape"),
    [
        ("{operation: softmax, inputs: {logits: %s, upstream: {generate: uniform}}}", (2, 3)),
        ("{operation: logsumexp, inputs: {logits: %s, upstream: {generate: uniform}}}", (2,)),
        (MEAN, ()),
    ],
)
def test_a_generated_upstream_has_the_shape_of_the_value(load: Load, operation: str, shape: tuple[int, ...]) -> None:
    (entry,) = load("cases:\n- " + operation.replace("{op", "{id: a, op", 1) % "[[1, 2, 3], [4, 5, 6]]")
    (case,) = casefile.expand(entry, 0)
    assert isinstance(case, Case)
    assert case.inputs["upstream"].shape == shape


def test_a_misused_call_is_a_case_for_each_kind(load: Load) -> None:
    (entry,) = load(
        "cases:\n- {id: m, operation: softmax, inputs: {logits: [[1, 2]]}, "
        "dtypes: [float32, float64], misuse: [axis-outside, logits-nan]}\n"
    )
    units = list(expand(entry, 0))
    assert (
        [unit.id for unit in units]
        == case_ids(entry)
        == [
            "t:m/float32/axis-outside",
            "t:m/float32/logits-nan",
            "t:m/float64/axis-outside",
            "t:m/float64/logits-nan",
        ]
    )
    first, second = units[:2]
    assert isinstance(first, Case)
    assert isinstance(second, Case)
    assert (first.misuse, dict(first.parameters), set(first.expect.undefined)) == (
        "axis-outside",
        {"axis": 2},
        {"error"},
    )
    assert (second.misuse, second.expect.undefined) == ("logits-nan", frozenset())
    assert np.isnan(second.inputs["logits"][0, 1])


def test_all_kinds_are_those_of_the_operation(load: Load) -> None:
    (entry,) = load("cases:\n- {id: m, operation: sigmoid, inputs: {logits: [1, 2]}, misuse: all}\n")
    assert case_ids(entry) == ["t:m/float32/logits-integer", "t:m/float32/logits-nan"]
