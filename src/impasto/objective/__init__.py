"""J: what is compared, and the cost of it."""
