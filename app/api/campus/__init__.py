"""What keeps other systems in step, for programs."""
