"""Kill workers and web servers at random moments of bulk awards, and then count: nothing lost, nothing twice."""
