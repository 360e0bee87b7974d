"""From a click to an answer, through the front door."""
