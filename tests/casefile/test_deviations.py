"""`deviations.yaml`: what it may say, and each mistake at its place."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

from harness import casefile
from harness.casefile import CaseFileError, CaseFileErrors, deviations
from harness.model.deviation import Deviation, Requirement

ENTRY = """deviations:
- id: tail
  subjects: "*:torch.*@*"
  versions: ">=2.0,<3"
  operations: sigmoid_cross_entropy
  outputs: [value, "gradient:*"]
  inputs: {logits: "< 0 and finite", truth: subnormal}
  kind: accuracy
  reason: the tail is lost
  link: unreported
  date: 2026-11-23
  shown_by: operations/sigmoid_cross_entropy:boundaries/*
"""


def read(tmp_path: Path, text: str) -> tuple[Deviation, ...]:
    file = tmp_path / "deviations.yaml"
    file.write_text(text, encoding="utf-8")
    return deviations.read(file, tmp_path)


def test_an_entry_is_read_with_one_thing_for_a_list_of_one(tmp_path: Path) -> None:
    (found,) = read(tmp_path, ENTRY)
    assert (found.subjects, found.operations) == (("*:torch.*@*",), ("sigmoid_cross_entropy",))
    assert found.outputs == ("value", "gradient:*")
    assert found.inputs["logits"] == (Requirement("<", 0.0), Requirement("finite"))
    assert found.inputs["truth"] == (Requirement("subnormal"),)
    assert (str(found.kind), found.source.line) == ("accuracy", 2)


def test_the_shipped_list_is_sound_and_every_case_that_shows_one_exists() -> None:
    root = casefile.cases_folder()
    known = casefile.load_deviations(root)
    assert known
    entries = casefile.load(casefile.find([root], root), root)
    cases = {unit.id for entry in entries for unit in casefile.expand(entry, 0)}
    for deviation in known:
        assert deviation.link == "unreported" or deviation.link.startswith("https://")
        for glob in deviation.shown_by:
            assert glob.partition("/")[0] in {"operations", "errors", "exhaustive", "modes", "nightly"}
            assert fnmatch.filter(cases, glob), glob


def test_no_shipped_deviation_excuses_a_function_that_nobody_has_seen() -> None:
    for deviation in casefile.load_deviations(casefile.cases_folder()):
        assert not any(fnmatch.fnmatchcase("current:mykernels.softmax_loss@eager", glob) for glob in deviation.subjects)


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("accuracy", "acuracy", ":8:9", "accuracy"),
        ("sigmoid_cross_entropy\n  outputs", "sigmoid_cross_entrop\n  outputs", ":5:15", "sigmoid_cross_entropy"),
        ('">=2.0,<3"', "two", ":4:13", "no version specifier"),
        ("< 0 and finite", "< zero", ":7:20", "no condition"),
        ("logits:", "logit:", ":7:12", "logits"),
        ("link: unreported", "link: somewhere", ":10:9", "no link"),
        ("2026-11-23", "yesterday", ":11:9", "no date"),
        ("  reason: the tail is lost\n", "", ":2:3", "'reason' is missing"),
        ("kind:", "knd:", ":8:3", "kind"),
        ("deviations:\n", "deviation:\n", ":1:1", "deviations"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, place: str, said: str) -> None:
    assert old in ENTRY
    with pytest.raises(CaseFileErrors) as raised:
        read(tmp_path, ENTRY.replace(old, new, 1))
    text = str(raised.value)
    assert f"deviations.yaml{place}" in text
    assert said in text


def test_an_id_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(CaseFileErrors, match="again; it is on line"):
        read(tmp_path, ENTRY + ENTRY.partition("\n")[2])


def test_without_the_file_nothing_is_known(tmp_path: Path) -> None:
    assert casefile.load_deviations(tmp_path) == ()


def mistakes(tmp_path: Path, text: str) -> list[str]:
    """What is wrong with a file, a line each, without its name; nothing if it is right."""
    try:
        read(tmp_path, text)
    except CaseFileErrors as errors:
        return [str(problem).partition("deviations.yaml:")[2] for problem in errors.problems]
    return []


ID = "letters, digits, '_', '.' and '-', beginning with a letter or digit"
OPERATION = "  operations: sigmoid_cross_entropy\n"
INPUTS = '{logits: "< 0 and finite", truth: subnormal}'
NO_CONDITION = "is no condition: <=, >=, ==, !=, <, > and a number, or finite, infinite, nan, subnormal, unnormalised"
NO_LINK = "is no link: the address of the report (https://...), or unreported"
CASES = "write it as in operations/sigmoid:boundaries/float32"
SHOWN = "operations/sigmoid_cross_entropy:boundaries/*"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("id: tail", "id: the tail", f"2:7  $.deviations[0].id  'the tail' is no id: {ID}"),
        ("  kind:", "  knd: a\n  kind:", "8:3  $.deviations[0].knd  unknown key 'knd', did you mean 'kind'?"),
        ("accuracy", "accuracies", "8:9  $.deviations[0].kind  unknown choice 'accuracies', did you mean 'accuracy'?"),
        ('"*:torch.*@*"', "3", "3:13  $.deviations[0].subjects  text is needed, not the number 3: put it in quotes"),
        ('"*:torch.*@*"', "[a, {}]", "3:17  $.deviations[0].subjects[1]  text is needed, not a mapping"),
        ('"*:torch.*@*"', "[]", "3:13  $.deviations[0].subjects  at least 1 are needed, there are 0"),
        (
            '">=2.0,<3"',
            '">2.x"',
            "4:13  $.deviations[0].versions  '>2.x' is no version specifier: write >=2.0,<3, or keras>=3,<3.15",
        ),
        ('">=2.0,<3"', "2.0", "4:13  $.deviations[0].versions  text is needed, not the number 2.0: put it in quotes"),
        (
            OPERATION,
            "  operations: [softmax, sigmiod]\n",
            "5:25  $.deviations[0].operations[1]  unknown operation 'sigmiod', did you mean 'sigmoid'?",
        ),
        (
            '[value, "gradient:*"]',
            "[valu]",
            "6:13  $.deviations[0].outputs[0]  unknown output 'valu', did you mean 'value'?",
        ),
        (
            '[value, "gradient:*"]',
            '"gradient:p*"',
            "6:12  $.deviations[0].outputs  unknown output 'gradient:p*', did you mean 'gradient:logits'?",
        ),
        (
            "  inputs:",
            "  dtypes: [float32, float23]\n  inputs:",
            "7:21  $.deviations[0].dtypes[1]  unknown dtype 'float23', did you mean 'float32'?",
        ),
        (
            "  inputs:",
            "  parameters: {reducton: mean}\n  inputs:",
            "7:16  $.deviations[0].parameters.reducton  unknown parameter 'reducton', did you mean 'reduction'?",
        ),
        (
            INPUTS,
            "{logit: finite}",
            "7:12  $.deviations[0].inputs.logit  unknown input 'logit', did you mean 'logits'?",
        ),
        (INPUTS, '{logits: "<> 0"}', f"7:20  $.deviations[0].inputs.logits  '<> 0' {NO_CONDITION}"),
        (INPUTS, "{logits: tiny}", f"7:20  $.deviations[0].inputs.logits  'tiny' {NO_CONDITION}"),
        (INPUTS, '{logits: "== nan"}', f"7:20  $.deviations[0].inputs.logits  '== nan' {NO_CONDITION}"),
        (INPUTS, '{logits: "> 0 or < 1"}', f"7:20  $.deviations[0].inputs.logits  '> 0 or < 1' {NO_CONDITION}"),
        (
            INPUTS,
            "{logits: 0}",
            "7:20  $.deviations[0].inputs.logits  text is needed, not the number 0: put it in quotes",
        ),
        ("  reason: the tail is lost\n", "", "2:3  $.deviations[0]  key 'reason' is missing"),
        ("  link: unreported\n", "", "2:3  $.deviations[0]  key 'link' is missing"),
        ("  date: 2026-11-23\n", "", "2:3  $.deviations[0]  key 'date' is missing"),
        (
            "unreported",
            "http://x.org/1",
            f"10:9  $.deviations[0].link  'http://x.org/1' {NO_LINK}",
        ),
        (
            "2026-11-23",
            "20261123",
            "11:9  $.deviations[0].date  text is needed, not the number 20261123: put it in quotes",
        ),
        ("2026-11-23", "2026-W47-1", "11:9  $.deviations[0].date  '2026-W47-1' is no date: write it as in 2026-11-23"),
        ("2026-11-23", "2026-02-30", "11:9  $.deviations[0].date  '2026-02-30' is no date: write it as in 2026-11-23"),
        (SHOWN, "sigmoid", f"12:13  $.deviations[0].shown_by  'sigmoid' is no glob over case ids: {CASES}"),
        (SHOWN, "'a: b'", f"12:13  $.deviations[0].shown_by  'a: b' is no glob over case ids: {CASES}"),
    ],
)
def test_each_mistake_in_its_own_words(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in ENTRY
    assert mistakes(tmp_path, ENTRY.replace(old, new, 1)) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1  $  an empty file: it should have a list under 'deviations'"),
        ("deviations: []", "1:13  $.deviations  at least 1 are needed, there are 0"),
        ("deviations: 3", "1:13  $.deviations  a list is needed, not the number 3"),
        ("deviations:\n- 3", "2:3  $.deviations[0]  a mapping is needed, not the number 3"),
        (
            "deviations: [a\n",
            "2:1  $  not YAML: did not find expected ',' or ']' (while parsing a flow sequence from line 1)",
        ),
    ],
)
def test_a_file_of_another_form(tmp_path: Path, text: str, problem: str) -> None:
    assert mistakes(tmp_path, text) == [problem]


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    text = ENTRY + ENTRY.partition("\n")[2].replace("accuracy", "accurate").replace("logits:", "logit:")
    text = text.replace("value,", "values,", 1)
    assert [problem.partition("  ")[0] for problem in mistakes(tmp_path, text)] == ["6:13", "13:7", "18:12", "19:9"]


def test_only_errors_are_about_parameters_that_are_undefined(tmp_path: Path) -> None:
    text = ENTRY.replace("  inputs:", "  parameters: {reduction: average}\n  inputs:")
    (found,) = mistakes(tmp_path, text)
    assert found.startswith("7:27  $.deviations[0].parameters.reduction  reduction is 'average', not one of none, ")
    assert mistakes(tmp_path, text.replace("accuracy", "errors")) == []


@pytest.mark.parametrize(
    ("text", "tests"),
    [
        ("<0", [("<", 0.0)]),
        ("<= -1e-3", [("<=", -1e-3)]),
        ("> 0 and <= 1", [(">", 0.0), ("<=", 1.0)]),
        ("!= inf and infinite", [("!=", float("inf")), ("infinite", None)]),
        ("unnormalised", [("unnormalised", None)]),
    ],
)
def test_conditions(text: str, tests: list[tuple[str, float | None]]) -> None:
    assert deviations.tests(text) == tuple(Requirement(*test) for test in tests)


# the file among case files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder `cases/` with the list, a case file, and one in a folder that is called like the list."""
    case = "cases:\n- id: a\n  operation: sigmoid\n  inputs: {logits: 1}\n"
    folder = tmp_path / "cases"
    (folder / "found").mkdir(parents=True)
    (folder / "deviations.yaml").write_text(ENTRY)
    (folder / "some.yaml").write_text(case)
    (folder / "found" / "deviations.yaml").write_text(case)
    return folder


def test_the_list_is_no_case_file(root: Path, tmp_path: Path) -> None:
    found = [file.relative_to(root).as_posix() for file in casefile.find([root], root)]
    assert found == ["some.yaml", "found/deviations.yaml"]
    with pytest.raises(CaseFileError, match=r"deviations.yaml: it lists deviations and has no cases"):
        casefile.find([root / "deviations.yaml"], root)
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    (elsewhere / "deviations.yaml").write_text(ENTRY)
    assert casefile.find([elsewhere], root) == []


def test_check_reads_both(root: Path) -> None:
    assert casefile.check([root], root) == (3, 2, 1)
    assert casefile.check([root / "deviations.yaml"], root) == (1, 0, 1)
    assert casefile.check([root / "found"], root) == (1, 1, 0)


def test_check_tells_the_mistakes_of_both_at_once(root: Path) -> None:
    (root / "deviations.yaml").write_text(ENTRY.replace("accuracy", "acuracy"))
    (root / "some.yaml").write_text("cases: 3")
    with pytest.raises(CaseFileErrors) as raised:
        casefile.check([root], root)
    assert [(p.file, p.line) for p in raised.value.problems] == [("cases/deviations.yaml", 8), ("cases/some.yaml", 1)]


FINDING = """  finding: cause
findings:
- id: cause
  framework: torch
  title: the tail is lost
  why: it cancels
  link: unreported
  case: operations/sigmoid_cross_entropy:boundaries/float32
  subject: "current:torch.nn.functional.binary_cross_entropy_with_logits@eager"
"""


def read_known(tmp_path: Path, text: str) -> deviations.Known:
    file = tmp_path / "deviations.yaml"
    file.write_text(text, encoding="utf-8")
    return deviations.read_known(file, tmp_path)


def test_a_finding_is_read_with_the_deviation_that_is_part_of_it(tmp_path: Path) -> None:
    known = read_known(tmp_path, ENTRY + FINDING)
    assert (known.deviations[0].finding, known.findings[0].id) == ("cause", "cause")
    assert (known.findings[0].output, known.findings[0].source.line) == ("value", 15)


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("finding: cause", "finding: caus", ":13:12", "unknown finding 'caus'"),
        ("  finding: cause\n", "", ":14:7", "no deviation is part of finding 'cause'"),
        ("link: unreported\n  case", "link: somewhere\n  case", ":19:9", "no link"),
        ("boundaries/float32", "boundaries/*", ":20:9", "boundaries"),
        ("@eager", "", ":21:12", "current:torch"),
        ("  why: it cancels\n", "", ":15:3", "'why' is missing"),
    ],
)
def test_a_mistake_of_a_finding_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, said: str
) -> None:
    assert old in FINDING
    with pytest.raises(CaseFileErrors) as raised:
        read_known(tmp_path, ENTRY + FINDING.replace(old, new, 1))
    text = str(raised.value)
    assert f"deviations.yaml{place}" in text
    assert said in text


def test_what_no_finding_has_is_over_in_the_pinned_versions_or_meant_so() -> None:
    known = deviations.load_known(casefile.cases_folder())
    assert {each.id for each in known.deviations if not each.finding and "<" not in each.versions} == {
        "doubles-promoted",
        "empty-mean-is-zero",
        "formulas-of-003",
        "integers-promoted",
        "labels-flattened",
        "optax-broadcast-labels",
        "optax-ranking-weights-broadcast",
        "scalar-as-vector",
        "tf-broadcast-labels",
        "torch-autocast-dtype",
        "torch-autocast-linear",
        "universal-functions",
    }
    links = {finding.id: finding.link for finding in known.findings}
    for each in known.deviations:
        assert not each.finding or each.link == links[each.finding], each.id
