"""Recipes: what a case file may say instead of numbers. `generators` follows them."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    StrictFloat,
    WithJsonSchema,
    model_validator,
)

HEX_FLOAT = re.compile(r"[-+]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][-+]?[0-9]+)?")
MAX_ELEMENTS = 2**24
NUMBER = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{HEX_FLOAT.pattern}$"}]}


def _number(value: Any) -> Any:
    """A number, or the text of a hexadecimal float."""
    if isinstance(value, str) and HEX_FLOAT.fullmatch(value):
        try:
            return float.fromhex(value)
        except OverflowError:
            return math.inf
    return value


Number = Annotated[StrictFloat, BeforeValidator(_number), WithJsonSchema(NUMBER)]
Finite = Annotated[Number, Field(allow_inf_nan=False)]


class Model(BaseModel):
    """Strict, closed and unchangeable, as all of these are."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


class Generator(Model):
    """A recipe for an input's numbers. The same recipe gives the same numbers on every machine."""

    shape: list[NonNegativeInt] | None = Field(
        None, description="Shape of the input; without it that of the operation's first input."
    )
    seed: int = Field(default=0, description="Tells apart draws that would be the same otherwise.")

    @model_validator(mode="after")
    def _check_size(self) -> Generator:
        if self.shape is not None and math.prod(self.shape) > MAX_ELEMENTS:
            raise ValueError(f"a shape of more than {MAX_ELEMENTS:,} elements")
        return self


class Limited(Generator):
    """A generator of numbers between two limits."""

    low: Finite | None = None
    high: Finite | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Limited:
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self


class Grid(Generator):
    """Exactly spaced numbers from `from` to `to`, both included, in reading order."""

    generate: Literal["grid"]
    from_: Finite = Field(alias="from")
    to: Finite


class Boundaries(Limited):
    """The numbers at which something happens in the dtype, both signs, each with its neighbours."""

    generate: Literal["boundaries"]
    only: Literal["all", "finite", "nonfinite"] = "all"
    repeat: PositiveInt = Field(default=1, description="How often each number stands there, one after the other.")
    low: Finite | None = Field(default=None, description="Leave out numbers below.")
    high: Finite | None = Field(default=None, description="Leave out numbers above.")
    also: list[Finite] = Field(default=[], description="Magnitudes of your own, each with its neighbours.")
    shuffle: bool = Field(default=False, description="In an order drawn by lot.")


class Every(Limited):
    """Every number of a format of 16 bits, once: from -inf to inf, then NaNs; zeros and NaNs with both signs."""

    generate: Literal["every"]
    only: Literal["all", "finite"] = "finite"
    repeat: PositiveInt = Field(default=1, description="How often each number stands there, one after the other.")
    beside: list[Number] = Field(default=[], description="Numbers that stand in a row with each: other classes.")
    low: Finite | None = Field(default=None, description="Leave out numbers below.")
    high: Finite | None = Field(default=None, description="Leave out numbers above.")

    @model_validator(mode="after")
    def _check_whole(self) -> Every:
        if self.shape is not None:
            raise ValueError("every number of a format has the shape that it has")
        return self


class RandomBits(Limited):
    """Numbers whose bit patterns are equally likely: every binade as often as any other."""

    generate: Literal["random_bits"]
    only: Literal["all", "finite"] = "finite"
    sign: Literal["both", "positive", "negative"] = "both"
    low: Finite | None = Field(default=None, description="Least magnitude.")
    high: Finite | None = Field(default=None, description="Greatest magnitude.")

    @model_validator(mode="after")
    def _check_sign(self) -> RandomBits:
        if (self.low or 0) < 0 or (self.high or 0) < 0:
            raise ValueError("low and high are magnitudes: they can't be negative")
        return self


class Uniform(Generator):
    """Numbers equally likely in [low, high)."""

    generate: Literal["uniform"]
    low: Finite = 0.0
    high: Finite = 1.0

    @model_validator(mode="after")
    def _check_width(self) -> Uniform:
        if not 0 <= self.high - self.low < math.inf:
            raise ValueError("low is to be below high, and their difference a number of float64")
        return self


class Hard(Generator):
    """Labels 0 or 1, equally likely."""

    generate: Literal["hard"]


class Cycle(Generator):
    """The given values again and again, in reading order."""

    generate: Literal["cycle"]
    values: list[Number] = Field(min_length=1)


class OneHot(Generator):
    """Rows along the class axis with a single 1: those that `indices` of the same seed names."""

    generate: Literal["one_hot"]


class Indices(Generator):
    """Class indices, equally likely."""

    generate: Literal["indices"]
    classes: PositiveInt | None = Field(default=None, description="How many; without it as many as the class axis has.")


class Simplex(Generator):
    """Rows of positive numbers along the class axis that sum to about 1."""

    generate: Literal["simplex"]


GENERATORS: dict[str, type[Generator]] = {
    "grid": Grid,
    "boundaries": Boundaries,
    "every": Every,
    "random_bits": RandomBits,
    "uniform": Uniform,
    "hard": Hard,
    "cycle": Cycle,
    "one_hot": OneHot,
    "indices": Indices,
    "simplex": Simplex,
}
