"""Lambda entry points other than HTTP: one thin function a file."""
