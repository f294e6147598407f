"""Fast convolutions on the CPU: torch's direct one, Winograd's, and the choice between them. README.md is the way in."""
