"""Means over positions, tile by tile: exact, in any memory."""
