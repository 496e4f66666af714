"""Interpreters, and the adapters that can run in them."""
