"""DICOM files: which images they hold, and their pixels."""
