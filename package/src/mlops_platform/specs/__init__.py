"""Validates the YAML files of Azure Machine Learning on this machine, without an account.

nodes.py parses a file into a tree of nodes with line numbers. schemas/ defines the fields of each
kind of file with the validators of validators.py; rules/ has the checks across fields. Then, if it
is installed, Microsoft's package loads each file (sdk.py).
"""
