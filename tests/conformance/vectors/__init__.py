"""One module for each file of vectors, named like it; for files of a folder `flagger` with `flagger_` before.

A module offers `run(data) -> Iterable[Result]` (see `tests.conformance.result`): one result for each vector.
"""
