"""Speed compared with other implementations of the same work, in the same run on the same machine."""
