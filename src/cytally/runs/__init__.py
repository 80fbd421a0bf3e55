"""What every run leaves behind: its settings, a journal, tables; and what it was given."""
