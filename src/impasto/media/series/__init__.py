"""Series: sampled leads."""
