"""Store Users: customers and leads of the shop. What ships to Lambda beside app.py."""
