"""What the exact answer is, and the number formats it is rounded to."""
