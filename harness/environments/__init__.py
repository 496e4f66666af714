"""Interpreters, environments that are made of them, and the adapters that can run in them.

`definitions` says what an environment is made of, `cache` has it made (`venvs`) and keeps it:

    cache = Cache(folder, say=print)
    environment = cache.ensure(definitions.shipped()["tf1.15"])         # an `Environment`; made if it isn't there
    environment = cache.ensure(definitions.adhoc("tensorflow==2.20.0@python3.11"))
    environment.complaint                                               # why it is unavailable, "" if it isn't
    cache.remove(definition)                                            # free its disk; its lock file stays
    cache.release()                                                     # others may remove what this process used

What can't be made is an environment with a complaint: no exception travels for a missing interpreter, a broken wheel
or a full disk.
"""
