"""Fine-tuning a model on a repository: examples from it, the training, and what that gains."""
