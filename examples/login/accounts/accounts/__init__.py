"""Sign-up, login and sessions for a small web shop."""
