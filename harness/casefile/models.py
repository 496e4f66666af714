"""What a case file may say: pydantic models, and the JSON Schema that editors use.

The models check structure: keys, types, choices. What depends on the operation and on the numbers
is checked where the numbers are read. Unions are told apart by key, so that an error speaks of
the one thing that was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from harness.casefile.errors import unknown
from harness.casefile.recipes import Model
from harness.operations import OPERATIONS
from harness.operations.misuse import ALL, KINDS
from harness.oracle.formats import FORMATS

ID = "^[A-Za-z0-9][A-Za-z0-9_.-]*$"
CASE_ID = r"^[\w./-]+:[\w./-]+$"
SUBJECT_ID = r"^\w[\w.-]*:[\w.-]+@\w+$"
VIEWED = "^(value|gradient:[a-z_]+)$"
OUTPUT = r"^(\*|value|relation|gradient:[a-z_]+)$"


class OneOf:
    """A text that is one of some names, with a suggestion where it isn't."""

    def __init__(self, noun: str, names: Sequence[str]) -> None:
        self.noun = noun
        self.names = tuple(names)

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": list(self.names)}

    def _checked(self, name: str) -> str:
        if name not in self.names:
            raise PydanticCustomError("unknown_name", "{message}", {"message": unknown(self.noun, name, self.names)})
        return name


def _versions(text: str) -> str:
    from harness.model.versions import parsed  # noqa: PLC0415 - importing `packaging` is a tenth of listing all cases

    parsed(text)
    return text


Versions = Annotated[
    str,
    AfterValidator(_versions),
    Field(description="Of the framework (>=2.0,<3), or of a package beside it (keras>=3,<3.15)."),
]


def listed(value: Any) -> Any:
    """One thing stands for a list of one."""
    return value if isinstance(value, list) else [value]


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("a dtype is listed twice")
    return names


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | bool | int | float):
        raise PydanticCustomError("no_scalar", "a number, text, true or false is needed")
    return value


NUMBERS = {
    "type": ["number", "string", "array"],
    "items": {"type": ["number", "string", "array"]},
    "description": "A number, a hexadecimal float such as '0x1.8p-149', or nested lists of them.",
}
Numbers = Annotated[Any, WithJsonSchema(NUMBERS)]
Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": ["number", "string", "boolean"]})]
OperationName = Annotated[str, OneOf("operation", tuple(OPERATIONS))]
DtypeName = Annotated[str, OneOf("dtype", tuple(FORMATS))]
IndexDtypeName = Annotated[
    str, OneOf("index dtype", ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"))
]
MisuseName = Annotated[str, OneOf("misuse", (ALL, *KINDS))]
Misuses = Annotated[
    list[MisuseName],
    Field(min_length=1),
    BeforeValidator(lambda value: [ALL] if value == ALL else value),
    WithJsonSchema(
        {
            "anyOf": [{"const": ALL}, {"type": "array", "items": {"enum": list(KINDS)}, "minItems": 1}],
            "description": "What is spoilt in the call, one thing in each case; all that its operation has.",
        }
    ),
]
LayoutName = Literal["strided", "transposed", "unaligned", "expanded"]
Outcomes = Annotated[
    list[Literal["error", "nan"]],
    Field(min_length=1),
    BeforeValidator(listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["error", "nan"]},
                {"type": "array", "items": {"enum": ["error", "nan"]}, "minItems": 1},
            ]
        }
    ),
]


class View(Model):
    """What a relation compares: an output, one index along an axis of it, or the sum over an axis."""

    output: str = Field(default="value", pattern=VIEWED)
    axis: int | None = None
    index: int | None = None
    sum: int | None = Field(default=None, description="The axis that is summed over.")

    @model_validator(mode="after")
    def _check_form(self) -> View:
        indexed = self.axis is not None and self.index is not None
        whole = self.axis is None and self.index is None and "output" in self.model_fields_set
        if self.sum is None and not indexed and not whole:
            raise ValueError("a view is {axis: A, index: I} or {sum: AXIS}, or {output: NAME} as a whole")
        if self.sum is not None and (self.axis is not None or self.index is not None):
            raise ValueError("a view is {axis: A, index: I} or {sum: AXIS}, not both")
        return self


class Statement(Model):
    """What a case states of the subjects that a glob names: exactly one of fails, gives, undefined."""

    fails: Literal["inaccurate", "broken", "error"] | None = Field(
        None, description="The way in which they are known to miss the truth."
    )
    gives: Numbers = Field(default=None, description="What they give instead of the truth.")
    undefined: Outcomes | None = Field(default=None, description="What is right of them for undefined input.")
    reason: str = ""
    output: str = Field(default="*", pattern=OUTPUT)
    versions: Versions = ""

    @model_validator(mode="after")
    def _check_form(self) -> Statement:
        if len(self.model_fields_set & {"fails", "gives", "undefined"}) != 1:
            raise ValueError("exactly one of fails, gives and undefined is needed")
        if self.undefined is None and not self.reason:
            raise ValueError("a departure needs a reason: one sentence that says why")
        return self


Statements = dict[str, Annotated[list[Statement], Field(min_length=1), BeforeValidator(listed)]]


class StatedTolerance(Model):
    """A pass line of the case's own: |y - T| <= atol + rtol |T|."""

    rtol: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    atol: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    reason: str = Field(min_length=1, description="One sentence that says why the bounds are not right here.")


class Expect(Model):
    """What is expected of every subject: the truth, unless something else is said."""

    truth: Literal[True] | None = Field(default=None, description="The default.")
    agree: Literal[True] | None = Field(default=None, description="Subjects are compared with one another only.")
    printed: Numbers = Field(default=None, description="Numbers as a document prints them, digit for digit.")
    undefined: Outcomes | None = Field(default=None, description="What is right where the operation has no value.")
    claimed: Literal["value", "error"] | None = Field(default=None, description="What a document says happens.")
    tolerance: StatedTolerance | None = Field(default=None, description="The pass line instead of the bounds.")
    per: Statements = Field(default_factory=dict, description="What holds for the subjects that a glob names.")

    @model_validator(mode="after")
    def _check_form(self) -> Expect:
        if self.agree and (self.truth or self.undefined or "printed" in self.model_fields_set):
            raise ValueError("with agree there is no truth: it goes with claimed and per only")
        if self.truth and self.undefined:
            raise ValueError("truth and undefined: where the input is undefined there is no truth")
        if self.tolerance and (self.agree or self.undefined):
            raise ValueError("a tolerance is of the truth: it goes with neither agree nor undefined")
        return self


class SourceText(Model):
    """Where in a document it stands."""

    place: str


class Call(Model):
    """One call of an operation."""

    operation: OperationName
    inputs: dict[str, Any] = Field(description="Numbers, nested lists of numbers, or generators of them.")
    parameters: dict[str, Scalar] = Field(default_factory=dict)
    index_dtype: IndexDtypeName = "int64"
    implementations: str = Field(
        default="*",
        min_length=1,
        description="Glob over the implementations that are asked; after an @, one over modes.",
    )
    layout: LayoutName | None = Field(
        default=None, description="How arrays lie in memory, for who takes them as they are: contiguous by default."
    )
    threads: int = Field(default=0, ge=0, le=64, description="Threads that it may use; those of the run by default.")


class RelatedCall(Call):
    """One call of a relation."""

    view: View | None = None


class Identified(Model):
    """What every entry has."""

    id: str = Field(pattern=ID, max_length=200)
    source: SourceText | None = None
    note: str = ""


class Expanded(Identified):
    """What every entry has that is run."""

    dtypes: Annotated[list[DtypeName], AfterValidator(_distinct)] = Field(default=["float32"], min_length=1)
    count: int = Field(default=1, ge=1, le=100_000, description="How many cases a generated entry expands to.")


class CaseEntry(Expanded, Call):
    """A case: one call, and what is expected of it."""

    expect: Expect = Field(default_factory=Expect)


class MisuseEntry(Expanded, Call):
    """A right call, and the ways in which it is spoilt: each is a case."""

    misuse: Misuses


class RelationEntry(Expanded):
    """A relation: calls whose outputs are equal, or differ."""

    relation: Literal["equal", "differ"]
    within: Literal["bounds", "bitwise", "tolerance"] = Field(
        default="bounds",
        description="How near: errors differ by no more than both may lose; the same bits; usual rtol and atol.",
    )
    against: Literal["itself", "another_mode"] = Field(
        default="itself", description="Whose other calls: the subject's own, or its implementation's in another mode."
    )
    calls: dict[str, RelatedCall] = Field(min_length=2)
    per: Statements = Field(default_factory=dict)


class ClaimText(Model):
    """An expression that is said to be well formed, or the names that a program binds and uses."""

    parses: str | None = None
    defines: list[str] | None = None
    uses: list[str] | None = None

    @model_validator(mode="after")
    def _check_form(self) -> ClaimText:
        names = self.defines is not None and self.uses is not None
        if (self.parses is None) != names or (self.parses is not None and (self.defines or self.uses)):
            raise ValueError("a claim is {parses: TEXT} or {defines: [NAMES], uses: [NAMES]}")
        return self


class ClaimEntry(Identified):
    """A claim of a document about its own text."""

    claim: ClaimText


class Document(Model):
    """A case file. Its entries are checked one by one."""

    document: str = Field(default="", description="The document that the cases are taken from.")
    cases: list[Any] = Field(min_length=1)


AnyEntry = CaseEntry | MisuseEntry | RelationEntry | ClaimEntry
ENTRIES: dict[str, type[AnyEntry]] = {"misuse": MisuseEntry, "relation": RelationEntry, "claim": ClaimEntry}


class ExpandedHeading(Expanded):
    """What a case or relation is called, calls and expands to; what else is in it isn't looked at."""

    model_config = ConfigDict(extra="ignore")

    operation: OperationName | None = None


class MisuseHeading(ExpandedHeading):
    """What the cases of a misused call are called."""

    operation: OperationName
    misuse: Misuses


class ClaimHeading(Identified):
    """What a claim is called."""

    model_config = ConfigDict(extra="ignore")


HEADINGS: dict[type[AnyEntry], type[Identified]] = {
    CaseEntry: ExpandedHeading,
    MisuseEntry: MisuseHeading,
    RelationEntry: ExpandedHeading,
    ClaimEntry: ClaimHeading,
}


def entry_model(entry: Any) -> type[AnyEntry]:
    """The model of an entry, told by the key that only it has."""
    keys = entry if isinstance(entry, dict) else {}
    return next((model for key, model in ENTRIES.items() if key in keys), CaseEntry)


NESTED: dict[str, type[Model]] = {
    "calls": RelatedCall,
    "view": View,
    "expect": Expect,
    "per": Statement,
    "source": SourceText,
    "claim": ClaimText,
}
"""The model that stands under a key: its fields are what an unknown key is held against."""
