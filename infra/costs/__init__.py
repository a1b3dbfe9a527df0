"""What a month costs: counted from the template, and written into docs/costs.md."""
