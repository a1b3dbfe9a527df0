"""The store users: what the project exists for."""
