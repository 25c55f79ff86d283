"""The pure core: no I/O, no clock, no environment. Everything it needs is passed in."""
