"""Validates the YAML files of Azure Machine Learning on this machine, without an account.

`schemas` parses a file into a tree of nodes with lines and defines the fields of each kind of
file; rules/ has the checks across fields. Then, if it is installed, Microsoft's package loads each
file (sdk.py).
"""
