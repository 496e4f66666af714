"""Every kind of mistake in an entry, at its exact position and in its exact words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import casefile
from harness.casefile import CaseFileError, CaseFileErrors

Problems = Callable[[str | bytes], list[str]]

DEFINED = "the input is defined here, sigmoid_cross_entropy has a value: nothing is undefined"
SAY_SO = " (say expect: {undefined: error} if that is the point)"


def entry(*lines: str) -> str:
    """A file with one entry; its first line is line 2."""
    return "cases:\n- id: a\n" + "".join(f"  {line}\n" for line in lines)


def sigmoid(logits: str, *lines: str) -> str:
    return entry("operation: sigmoid", f"inputs: {{logits: {logits}}}", *lines)


def loss(*lines: str, labels: str = "[0, 1]") -> str:
    return entry("operation: sigmoid_cross_entropy", f"inputs: {{logits: [1, 2], labels: {labels}}}", *lines)


def sparse(labels: str, *lines: str) -> str:
    inputs = f"inputs: {{logits: [[1, 2], [3, 4]], labels: {labels}}}"
    return entry("operation: sparse_softmax_cross_entropy", inputs, *lines)


FILE = [
    ("[]", "1:1  $  a mapping is needed, not a list"),
    ("text", "1:1  $  a mapping is needed, not the text 'text'"),
    ("document: a", "1:1  $  key 'cases' is missing"),
    ("cases: 3", "1:8  $.cases  a list is needed, not the number 3"),
    ("cases:", "1:7  $.cases  a list is needed, not nothing"),
    ("cases: []", "1:8  $.cases  at least 1 are needed, there are 0"),
    ("document: 003\ncases: []", "1:11  $.document  text is needed, not the number 003: put it in quotes"),
    ("case: []\ncases: []", "1:1  $.case  unknown key 'case', did you mean 'cases'?"),
    ("cases:\n- 3", "2:3  $.cases[0]  a mapping is needed, not the number 3"),
    ("cases:\n- claim: {parses: a}", "2:3  $.cases[0]  key 'id' is missing"),
    ("cases:\n- id: 3\n  claim: {parses: a}", "2:7  $.cases[0].id  text is needed, not the number 3: put it in quotes"),
    (
        "cases:\n- id: a b\n  claim: {parses: a}",
        "2:7  $.cases[0].id  'a b' is no id: letters, digits, '_', '.' and '-', beginning with a letter or digit",
    ),
    (
        "cases:\n- id: b\n  claim: {parses: a}\n- id: b\n  claim: {parses: a}",
        "4:7  $.cases[1].id  id 'b' again; it is on line 2 already",
    ),
]

STRUCTURE = [
    (sigmoid("1", "paramters: {}"), "5:3  $.cases[0].paramters  unknown key 'paramters', did you mean 'parameters'?"),
    (sigmoid("1", "<<: {note: x}"), "5:3  $.cases[0]['<<']  unknown key '<<'; there is "),
    (entry("operation: sigmoid"), "2:3  $.cases[0]  key 'inputs' is missing"),
    (entry("inputs: {logits: 1}"), "2:3  $.cases[0]  key 'operation' is missing"),
    (
        entry("operation: sigmiod", "inputs: {}"),
        "3:14  $.cases[0].operation  unknown operation 'sigmiod', did you mean 'sigmoid'?",
    ),
    (sigmoid("1", "dtypes: float32"), "5:11  $.cases[0].dtypes  a list is needed, not the text 'float32'"),
    (sigmoid("1", "dtypes: [flaot32]"), "5:12  $.cases[0].dtypes[0]  unknown dtype 'flaot32', did you mean 'float32'?"),
    (
        sigmoid("1", "dtypes: [int8]"),
        "5:12  $.cases[0].dtypes[0]  unknown dtype 'int8'; there is float16, bfloat16, float32, float64",
    ),
    (sigmoid("1", "dtypes: []"), "5:11  $.cases[0].dtypes  at least 1 are needed, there are 0"),
    (sigmoid("1", "dtypes: [float32, float32]"), "5:11  $.cases[0].dtypes  a dtype is listed twice"),
    (
        sigmoid("1", "index_dtype: int23"),
        "5:16  $.cases[0].index_dtype  unknown index dtype 'int23', did you mean 'int32'?",
    ),
    (sigmoid("1", "count: 0"), "5:10  $.cases[0].count  should be greater than or equal to 1"),
    (sigmoid("1", "count: many"), "5:10  $.cases[0].count  a whole number is needed, not the text 'many'"),
    (sigmoid("1", "count: 2"), "5:10  $.cases[0].count  count 2, but nothing is drawn: all would be the same case"),
    (sigmoid("1", "note: 3"), "5:9  $.cases[0].note  text is needed, not the number 3: put it in quotes"),
    (sigmoid("1", "source: here"), "5:11  $.cases[0].source  a mapping is needed, not the text 'here'"),
    (sigmoid("1", "source: {plce: a}"), "5:12  $.cases[0].source.plce  unknown key 'plce', did you mean 'place'?"),
    (sigmoid("1", "parameters: [1]"), "5:15  $.cases[0].parameters  a mapping is needed, not a list"),
]

PARAMETERS = [
    (
        loss("parameters: {redction: sum}"),
        "5:16  $.cases[0].parameters.redction  unknown parameter 'redction', did you mean 'reduction'?",
    ),
    (
        loss("parameters: {reduction: [sum]}"),
        "5:27  $.cases[0].parameters.reduction  a number, text, true or false is needed, not a list",
    ),
    (
        loss("parameters: {reduction: menn}"),
        "5:27  $.cases[0].parameters.reduction  unknown reduction 'menn', did you mean 'mean'?" + SAY_SO,
    ),
    (
        loss("parameters: {label_smoothing: 2}"),
        "5:33  $.cases[0].parameters.label_smoothing  label_smoothing is 2.0, outside [0, 1]" + SAY_SO,
    ),
    (
        sparse("[0, 1]", "parameters: {axis: 1.5}"),
        "5:22  $.cases[0].parameters.axis  axis is 1.5, not a number of its kind" + SAY_SO,
    ),
    (
        sparse("[0, 1]", "parameters: {axis: 2}"),
        "5:22  $.cases[0].parameters.axis  logits have shape [2, 2]: no axis 2" + SAY_SO,
    ),
]

INPUTS = [
    (
        entry("operation: sigmoid", "inputs: {logit: 1}"),
        "4:12  $.cases[0].inputs.logit  unknown input 'logit', did you mean 'logits'?",
    ),
    (entry("operation: sigmoid", "inputs: {}"), "4:11  $.cases[0].inputs  sigmoid needs logits"),
    (entry("operation: sigmoid", "inputs: [1]"), "4:11  $.cases[0].inputs  a mapping is needed, not a list"),
    (sigmoid("[1, true]"), "4:24  $.cases[0].inputs.logits[1]  a number is needed, not true"),
    (sigmoid("[1, null]"), "4:24  $.cases[0].inputs.logits[1]  a number is needed, not nothing"),
    (sigmoid("one"), "4:20  $.cases[0].inputs.logits  a number is needed, not the text 'one'"),
    (sigmoid("[nan]"), "4:21  $.cases[0].inputs.logits[0]  'nan' is text in YAML: write .nan"),
    (sigmoid("[-Inf]"), "4:21  $.cases[0].inputs.logits[0]  '-Inf' is text in YAML: write -.inf"),
    (sigmoid("[[1, 2], [3]]"), "4:29  $.cases[0].inputs.logits[1]  a ragged list: this row has length 1, the first 2"),
    (
        sigmoid("[[1, 2], 3]"),
        "4:29  $.cases[0].inputs.logits[1]  a row of 2 is needed, as the first is, not the number 3",
    ),
    (sigmoid("[1, [2]]"), "4:24  $.cases[0].inputs.logits[1]  a number is needed, not a list"),
    (
        sigmoid("[1e39]"),
        "4:21  $.cases[0].inputs.logits[0]  1e39 is more than float32 holds: its largest number is 3.40282347e+38",
    ),
    (
        sigmoid("[-1e39]"),
        "4:21  $.cases[0].inputs.logits[0]  -1e39 is more than float32 holds: its largest number is 3.40282347e+38",
    ),
    (
        sigmoid("[1e-50]"),
        "4:21  $.cases[0].inputs.logits[0]  1e-50 would be 0 in float32: its smallest number is 1.40129846e-45",
    ),
    (
        sigmoid("[65520]", "dtypes: [float16]"),
        "4:21  $.cases[0].inputs.logits[0]  65520 is more than float16 holds: its largest number is 65504",
    ),
    (sigmoid("[1e400]"), "4:21  $.cases[0].inputs.logits[0]  1e400 is more than float64 holds"),
    (sigmoid("[1e-400]"), "4:21  $.cases[0].inputs.logits[0]  1e-400 would be 0 in float64"),
    (sigmoid('["0x1p2000"]'), "4:21  $.cases[0].inputs.logits[0]  0x1p2000 is more than float64 holds"),
    (sigmoid('["0x1p-2000"]'), "4:21  $.cases[0].inputs.logits[0]  0x1p-2000 would be 0 in float64"),
    (sparse("[0, 1.]"), "4:50  $.cases[0].inputs.labels[1]  class indices are whole numbers, not the number 1."),
    (sparse("[0, true]"), "4:50  $.cases[0].inputs.labels[1]  class indices are whole numbers, not true"),
    (
        sparse("[0, 300]", "index_dtype: int8"),
        "4:50  $.cases[0].inputs.labels[1]  300 is outside int8, which holds -128 to 127",
    ),
    (sparse("[0, 2]"), "4:50  $.cases[0].inputs.labels[1]  label 2 is no class of 0..1" + SAY_SO),
    (sparse("[-1, 0]"), "4:47  $.cases[0].inputs.labels[0]  label -1 is no class of 0..1" + SAY_SO),
    (sparse("0"), "4:46  $.cases[0].inputs.labels  labels have shape []: one index a row is [2]" + SAY_SO),
    (
        loss(labels="[1]"),
        "4:36  $.cases[0].inputs.labels  labels have shape [1], logits [2]: they must be equal" + SAY_SO,
    ),
    (
        entry("operation: sigmoid_cross_entropy", "inputs: {logits: [1, 2], labels: [0, 1], weights: [1, 2, 3]}"),
        "4:53  $.cases[0].inputs.weights  weights have shape [3], which does not broadcast to the losses' [2]" + SAY_SO,
    ),
    (
        entry("operation: sigmoid_cross_entropy", "inputs: {logits: [1, 2], labels: [0, 1], upstream: [1]}"),
        "4:54  $.cases[0].inputs.upstream  upstream: shape [1], but the value has [2]",
    ),
    (
        entry("operation: binary_cross_entropy", "inputs: {probabilities: [1.5], labels: [0]}"),
        "4:27  $.cases[0].inputs.probabilities  probabilities outside [0, 1]: log of a negative number" + SAY_SO,
    ),
]

GENERATED = [
    (
        sigmoid("{generate: gird}"),
        "4:31  $.cases[0].inputs.logits.generate  unknown generator 'gird', did you mean 'grid'?",
    ),
    (sigmoid("{generate: [grid]}"), "4:31  $.cases[0].inputs.logits.generate  a generator's name is text, not a list"),
    (sigmoid("{from: 1}"), "4:20  $.cases[0].inputs.logits  a mapping here is a generator: key 'generate' is missing"),
    (
        sigmoid("{generate: grid, from: 0, too: 1}"),
        "4:46  $.cases[0].inputs.logits.too  unknown key 'too', did you mean 'to'?",
    ),
    (
        sigmoid("{generate: grid, from: a, to: 1}"),
        "4:43  $.cases[0].inputs.logits.from  a number is needed, not the text 'a'",
    ),
    (sigmoid("{generate: grid, from: .nan, to: 1}"), "4:43  $.cases[0].inputs.logits.from  should be a finite number"),
    (
        sigmoid("{generate: grid, from: 0, to: 1}"),
        "4:20  $.cases[0].inputs.logits  a shape is needed: there is no other input to take it from",
    ),
    (
        sigmoid("{generate: grid, from: 0, to: 1e39, shape: [2]}"),
        "4:50  $.cases[0].inputs.logits.to  1e+39 is more than float32 holds",
    ),
    (
        sigmoid("{generate: uniform, low: 2, shape: [2]}"),
        "4:20  $.cases[0].inputs.logits  low is to be below high, and their difference a number of float64",
    ),
    (
        sigmoid("{generate: uniform, shape: [-1]}"),
        "4:48  $.cases[0].inputs.logits.shape[0]  should be greater than or equal to 0",
    ),
    (
        sigmoid("{generate: uniform, shape: [5000, 5000]}"),
        "4:20  $.cases[0].inputs.logits  a shape of more than 16,777,216 elements",
    ),
    (
        sigmoid("{generate: boundaries, repeat: 1000000000}"),
        "4:20  $.cases[0].inputs.logits  63 x 1,000,000,000 numbers are more than 16,777,216: repeat is to be smaller",
    ),
    (
        sigmoid("{generate: every, only: all, repeat: 200, beside: [1]}", "dtypes: [float16]"),
        "4:20  $.cases[0].inputs.logits  65,536 x 200 x 2 numbers are more than 16,777,216: repeat is to be smaller",
    ),
    (
        sigmoid("{generate: boundaries, only: finit}"),
        "4:49  $.cases[0].inputs.logits.only  unknown choice 'finit', did you mean 'finite'?",
    ),
    (sigmoid("{generate: boundaries, low: 2, high: 1}"), "4:20  $.cases[0].inputs.logits  low 2 is above high 1"),
    (
        sigmoid("{generate: boundaries, low: 20, high: 30}"),
        "4:20  $.cases[0].inputs.logits  no boundary lies between 20 and 30",
    ),
    (
        sigmoid("{generate: random_bits, low: -1, shape: [2]}"),
        "4:20  $.cases[0].inputs.logits  low and high are magnitudes: they can't be negative",
    ),
    (
        sigmoid("{generate: one_hot, shape: []}"),
        "4:20  $.cases[0].inputs.logits  a class axis with at least one class is needed",
    ),
    (
        sigmoid("{generate: indices, shape: [2]}"),
        "4:20  $.cases[0].inputs.logits  logits are no class indices: generate one_hot gives rows for them",
    ),
    (
        sigmoid("{generate: cycle, values: [], shape: [2]}"),
        "4:46  $.cases[0].inputs.logits.values  at least 1 are needed, there are 0",
    ),
    (
        sparse("{generate: uniform}"),
        "4:46  $.cases[0].inputs.labels  labels are class indices: generate indices, cycle, hard",
    ),
    (sparse("{generate: cycle, values: [0.5]}"), "4:72  $.cases[0].inputs.labels.values  0.5 is no number of int64"),
    (sparse("{generate: indices, classes: 9}"), "4:46  $.cases[0].inputs.labels  label "),
]

EXPECTATIONS = [
    (
        loss("expect: {undefned: error}"),
        "5:12  $.cases[0].expect.undefned  unknown key 'undefned', did you mean 'undefined'?",
    ),
    (loss("expect: error"), "5:11  $.cases[0].expect  a mapping is needed, not the text 'error'"),
    (
        loss("expect: {undefined: eror}"),
        "5:23  $.cases[0].expect.undefined  unknown choice 'eror', did you mean 'error'?",
    ),
    (
        loss("expect: {undefined: [error, nn]}"),
        "5:31  $.cases[0].expect.undefined[1]  unknown choice 'nn', did you mean 'nan'?",
    ),
    (
        loss("expect: {undefined: error}"),
        "5:12  $.cases[0].expect.undefined  " + DEFINED,
    ),
    (
        loss("expect: {per: {'*': {undefined: nan}}}"),
        "5:18  $.cases[0].expect.per['*']  " + DEFINED,
    ),
    (loss("expect: {truth: false}"), "5:19  $.cases[0].expect.truth  true is needed, not false"),
    (
        loss("expect: {agree: true, printed: [1, 2]}"),
        "5:11  $.cases[0].expect  with agree there is no truth: it goes with claimed and per only",
    ),
    (
        loss("expect: {truth: true, undefined: nan}"),
        "5:11  $.cases[0].expect  truth and undefined: where the input is undefined there is no truth",
    ),
    (
        loss("expect: {agree: true, tolerance: {rtol: 1, reason: x}}"),
        "5:11  $.cases[0].expect  a tolerance is of the truth: it goes with neither agree nor undefined",
    ),
    (loss("expect: {tolerance: {rtol: 1}}"), "5:23  $.cases[0].expect.tolerance  key 'reason' is missing"),
    (
        loss("expect: {tolerance: {rtol: -1, reason: x}}"),
        "5:30  $.cases[0].expect.tolerance.rtol  should be greater than or equal to 0",
    ),
    (loss("expect: {claimed: eror}"), "5:21  $.cases[0].expect.claimed  unknown choice 'eror', did you mean 'error'?"),
    (
        loss("expect: {printed: [1, two]}"),
        "5:25  $.cases[0].expect.printed[1]  a printed number is needed, not the text 'two'",
    ),
    (
        loss("expect: {printed: [1, 0x2]}"),
        "5:25  $.cases[0].expect.printed[1]  a printed number is needed, not the number 0x2",
    ),
    (
        loss("expect: {printed: [1]}"),
        "5:21  $.cases[0].expect.printed  printed numbers: shape [1], but the value has [2]",
    ),
    (
        loss("expect: {per: {'*': {}}}"),
        "5:23  $.cases[0].expect.per['*']  exactly one of fails, gives and undefined is needed",
    ),
    (loss("expect: {per: {'*': []}}"), "5:23  $.cases[0].expect.per['*']  at least 1 are needed, there are 0"),
    (
        loss("expect: {per: {'*': {fails: broken}}}"),
        "5:23  $.cases[0].expect.per['*']  a departure needs a reason: one sentence that says why",
    ),
    (
        loss("expect: {per: {'*': {fails: broke, reason: a}}}"),
        "5:31  $.cases[0].expect.per['*'].fails  unknown choice 'broke', did you mean 'broken'?",
    ),
    (
        loss("expect: {per: {'*': {failz: broken, reason: a}}}"),
        "5:24  $.cases[0].expect.per['*'].failz  unknown key 'failz', did you mean 'fails'?",
    ),
    (
        loss("expect: {per: {'*': {gives: [1, 2, 3], reason: a}}}"),
        "5:18  $.cases[0].expect.per['*']  gives: shape [3], but the value has [2]",
    ),
    (
        loss("expect: {per: {'*': [{gives: nan, reason: a}]}}"),
        "5:32  $.cases[0].expect.per['*'][0].gives  'nan' is text in YAML: write .nan",
    ),
    (
        loss("expect: {per: {'*': {fails: broken, reason: a, versions: '3'}}}"),
        "5:60  $.cases[0].expect.per['*'].versions  '3' is no version specifier: write >=2.0,<3, or keras>=3,<3.15",
    ),
    (
        loss("expect: {per: {'*': {fails: broken, reason: a, output: valu}}}"),
        "5:58  $.cases[0].expect.per['*'].output  'valu' is no output: value, gradient:INPUT, relation or *",
    ),
]

CALLS = (
    "calls: {a: {operation: sigmoid, inputs: {logits: [1, 2]}}, b: {operation: sigmoid, inputs: {logits: [1, 2]}%s}}"
)

RELATIONS = [
    (entry("relation: equl", CALLS % ""), "3:13  $.cases[0].relation  unknown choice 'equl', did you mean 'equal'?"),
    (
        entry("relation: equal", "within: bits", CALLS % ""),
        "4:11  $.cases[0].within  unknown choice 'bits', did you mean 'bitwise'?",
    ),
    (
        entry("relation: equal", "within: bitwise", CALLS % ", view: {sum: 0}"),
        "5:118  $.cases[0].calls.b.view  nobody gave the bits of a sum: within bitwise needs an index, or no view",
    ),
    (entry("relation: equal", "calls: {}"), "4:10  $.cases[0].calls  at least 2 are needed, there are 0"),
    (entry("relation: equal"), "2:3  $.cases[0]  key 'calls' is missing"),
    (
        entry("relation: equal", CALLS % ", vew: {sum: 1}"),
        "4:112  $.cases[0].calls.b.vew  unknown key 'vew', did you mean 'view'?",
    ),
    (
        entry("relation: equal", CALLS % ", view: {sum: 1}"),
        "4:118  $.cases[0].calls.b.view  no axis 1: the value has shape [2]",
    ),
    (
        entry("relation: equal", CALLS % ", view: {axis: 0, index: 2}"),
        "4:118  $.cases[0].calls.b.view  no index 2 on axis 0: the shape is [2]",
    ),
    (
        entry("relation: equal", CALLS % ", view: {axis: 0}"),
        "4:118  $.cases[0].calls.b.view  a view is {axis: A, index: I} or {sum: AXIS}, or {output: NAME} as a whole",
    ),
    (
        entry("relation: equal", CALLS % ", view: {output: 'gradient:labels'}"),
        "4:127  $.cases[0].calls.b.view.output  unknown output 'gradient:labels'",
    ),
    (
        entry("relation: equal", CALLS % ", view: {axis: 0, index: 0, sum: 0}"),
        "4:118  $.cases[0].calls.b.view  a view is {axis: A, index: I} or {sum: AXIS}",
    ),
    (
        entry("relation: equal", CALLS % ", parameters: {axis: 0}"),
        "4:125  $.cases[0].calls.b.parameters.axis  unknown parameter 'axis'; there is none",
    ),
    (
        entry(
            "relation: equal",
            CALLS.replace("b: {operation: sigmoid,", "b: {operation: softmax,") % ", parameters: {axis: 3}",
        ),
        "4:131  $.cases[0].calls.b.parameters.axis  logits have shape [2]: no axis 3 (a relation needs defined input)",
    ),
    (entry("relation: equal", CALLS % "", "expect: {}"), "5:3  $.cases[0].expect  unknown key 'expect'; there is "),
]

CLAIMS = [
    (entry("claim: {parse: a}"), "3:11  $.cases[0].claim.parse  unknown key 'parse', did you mean 'parses'?"),
    (entry("claim: {}"), "3:10  $.cases[0].claim  a claim is {parses: TEXT} or {defines: [NAMES], uses: [NAMES]}"),
    (entry("claim: {parses: 3}"), "3:19  $.cases[0].claim.parses  text is needed, not the number 3: put it in quotes"),
    (
        entry("claim: {uses: [a]}"),
        "3:10  $.cases[0].claim  a claim is {parses: TEXT} or {defines: [NAMES], uses: [NAMES]}",
    ),
    (
        entry("claim: {parses: a}", "dtypes: [float32]"),
        "4:3  $.cases[0].dtypes  unknown key 'dtypes'; there is id, source, note, claim",
    ),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    FILE + STRUCTURE + PARAMETERS + INPUTS + GENERATED + EXPECTATIONS + RELATIONS + CLAIMS,
)
def test_a_mistake_is_named_at_its_place(problems: Problems, text: str, expected: str) -> None:
    found = problems(text)
    assert any(line.startswith(expected) for line in found), found


LARGE = "is more than float16 holds: its largest number is 65504"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            loss("parameters: {reduction: avg, label_smoothing: 2}"),
            [
                "5:27  $.cases[0].parameters.reduction  unknown reduction 'avg'; there is ",
                "5:49  $.cases[0].parameters.label_smoothing  label_smoothing is 2.0, outside [0, 1]" + SAY_SO,
            ],
        ),
        (
            sparse("[5, -1]"),
            [
                "4:47  $.cases[0].inputs.labels[0]  label 5 is no class of 0..1" + SAY_SO,
                "4:50  $.cases[0].inputs.labels[1]  label -1 is no class of 0..1" + SAY_SO,
            ],
        ),
        (
            sigmoid("[70000, abc]", "dtypes: [float16, half]", "nota: x"),
            [
                f"4:21  $.cases[0].inputs.logits[0]  70000 {LARGE}",
                "4:28  $.cases[0].inputs.logits[1]  a number is needed, not the text 'abc'",
                "5:21  $.cases[0].dtypes[1]  unknown dtype 'half'; there is ",
                "6:3  $.cases[0].nota  unknown key 'nota', did you mean 'note'?",
            ],
        ),
        (
            loss("dtypes: [float16]").replace("[1, 2]", "[70000, 2]").replace("[0, 1]", "[0, 80000]"),
            [
                f"4:21  $.cases[0].inputs.logits[0]  70000 {LARGE}",
                f"4:44  $.cases[0].inputs.labels[1]  80000 {LARGE}",
            ],
        ),
        (
            entry(
                "relation: like",
                "calls:",
                "  one: {operation: sigmoid, inputs: {logits: [1e39]}}",
                "  two: {operation: sparse_softmax_cross_entropy, inputs: {logits: [[1e39]], labels: [0]}}",
            ),
            [
                "3:13  $.cases[0].relation  unknown choice 'like'; there is ",
                "5:49  $.cases[0].calls.one.inputs.logits[0]  1e39 is more than float32 holds",
                "6:71  $.cases[0].calls.two.inputs.logits[0][0]  1e39 is more than float32 holds",
            ],
        ),
    ],
)
def test_all_mistakes_of_an_entry_are_reported_at_once(problems: Problems, text: str, expected: list[str]) -> None:
    found = problems(text)
    assert len(found) == len(expected), found
    for told, wanted in zip(found, expected, strict=True):
        assert told.startswith(wanted)


def test_all_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(sigmoid("[1, one]", "paramters: {}", "dtypes: [flaot32]") + "- id: a\n  claim: {}\n")
    second.write_text("cases: 3")
    with pytest.raises(CaseFileErrors) as caught:
        casefile.load([first, second], tmp_path / "cases")
    assert str(caught.value).splitlines() == [
        "first.yaml:4:24  $.cases[0].inputs.logits[1]  a number is needed, not the text 'one'",
        "first.yaml:5:3  $.cases[0].paramters  unknown key 'paramters', did you mean 'parameters'?",
        "first.yaml:6:12  $.cases[0].dtypes[0]  unknown dtype 'flaot32', did you mean 'float32'?",
        "first.yaml:7:7  $.cases[1].id  id 'a' again; it is on line 2 already",
        "first.yaml:8:10  $.cases[1].claim  a claim is {parses: TEXT} or {defines: [NAMES], uses: [NAMES]}",
        "second.yaml:1:8  $.cases  a list is needed, not the number 3",
    ]


def test_problems_carry_their_parts(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("cases: 3")
    with pytest.raises(CaseFileError) as caught:
        casefile.load([file], tmp_path / "cases")
    assert isinstance(caught.value, CaseFileErrors)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column, problem.path) == ("f.yaml", 1, 8, "$.cases")


def test_the_same_mistake_in_several_dtypes_is_one_problem(problems: Problems) -> None:
    assert len(problems(sparse("[0, 2]", "dtypes: [float16, bfloat16, float32, float64]"))) == 1


def test_rounding_is_no_mistake(problems: Problems) -> None:
    assert problems(sigmoid("[0.1, 16777217, 1e-40, -0.0, .nan, .inf]")) == []


def test_undefined_input_is_fine_where_it_is_the_point(problems: Problems) -> None:
    assert problems(sparse("[0, 2]", "expect: {undefined: [error, nan], per: {'*@xla': {undefined: nan}}}")) == []


def test_long_text_is_shortened(problems: Problems) -> None:
    (found,) = problems(sigmoid("x" * 1000))
    assert len(found) < 150


def test_headings_are_read_without_the_content(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(sparse("[0, two]"))
    (heading,) = casefile.headings([file], tmp_path)
    assert casefile.case_ids(heading) == ["t:a/float32"]
    file.write_text("cases:\n- id: a\n  operation: sigmoyd\n")
    with pytest.raises(CaseFileErrors, match="did you mean 'sigmoid'"):
        casefile.headings([file], tmp_path)


def test_a_misused_call_is_right_before_and_has_the_kinds_of_its_operation(problems: Problems) -> None:
    text = "cases:\n- id: m\n  operation: softmax\n  inputs: {logits: [[1, 2]]}\n"
    assert problems(text + "  misuse: [axis-outsid]\n") == [
        "5:12  $.cases[0].misuse[0]  unknown misuse 'axis-outsid', did you mean 'axis-outside'?"
    ]
    (wrong,) = problems(text + "  misuse: [labels-large]\n")
    assert wrong.startswith("5:11  $.cases[0].misuse  unknown misuse of softmax 'labels-large'")
    assert problems(text.replace("[[1, 2]]", "1") + "  misuse: all\n") == [
        "4:20  $.cases[0].inputs.logits  logits have shape []: no axis -1 (a call is right before it is spoilt)"
    ]
