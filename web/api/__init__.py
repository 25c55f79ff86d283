"""The interface for programs, under `/api`: what the commands offer, over the same service."""
