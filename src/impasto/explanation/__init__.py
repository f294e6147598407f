"""A painting is explained: where each place of it comes from, and what it costs; and the layers a picture goes through.

What is computed is in :mod:`impasto.explanation.explain`; the pages, each one file that needs no server, beside it.
"""
