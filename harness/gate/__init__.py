"""The gate: which changes and failures fail a run, by `--fail-on` and the rules of `[tool.harness.gate]`."""
