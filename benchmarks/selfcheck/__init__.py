"""The harness against known truths: real work whose ratio is known, under a declared load, beside other timers.

`python -m benchmarks.selfcheck` measures and writes a page. Nothing here knows a framework or an implementation.
"""
