"""Planning calls, and making them in worker processes with time limits and restarts."""
