"""What Python programs and the command line do alike: a question in, a prompt or an answer out."""
