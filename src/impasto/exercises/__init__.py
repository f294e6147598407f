"""The exercises of the class: a function that a student writes is compared with the right one, and what is wrong is said.

>>> from impasto import exercises
>>> @exercises.check
... def content_cost(a_C, a_G):
...     return ((a_C - a_G) ** 2).mean()
✗ content_cost: the 1/4 is missing: ...

The notebooks in docs/class are made of them.
"""

from __future__ import annotations

from impasto.exercises.pictures import picture, show
from impasto.exercises.verdict import EXERCISES, check, judge

__all__ = ["EXERCISES", "check", "judge", "picture", "show"]
