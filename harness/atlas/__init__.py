"""The atlas: which public calls compute the same function, where their defaults differ, and how to port one to another.

Everything is read off adapters' tables, off calls that were made and written down (`harness.adapters.spelling`),
and off the verdicts of a run; nothing is typed in.
"""
