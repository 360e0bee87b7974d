"""Commands about networks, partner keys and external trust lists."""
