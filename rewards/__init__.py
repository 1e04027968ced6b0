"""What may be given: rewards that points buy."""
