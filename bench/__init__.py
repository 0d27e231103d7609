"""Benchmarks: the product's own code paths against a peer or a limit, in one run. docs/performance.md says how to run."""
