"""Events of Azure Machine Learning, and the same from this machine: read, decide, tell."""
