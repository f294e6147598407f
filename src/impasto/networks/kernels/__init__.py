"""Fast convolutions: direct and Winograd's, and the choice between them."""
