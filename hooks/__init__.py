"""What platform teams run around a render, never during it."""
