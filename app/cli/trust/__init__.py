"""Commands about networks, partner keys and followed lists."""
