"""What every render must be, whatever was answered."""
