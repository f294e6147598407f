"""The descent of J: optimizers, steps and where it is."""
