"""The hunt: searches the input space of an operation for where an implementation is worst, and shrinks what it finds.

A search is blind to what an implementation does inside: it sees inputs as places among the numbers of their
dtype, in order, and answers as errors against the truth.
"""
