"""What the units of the network have learned: the patches that excite them, and what they want to see."""
