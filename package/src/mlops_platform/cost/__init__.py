"""What runs, champions and predictions cost, and whether the quota is enough."""
