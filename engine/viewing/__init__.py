"""Pictures and sound of a source for people, made in processes that a file may cost."""
