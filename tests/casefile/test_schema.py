"""The JSON Schema agrees with the loader on all files of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import casefile
from harness.casefile import tree

ROOT = Path(__file__).parents[2] / "cases"
FILES = casefile.find([ROOT], ROOT)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = casefile.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def document(entry: dict[str, Any]) -> dict[str, Any]:
    return {"cases": [{"id": "a", **entry}]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_case_file_is_valid(validator: jsonschema.Draft202012Validator, file: Path) -> None:
    root = tree.parse(file.read_bytes()).root
    assert root is not None
    assert [error.message for error in validator.iter_errors(tree.plain(root))] == []


def test_every_case_file_loads() -> None:
    assert casefile.load(FILES, ROOT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cases": 3},
        {"cases": [], "more": 1},
        document({"operation": "sigmoid"}),
        document({"operation": "sigmoidal", "inputs": {"logits": 1}}),
        document({"operation": "sigmoid", "inputs": {"logit": 1}}),
        document({"operation": "sigmoid", "inputs": {"logits": 1}, "parameters": {"axis": 1}}),
        document({"operation": "sigmoid", "inputs": {"logits": {"generate": "gird"}}}),
        document({"operation": "sigmoid", "inputs": {"logits": 1}, "dtypes": ["int8"]}),
        document({"operation": "sigmoid", "inputs": {"logits": 1}, "expect": {"undefned": "error"}}),
        document({"operation": "sigmoid", "inputs": {"logits": 1}, "expect": {"per": {"*": {"fail": "broken"}}}}),
        document({"relation": "equal", "calls": {"a": {"operation": "sigmoid", "inputs": {"logits": 1}}}}),
        document({"claim": {"parse": "x"}}),
    ],
)
def test_what_is_wrong_is_invalid(validator: jsonschema.Draft202012Validator, wrong: dict[str, Any]) -> None:
    assert list(validator.iter_errors(wrong))


def test_the_schema_completes_the_names_of_an_operation() -> None:
    rules = casefile.schema()["$defs"]["CaseEntry"]["allOf"]
    rule = next(r for r in rules if r["if"]["properties"]["operation"]["const"] == "softmax")
    properties = rule["then"]["properties"]
    assert properties["inputs"]["propertyNames"]["enum"] == ["logits", "upstream"]
    assert list(properties["parameters"]["properties"]) == ["axis"]


# the list of deviations


@pytest.fixture(scope="module")
def listed() -> jsonschema.Draft202012Validator:
    schema = casefile.SCHEMAS["deviations"]()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def deviation(**changed: Any) -> dict[str, Any]:
    root = tree.parse((ROOT / "deviations.yaml").read_bytes()).root
    assert root is not None
    document = tree.plain(root)
    document["deviations"][0].update(changed)
    return dict(document)


def test_the_list_of_deviations_is_valid(listed: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in listed.iter_errors(deviation())] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"knd": "accuracy"},
        {"kind": "accurate"},
        {"operations": "sigmoidal"},
        {"operations": []},
        {"subjects": 3},
        {"dtypes": ["int8"]},
        {"link": "http://somewhere"},
        {"date": "yesterday"},
        {"shown_by": "sigmoid"},
        {"reason": ""},
    ],
)
def test_a_wrong_deviation_is_invalid(listed: jsonschema.Draft202012Validator, wrong: dict[str, Any]) -> None:
    assert list(listed.iter_errors(deviation(**wrong)))
