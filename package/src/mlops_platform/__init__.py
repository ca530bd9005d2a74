"""The platform package of machine learning projects: what all of them share."""
