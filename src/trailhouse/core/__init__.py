"""The pure part: frozen data in, frozen data out. No input or output, no clock, no environment."""
