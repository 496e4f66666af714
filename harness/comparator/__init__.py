"""Judging observations: measure, then judge; the plain tolerance and agreement beside them."""
