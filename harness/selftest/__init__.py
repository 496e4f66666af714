"""What the stock suite is worth: faulty implementations that it must notice, and right ones that it must not accuse.

`mutants/` and `variants/` hold ordinary adapter files. A mutant is a bug under one path, planted in several operations;
a variant is another formula, or order of summation, that is as stable as the reference's.
"""
