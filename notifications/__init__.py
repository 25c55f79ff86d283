"""Notices: which there are, who gets them, in which words, and bringing them to people."""
