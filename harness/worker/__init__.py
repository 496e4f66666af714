"""The process that runs adapters, and the frames that it exchanges with the host (the island)."""
