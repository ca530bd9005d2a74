"""Azure Machine Learning: what its files say, and what `mlops azure` does with them."""
