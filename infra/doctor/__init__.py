"""Looking whether a stage is well, without changing anything."""
