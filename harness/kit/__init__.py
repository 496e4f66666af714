"""A conformance kit for other people's adapters: what is wrong with a file, one clear line each.

- `table`: what its table says, held against the operations' signatures
- `calls`: small telling calls of everything that a row claims
- `guesses`: what a wrong answer would be right for
- `answers`: the answers to those calls, judged
- `check`: a file from its loading to its last call
"""
