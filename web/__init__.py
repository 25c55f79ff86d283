"""The officers' pages and the REST interface, on the same service as the command."""
