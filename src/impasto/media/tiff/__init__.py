"""TIFF files: their pages, and the colours of their pixels."""
