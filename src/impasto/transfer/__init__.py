"""Minimise J(G): settings, objective, descent and what one does with its progress."""
