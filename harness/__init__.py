"""Conformance harness for cross-entropy losses.

This file is part of the island (see docs/architecture.md): workers import it under
interpreters as old as Python 3.7, so it stays free of imports.
"""

__version__ = "0.1.0"
