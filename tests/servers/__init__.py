"""Real servers that tests start for themselves on free ports of 127.0.0.1, and the few that cannot be had for real."""
