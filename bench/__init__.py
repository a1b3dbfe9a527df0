"""Benchmarks: what docs/performance.md claims, measured. Never part of the tests."""
