"""The command line: a file per door."""
