"""Loading store users from files: `python -m infra.load FILE`."""
