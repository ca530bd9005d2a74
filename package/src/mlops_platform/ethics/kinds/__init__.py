"""The four kinds of check. Each returns an `Outcome`: verdict, message and next step."""
