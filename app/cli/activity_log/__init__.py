"""Commands about activity logs and their witnesses."""
