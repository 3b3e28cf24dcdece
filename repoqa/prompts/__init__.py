"""The packed context and the question in the words and format of a model."""
