"""The nouns of the harness: frozen dataclasses and enums, on the standard library and NumPy alone."""
