"""The four kinds of check. Each gives a `Finding`: the word, what was found, what to do next."""
