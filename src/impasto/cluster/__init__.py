"""Clusters of Dask: workers on this computer, or those of a scheduler somewhere, as an executor."""
