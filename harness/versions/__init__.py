"""What changes between versions: two of them side by side, many in a table, and since when."""
