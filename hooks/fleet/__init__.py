"""Shows the state of many projects and updates them."""
