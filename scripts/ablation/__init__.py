"""What each ingredient of the engine gives and costs."""
