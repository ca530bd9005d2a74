"""Facts, measured: a function for each, by dimension. People are counted, never named."""
