"""The command `ketnap`: one file a group of commands, wired in `bootstrap`."""
