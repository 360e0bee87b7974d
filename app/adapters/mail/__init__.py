"""E-mails as bytes: sent through a server, and what comes back."""

from app.adapters.mail.sending import SmtpMailer, TerminalMailer, mailbox_of, message_of, one_line, plain_text

__all__ = ["SmtpMailer", "TerminalMailer", "mailbox_of", "message_of", "one_line", "plain_text"]
