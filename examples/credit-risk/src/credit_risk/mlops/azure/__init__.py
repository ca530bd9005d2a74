# Managed: belongs to the standard, `copier update` changes it.
"""Azure Machine Learning: what its files say, and what `mlops azure` does with them."""
