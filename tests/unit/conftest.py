"""Hypothesis makes the same examples on every run, unless FUZZ says how many new ones: FUZZ=20000 pytest -k fuzz."""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, database=None, deadline=None, max_examples=300)
settings.register_profile("new", database=None, deadline=None, max_examples=int(os.environ.get("FUZZ") or 1))
settings.load_profile("new" if os.environ.get("FUZZ") else "same")
