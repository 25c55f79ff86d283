"""Delivery channels, one a module; port.py says what they promise."""
