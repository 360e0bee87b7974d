"""One module for each kind of durable job."""
