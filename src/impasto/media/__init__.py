"""What comes in and goes out: signals, read from files and written to files."""
