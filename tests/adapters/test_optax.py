from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.adapters import Tensor, UnsupportedError, optax


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_weights_that_no_mask_says_are_unsupported(dtype: str) -> None:
    row = next(row for row in optax.IMPLEMENTATIONS if row.path == "optax.softmax_cross_entropy")
    weights = np.array([1, 2], np.float32)
    bits = (weights.view(np.uint32) >> 16).astype(np.uint16) if dtype == "bfloat16" else weights
    with pytest.raises(UnsupportedError, match="1 or 0"):
        optax.call(row, "eager", {"weights": Tensor(dtype, bits)}, {}, ["value"])


@pytest.mark.parametrize(("version", "shape"), [("0.2.4", (2, 1)), ("0.2.5", (2,)), ("0.2.6.dev1", (2,))])
def test_what_is_included_has_the_rank_that_a_release_asks_for(version: str, shape: tuple[int, ...]) -> None:
    options = {"where": np.array([True, False])}
    found = optax._of_rows(SimpleNamespace(__version__=version), options, {"axis": -1})
    assert found["where"].shape == shape
    assert optax._of_rows(SimpleNamespace(__version__=version), {}, {"axis": -1}) == {}


def test_the_renamed_divergence_is_asked_of_releases_that_have_it() -> None:
    (since,) = [row.since for row in optax.IMPLEMENTATIONS if row.path == "optax.losses.generalized_kl_divergence"]
    assert since == "0.2.7"


@pytest.mark.parametrize(
    "changed",
    [{"labels": [[0.5, 0.5, 0]]}, {"labels": [0]}, {"logits": [[-np.inf] * 3]}],
    ids=["a label", "an index label", "all"],
)
def test_classes_that_count_are_not_left_out(changed: dict[str, Any]) -> None:
    row = next(row for row in optax.IMPLEMENTATIONS if row.path == "optax.softmax_cross_entropy")
    given = {"logits": [[-np.inf, 2.0, 1.0]], "labels": [[0.0, 1.0, 0.0]], **changed}
    inputs = {name: Tensor.of(np.array(each)) for name, each in given.items()}
    with pytest.raises(UnsupportedError, match="leaves out classes"):
        optax.call(row, "where", inputs, {"axis": -1}, ["value"])
