"""The data contract, and files of rows that follow it."""
