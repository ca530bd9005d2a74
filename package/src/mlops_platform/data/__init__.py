"""The data contract, validation of rows, and reading of CSV files."""
