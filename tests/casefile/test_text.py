"""Faults of the text itself: one clear message each, and never a traceback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.casefile import tree
from harness.casefile.scalars import resolve

Problems = Callable[[str | bytes], list[str]]

CASE = "cases:\n- id: a\n  operation: sigmoid\n  inputs: {logits: "


def doubled(levels: int) -> str:
    """A list of two items, each an alias of the list before: 2**levels nodes."""
    lines = ["x0: &x0 [1, 2]", *(f"x{i}: &x{i} [*x{i - 1}, *x{i - 1}]" for i in range(1, levels))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "1:1  $  an empty file: it should have a list under 'cases'"),
        (b"# nothing\n", "1:1  $  an empty file: it should have a list under 'cases'"),
        (b"cases:\n- id: \xff\n", "2:7  $  not UTF-8: byte 0xff at offset 13"),
        ("cases: é\n".encode("latin-1"), "1:8  $  not UTF-8: byte 0xe9 at offset 7"),
        ("cases: []\n".encode("utf-16"), "1:1  $  not UTF-8: byte 0xff at offset 0"),
        ("cases: é\0\n", "1:9  $  U+0000 (NUL) can't stand in YAML"),
        ("cases:\n\x07", "2:1  $  U+0007 (a control character) can't stand in YAML"),
        ("cases:\n\t- id: a\n", "2:1  $  a tab can't indent in YAML: use spaces"),
        (
            CASE + "[1, 2}}\n",
            "4:25  $  not YAML: did not find expected ',' or ']' (while parsing a flow sequence from line 4)",
        ),
        ("a: b: c\n", "1:5  $  not YAML: mapping values are not allowed in this context"),
        ("cases: []\n---\ncases: []\n", "2:1  $  a second document: a case file holds one"),
        ("cases: *a\n", "1:8  $  no anchor &a is complete before its alias"),
        ("cases: &a [*a]\n", "1:12  $  no anchor &a is complete before its alias"),
        ("[" * 33 + "]" * 33, "1:33  $  nested deeper than 32 levels"),
        ("[" * 100_000, "1:33  $  nested deeper than 32 levels"),
        (doubled(20), "15:6  $  more than 100,000 nodes, aliases written out"),
    ],
)
def test_a_text_that_cannot_be_read_is_one_problem(problems: Problems, text: str | bytes, expected: str) -> None:
    (found,) = problems(text)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cases: []\ncases: []\n", "2:1  $  key 'cases' again; it is on line 1 already"),
        ("cases: []\n? [a]\n: b\n", "2:3  $  a key is text, not a collection"),
        (
            "cases: []\ndocument: !!python/none 1\n",
            "2:11  $  tag !!python/none: case files hold plain text, numbers, lists and mappings",
        ),
        (
            "cases: []\ndocument: !mine a\n",
            "2:11  $  tag !mine: case files hold plain text, numbers, lists and mappings",
        ),
        ("cases: !!set []\n", "1:8  $  tag !!set: case files hold plain text, numbers, lists and mappings"),
        (CASE + "!!int 1.5}\n", "4:20  $  '1.5' is no !!int"),
    ],
)
def test_a_fault_that_leaves_the_rest_readable(problems: Problems, text: str, expected: str) -> None:
    assert expected in problems(text)


def test_what_follows_a_duplicate_key_is_still_checked(problems: Problems) -> None:
    assert problems("cases: [{id: a, claim: {parses: a}}]\ncases: []\ndocumnt: 1\n") == [
        "2:1  $  key 'cases' again; it is on line 1 already",
        "3:1  $.documnt  unknown key 'documnt', did you mean 'document'?",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E5", 1e5),
        (".5", 0.5),
        ("1.", 1.0),
        ("+1", 1),
        ("-0.0", -0.0),
        ("010", 10),
        ("0o10", 8),
        ("0x1e", 30),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("+.Inf", float("inf")),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("inf", "inf"),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("12:30:45", "12:30:45"),
        ("2001-01-01", "2001-01-01"),
        ("1e", "1e"),
        ("<<", "<<"),
        ("=", "="),
        ("0x1.8p-149", "0x1.8p-149"),
    ],
)
def test_scalars_by_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    resolved = resolve(text)
    assert resolved == value
    assert type(resolved) is type(value)


def test_quotes_and_tags_decide_what_a_scalar_is() -> None:
    read = tree.parse(b"[1, '1', \"1\", !!str 1, ! 1, !!float 1, |\n 1]")
    assert read.root is None  # a block scalar can't stand in a flow list
    read = tree.parse(b"['1', \"1\", !!str 1, ! 1, !!float 1, !!null ~, !!bool true]")
    assert read.root is not None
    assert tree.plain(read.root) == ["1", "1", "1", "1", 1.0, None, True]


def test_nodes_know_where_they_stand() -> None:
    root = tree.parse("é: [1,\n  {b: 0.10}]\n".encode()).root
    assert isinstance(root, tree.Table)
    assert (root.keys["é"].line, root.keys["é"].column) == (1, 1)
    items = root.values["é"]
    assert isinstance(items, tree.Sequence)
    inner = items.items[1]
    assert isinstance(inner, tree.Table)
    assert (inner.line, inner.column) == (2, 3)
    value = inner.values["b"]
    assert isinstance(value, tree.Scalar)
    assert (value.text, value.value, value.line, value.column) == ("0.10", 0.1, 2, 7)


def test_an_alias_is_what_its_anchor_is() -> None:
    root = tree.parse(b"a: &x [1, 2]\nb: *x\n").root
    assert root is not None
    assert tree.plain(root) == {"a": [1, 2], "b": [1, 2]}


def test_a_byte_order_mark_and_carriage_returns_are_nothing() -> None:
    root = tree.parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n").root
    assert root is not None
    assert tree.plain(root) == {"a": 1, "b": 2}


def test_an_integer_of_more_digits_than_python_converts_is_infinite() -> None:
    assert resolve("9" * 5000) == float("inf")
