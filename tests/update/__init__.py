"""Updates: every release to the working tree, and the tools around them."""
