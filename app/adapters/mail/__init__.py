"""E-mail: messages, SMTP delivery and its answers."""
