"""`pytest cases` collects the YAML case files: see harness/pytest_plugin.py."""

pytest_plugins = ["harness.pytest_plugin"]
