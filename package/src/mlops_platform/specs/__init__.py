"""Are the YAML files of Azure Machine Learning right? Looked at here, without an account.

A file becomes a tree of nodes that know their line (nodes.py). What may stand where is said by
tables (tables/, read by shapes.py); what a table cannot say is a rule (rules/). Then Microsoft's
own package loads each file, where it is installed (sdk.py).
"""
