"""The ranked code in a prompt's budget, in the order the model reads best."""
