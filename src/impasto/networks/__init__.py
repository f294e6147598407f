"""The ConvNet: its layers as a table, its weights, and the computation in one, two or three dimensions."""
